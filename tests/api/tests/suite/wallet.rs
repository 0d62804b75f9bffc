//! `/v1/wallet`, `/v1/gifts`, `/v1/tips`: having coins and giving them (clauses E13, E15).

use std::thread;

use api_tests::{ADMIN, Builder, DAY, Database, Engine, on_both_engines};
use serde_json::json;

use crate::payment::{COINS, buyer, customer, ledger_holds, open, post, wallet};

/// PostgreSQL lets the application's role do nothing with the table but read and add.
fn application_cannot_change(database: &Database, table: &str) {
    let trigger = database.rows(&format!(
        "SELECT tgname::text FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND NOT tgisinternal"
    ));
    let trigger = &trigger[0][0];
    let column = database.rows(&format!(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum = 1"
    ));
    let column = &column[0][0];
    for forbidden in [
        format!("UPDATE {table} SET {column} = 'x'"),
        format!("DELETE FROM {table}"),
        format!("TRUNCATE {table}"),
        format!("DROP TRIGGER {trigger} ON {table}"),
        format!("ALTER TABLE {table} DISABLE TRIGGER {trigger}"),
        format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
        format!("ALTER TABLE {table} OWNER TO chuangrenmai_application"),
        format!("DROP TABLE {table}"),
        "SET session_replication_role = replica".to_owned(),
        "CREATE OR REPLACE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
            .to_owned(),
    ] {
        let words = database.try_rows_as_application(&forbidden).expect_err(&forbidden);
        let is_denied = words.starts_with("permission denied") || words.starts_with("must be owner");
        assert!(is_denied, "{forbidden}: {words}");
    }
    let read = format!("SELECT COUNT(*) FROM {table}");
    assert!(database.try_rows_as_application(&read).is_ok());
}

on_both_engines! {
    // clause E15
    fn gifts_and_tips_move_coins_and_say_what_they_are(builder: Builder) {
        let shop = open(builder);
        let (person, _) = buyer(&shop);
        let other = customer(&shop.app);
        let listed = shop.app.get("/v1/gifts", &person.token).expect(200);
        assert_eq!(listed.json["items"][0]["id"], "flower");
        let gift = json!({ "to": other.account_id, "gift": "flower", "note": "加油" });
        let given = post(&shop.app, &person, "/v1/gifts", &gift).expect(201);
        assert_eq!(given.json["coins"], 10);
        let tip = json!({ "to": other.account_id, "coins": 7, "target": other.account_id });
        post(&shop.app, &person, "/v1/tips", &tip).expect(201);
        assert_eq!(wallet(&shop.app, &person), (COINS - 17, 0));
        assert_eq!(wallet(&shop.app, &other), (17, 0));
        let mine = shop.app.get("/v1/wallet/entries", &person.token).expect(200).json;
        assert_eq!(mine["items"][1]["note"], "加油");
        assert_eq!(mine["items"][1]["other"], json!(other.account_id));
        assert_eq!(mine["items"][1]["reference"], given.json["id"]);
        let kinds = |entries: &serde_json::Value| -> Vec<String> {
            let items = entries["items"].as_array().expect("items");
            items.iter().map(|item| item["kind"].as_str().expect("a text").to_owned()).collect()
        };
        assert_eq!(kinds(&mine), ["tip-given", "gift-given", "top-up"]);
        let first = shop.app.get("/v1/wallet/entries?limit=1", &other.token).expect(200).json;
        assert_eq!(kinds(&first), ["tip-received"]);
        let cursor = first["next_cursor"].as_str().expect("another page");
        let second = format!("/v1/wallet/entries?limit=1&cursor={cursor}");
        let second = shop.app.get(&second, &other.token).expect(200).json;
        assert_eq!(kinds(&second), ["gift-received"]);
        assert!(second["next_cursor"].is_null());
        ledger_holds(&shop.app);
    }

    // clause E15
    fn what_cannot_be_given_changes_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, _) = buyer(&shop);
        let other = customer(&shop.app);
        let tip = |body: serde_json::Value| post(&shop.app, &person, "/v1/tips", &body);
        let gift = |body: serde_json::Value| post(&shop.app, &person, "/v1/gifts", &body);
        let to = &other.account_id;
        for coins in [0, -1, 1_000_001] {
            tip(json!({ "to": to, "coins": coins })).expect(422).expect_violations(&["coins:invalid"]);
        }
        tip(json!({ "to": to, "coins": COINS + 1 })).expect_problem(409, "coins-insufficient");
        tip(json!({ "to": person.account_id, "coins": 1 })).expect_problem(409, "give-oneself");
        let nobody = "0198c5a0-0000-7000-8000-000000000000";
        tip(json!({ "to": nobody, "coins": 1 })).expect_problem(404, "not-found");
        gift(json!({ "to": to, "gift": "yacht" })).expect(422).expect_violations(&["gift:unknown-gift"]);
        let note = "好".repeat(201);
        gift(json!({ "to": to, "gift": "flower", "note": note })).expect(422).expect_violations(&["note:invalid"]);
        gift(json!({ "to": to, "gift": "trophy" })).expect_problem(409, "coins-insufficient");
        let block = format!("/v1/blocks/{}", person.account_id);
        shop.app.request("PUT", &block).token(&other.token).send().expect(204);
        tip(json!({ "to": to, "coins": 1 })).expect_problem(404, "not-found");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        assert_eq!(shop.app.database().count("SELECT COUNT(*) FROM gifts"), 0);
        assert_eq!(shop.app.database().count("SELECT COUNT(*) FROM ledger"), 2);
    }

    // clause E15
    fn two_hundred_tips_from_a_wallet_of_one_give_one(builder: Builder) {
        let shop = open(builder);
        let (person, _) = buyer(&shop);
        let other = customer(&shop.app);
        let all_but_one = json!({ "to": other.account_id, "coins": COINS - 1 });
        post(&shop.app, &person, "/v1/tips", &all_but_one).expect(201);
        let body = json!({ "to": other.account_id, "coins": 1 });
        let statuses: Vec<u16> = thread::scope(|scope| {
            let tips: Vec<_> = (0..200)
                .map(|_| scope.spawn(|| {
                    let answer = post(&shop.app, &person, "/v1/tips", &body);
                    // One that was too busy says so, and is tried again.
                    match answer.status {
                        503 => post(&shop.app, &person, "/v1/tips", &body).status,
                        status => status,
                    }
                }))
                .collect();
            tips.into_iter().map(|tip| tip.join().expect("no panic")).collect()
        });
        let successes = statuses.iter().filter(|status| **status == 201).count();
        assert_eq!(successes, 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 409, 503].contains(status)), "{statuses:?}");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        assert_eq!(wallet(&shop.app, &other), (COINS, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn who_loses_every_race_is_told_to_come_again(builder: Builder) {
        let shop = open(builder);
        let (person, _) = buyer(&shop);
        let other = customer(&shop.app);
        let database = shop.app.database();
        // Somebody else always has the next number.
        let (lose, win): (&[&str], &[&str]) = match database.engine() {
            Engine::Sqlite => (
                &["CREATE TRIGGER loses BEFORE INSERT ON ledger BEGIN \
                     SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger.account, ledger.number'); END"],
                &["DROP TRIGGER loses"],
            ),
            Engine::Postgres => (
                &[
                    "CREATE FUNCTION loses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                       RAISE EXCEPTION 'lost' USING ERRCODE = 'unique_violation', \
                         CONSTRAINT = 'ledger_account_number_unique'; END $$",
                    "CREATE TRIGGER loses BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION loses()",
                ],
                &["DROP TRIGGER loses ON ledger"],
            ),
        };
        for statement in lose {
            database.rows(statement);
        }
        let key = crate::payment::fresh_key();
        let body = json!({ "to": other.account_id, "coins": 7 });
        let tip = || shop
            .app
            .request("POST", "/v1/tips")
            .token(&person.token)
            .header("idempotency-key", &key)
            .json(&body);
        let busy = tip().expect_problem(503, "ledger-busy");
        assert!(busy.retry_after() > 0);
        assert_eq!(shop.app.log().event("problem", busy.request_id())["level"], "warning");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        for statement in win {
            database.rows(statement);
        }
        tip().expect(201);
        assert_eq!(wallet(&shop.app, &person), (COINS - 7, 0));
        assert_eq!(wallet(&shop.app, &other), (7, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn the_ledger_only_grows(builder: Builder) {
        let shop = open(builder);
        buyer(&shop);
        let database = shop.app.database();
        database.rows("INSERT INTO ledger_seals VALUES ('2026-11-24', 2, 'd', 's', 0) RETURNING day");
        let (ledger, seals) = match database.engine() {
            Engine::Sqlite => ("the ledger only grows", "a seal stays"),
            Engine::Postgres => ("ledger only grows", "ledger_seals only grows"),
        };
        // Not even its owner changes it.
        for (forbidden, words) in [
            ("UPDATE ledger SET amount = 1000000 WHERE kind = 'top-up'", ledger),
            ("DELETE FROM ledger WHERE kind = 'top-up'", ledger),
            ("UPDATE ledger_seals SET seal = 'x'", seals),
            ("DELETE FROM ledger_seals", seals),
        ] {
            assert_eq!(database.try_rows(forbidden).unwrap_err(), words, "{forbidden}");
        }
        if database.engine() == Engine::Postgres {
            for (table, words) in [("ledger", ledger), ("ledger_seals", seals)] {
                assert_eq!(database.try_rows(&format!("TRUNCATE {table}")).unwrap_err(), words);
                application_cannot_change(database, table);
            }
        }
        assert_eq!(database.count("SELECT COUNT(*) FROM ledger_seals"), 1);
        ledger_holds(&shop.app);
    }

    [stand_in] fn closed_days_are_sealed_once(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        buyer(&shop);
        let seal = || {
            let request = app.request("POST", "/v1/operator/ledger-seals").token(ADMIN.token);
            request.json(&json!({})).expect(200).json["days"].as_array().expect("days").len()
        };
        assert_eq!(seal(), 0);
        app.clock().advance(DAY * 2);
        assert_eq!(seal(), 1);
        assert_eq!(seal(), 0);
        assert_eq!(app.database().count("SELECT entries FROM ledger_seals"), 2);
        // The log has the seal, too, where whoever changes the database does not reach it.
        let seal = app.database().rows("SELECT seal FROM ledger_seals")[0][0].to_string();
        let event = app.log().event_with("ledger-sealed", "seal", &seal);
        assert_eq!((&event["level"], &event["entries"]), (&json!("info"), &json!(2)));
    }
}
