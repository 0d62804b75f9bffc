//! `/v1/account/deletion` and what operators do: leaving, coming back in time, being gone.

use api_tests::{
    ACCOUNTANT, ADMIN, Answer, App, Builder, DAY, Device, Person, REVIEWER, SECOND, mobile_number,
    on_both_engines,
};
use serde_json::{Value, json};

use crate::payment::{COINS, buyer, customer, ledger_holds, open, order, post, wallet};

pub const PATH: &str = "/v1/account/deletion";

/// The body of a request, with a fresh code.
pub fn request_body(app: &App, person: &Person, forfeit: bool) -> Value {
    let code = app.sms_code(&person.phone, "delete");
    json!({ "code": code, "reason": "privacy", "forfeit": forfeit })
}

/// Asks for the deletion of the account.
pub fn ask(app: &App, person: &Person, forfeit: bool) -> Answer {
    let body = request_body(app, person, forfeit);
    app.request("POST", PATH).token(&person.token).json(&body)
}

/// Takes that back.
pub fn take_back(app: &App, person: &Person) -> Answer {
    app.request("DELETE", PATH).token(&person.token).send()
}

/// What `retention` does: carries out what is due. Needs [`Builder::with_guards_probe`].
pub fn execute(app: &App) -> Value {
    let request = app.request("POST", "/v1/probe/internal");
    let asked = json!(["account-deletion", "/internal/execute"]);
    let answer = request
        .body("application/json", asked.to_string())
        .send_unchecked();
    answer.expect(200).json
}

/// Logs in again on the same device.
pub fn log_in_again(app: &App, person: &Person) -> Person {
    app.log_in_on(&person.phone, &Device::new("device-1"))
}

/// How many rows of a table are this account's.
pub fn rows_of(app: &App, table: &str, account_id: &str) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM {table} WHERE account_id = '{account_id}'"
    ))
}

/// Whether the account is there.
pub fn exists(app: &App, account_id: &str) -> bool {
    let count = format!("SELECT COUNT(*) FROM accounts WHERE id = '{account_id}'");
    app.database().count(&count) == 1
}

fn operator_deletes(app: &App, token: &str, id: &str, body: &Value) -> Answer {
    app.request("POST", &format!("/v1/operator/accounts/{id}/deletion"))
        .token(token)
        .json(body)
}

/// Somebody without an account has called and said that this person is a minor; the request.
pub fn report_minor(app: &App, person: &Person) -> String {
    let body = json!({
        "kind": "report", "reason": "minor", "subject": person.account_id, "text": "我的孩子",
    });
    let recorded = app
        .request("POST", "/v1/operator/requests")
        .token(REVIEWER.token);
    recorded.json(&body).expect(201).text("/id")
}

/// An operator has deletions made since a backup replayed: all pages; how many, and how many keys were missing.
pub fn replay(app: &App) -> (i64, i64) {
    let (mut replayed, mut missing) = (0, 0);
    let mut after = Value::Null;
    loop {
        let request = app.request("POST", "/v1/operator/deletions/replay");
        let page = request.token(ADMIN.token).json(&json!({ "after": after }));
        let page = page.expect(200).json;
        replayed += page["replayed"].as_i64().expect("a number");
        missing += page["keys_missing"].as_i64().expect("a number");
        after = page["next"].clone();
        if after.is_null() {
            return (replayed, missing);
        }
    }
}

fn tombstones(app: &App) -> usize {
    let keys = app.key_value();
    let is_tombstone = |(key, value): &&(String, Vec<u8>)| {
        key.starts_with("person-key:") && value.starts_with(b"destroyed ")
    };
    keys.iter().filter(is_tombstone).count()
}

fn keys(app: &App) -> usize {
    let keys = app.key_value();
    keys.iter()
        .filter(|(key, _)| key.starts_with("person-key:"))
        .count()
}

fn a_key_ends(builder: Builder, store: &str) {
    let builder = builder
        .variable("person_key_store", store)
        .variable("deletion_grace_days", "0");
    let app = builder.with_guards_probe().start();
    app.clock().stop();
    let person = app.someone();
    let other = app.someone();
    ask(&app, &person, false).expect(202);
    let is_in_sql = store == "sql";
    assert_eq!(tombstones(&app), usize::from(!is_in_sql));
    let in_sql = app.database().count("SELECT COUNT(*) FROM person_keys");
    assert_eq!(in_sql, i64::from(is_in_sql));
    app.get("/v1/auth/sessions/current", &other.token)
        .expect(200);
    app.clock().advance(35 * DAY - SECOND);
    assert_eq!(execute(&app)["done"], 0);
    assert_eq!(tombstones(&app), usize::from(!is_in_sql));
    let notes = |app: &App| {
        let keys = app.key_value();
        let copies = keys.iter().filter(|(key, _)| key.starts_with("erasures:"));
        (
            copies.count(),
            app.database().count("SELECT COUNT(*) FROM erasures"),
        )
    };
    // That it closed, and in SQL that its key is destroyed.
    assert_eq!(notes(&app), (1, 1 + i64::from(is_in_sql)));
    app.clock().advance(SECOND);
    assert_eq!(execute(&app), json!({ "done": 1, "more": false }));
    let left = (tombstones(&app), keys(&app));
    assert_eq!(left, (0, usize::from(!is_in_sql)));
    // Notes go by whole days.
    app.clock().advance(DAY);
    assert_eq!(execute(&app)["done"], 0);
    assert_eq!(notes(&app), (0, 0));
}

on_both_engines! {
    // clause R5, L5
    [stand_in] fn who_leaves_is_locked_out_and_can_come_back(app: App) {
        let person = app.someone();
        let second = app.log_in_on(&person.phone, &Device::new("device-2"));
        app.get("/v1/profile", &person.token).expect(200);
        app.get("/v1/profile", &second.token).expect(200);
        app.clock().stop();
        let accepted = ask(&app, &person, false).expect(202);
        assert_eq!(accepted.json["remaining"], json!({ "coins": 0, "pending_orders": 0 }));
        // At once, although the cache has seen both.
        for token in [&person.token, &second.token] {
            app.get("/v1/profile", token).expect_problem(401, "unauthenticated");
        }
        assert_eq!(rows_of(&app, "sessions", &person.account_id), 0);
        let code = app.sms_code(&person.phone, "login");
        let login = App::login(&person.phone, &code, &Device::new("device-1"));
        let session = app.post("/v1/auth/sessions", &login).expect(201);
        assert_eq!(session.json["account"]["deletion_executes_at"], accepted.json["executes_at"]);
        let again = Person::of(&person.phone, &session);
        assert_eq!(again.account_id, person.account_id);
        for _ in 0..2 {
            let refused = app.get("/v1/profile", &again.token).expect_problem(403, "account-closing");
            assert_eq!(refused.json["executes_at"], accepted.json["executes_at"]);
        }
        let current = app.get("/v1/auth/sessions/current", &again.token).expect(200);
        assert_eq!(current.json["account"]["deletion_executes_at"], accepted.json["executes_at"]);
        let state = app.get(PATH, &again.token).expect(200);
        assert_eq!(state.json["executes_at"], accepted.json["executes_at"]);
        // Asking again, later, does not put it off.
        app.clock().advance(DAY);
        let later = ask(&app, &again, false).expect(202);
        assert_eq!(later.json["executes_at"], accepted.json["executes_at"]);
        let again = log_in_again(&app, &person);
        take_back(&app, &again).expect(204);
        take_back(&app, &again).expect(204);
        app.get("/v1/profile", &again.token).expect(200);
        let state = app.get(PATH, &again.token).expect(200);
        assert_eq!(state.json["executes_at"], Value::Null);
        let current = app.get("/v1/auth/sessions/current", &again.token).expect(200);
        assert_eq!(current.json["account"]["deletion_executes_at"], Value::Null);
        app.log().event_with("deletion-requested", "reason", "privacy");
    }

    // clause R5
    fn who_leaves_is_shown_to_nobody(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        let (other, _) = buyer(&shop);
        let person = customer(app);
        for person in [&other, &person] {
            app.consent(person, "location", true).expect(200);
            app.locate(person, 24.4798, 118.0894).expect(200);
            let city = json!({ "city": "350200" }).to_string();
            let patch = app.request("PATCH", "/v1/profile").token(&person.token);
            patch.body("application/merge-patch+json", city).send().expect(200);
        }
        let avatar = app.upload(&person, "avatar", "image/png", &crate::pictures::png("face"));
        let link = app.get(&format!("/v1/uploads/{avatar}/link"), &other.token).expect(200).text("/url");
        let tip = json!({ "to": person.account_id, "coins": 1 });
        post(app, &other, "/v1/tips", &tip).expect(201);
        let profile = format!("/v1/profiles/{}", person.account_id);
        let sees = || {
            let of = |path: &str| app.all_pages(&other, path).len();
            [of("/v1/nearby/people"), of("/v1/nearby/city"),
             usize::from(app.get(&profile, &other.token).status == 200),
             usize::from(app.get(&format!("/v1/uploads/{avatar}/link"), &other.token).status == 200),
             usize::from(app.open_link(&link).status == 200),
             of("/v1/blocks")]
        };
        let entries = || app.get("/v1/wallet/entries", &other.token).expect(200).json["items"].clone();
        assert_eq!(sees(), [1, 1, 1, 1, 1, 0]);
        assert_eq!(entries()[0]["other"], json!(person.account_id));
        ask(app, &person, true).expect(202);
        assert_eq!(rows_of(app, "locations", &person.account_id), 0);
        let block = format!("/v1/blocks/{}", person.account_id);
        app.request("PUT", &block).token(&other.token).send().expect(204);
        assert_eq!(sees(), [0; 6]);
        assert_eq!(entries()[0]["other"], Value::Null);
        post(app, &other, "/v1/tips", &tip).expect_problem(404, "not-found");
        let again = log_in_again(app, &person);
        take_back(app, &again).expect(204);
        app.request("DELETE", &block).token(&other.token).send().expect(204);
        assert_eq!(app.get(&profile, &other.token).status, 200);
        assert_eq!(entries()[0]["other"], json!(person.account_id));
    }

    // clause L5, R5
    fn coins_and_open_orders_are_named_before_they_are_lost(builder: Builder) {
        let shop = open(builder.variable("deletion_grace_days", "0"));
        let app = &shop.app;
        let (person, _) = buyer(&shop);
        order(app, &person, "alipay-app").expect(201);
        let mut body = request_body(app, &person, false);
        let refused = app.request("POST", PATH).token(&person.token).json(&body)
            .expect_problem(409, "balance-remaining");
        let remaining = json!({ "coins": COINS, "pending_orders": 1 });
        assert_eq!(refused.json["remaining"], remaining);
        assert_eq!(app.get(PATH, &person.token).expect(200).json["remaining"], remaining);
        app.get("/v1/profile", &person.token).expect(200);
        // The code is good still.
        body["forfeit"] = true.into();
        let accepted = app.request("POST", PATH).token(&person.token).json(&body).expect(202);
        assert_eq!(accepted.json["remaining"], remaining);
        assert!(!exists(app, &person.account_id));
        // The orders stay, and lead to nobody.
        assert_eq!(app.database().count("SELECT COUNT(*) FROM orders"), 2);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM wallets"), 0);
        ledger_holds(app);
    }

    // clause L5, R5
    fn nothing_but_a_code_is_asked_for(app: App) {
        let person = app.someone();
        let ask = |body: &Value| app.request("POST", PATH).token(&person.token).json(body);
        for purpose in ["login", "password"] {
            let code = app.sms_code(&person.phone, purpose);
            ask(&json!({ "code": code, "reason": "other" })).expect_problem(401, "credentials-invalid");
        }
        let code = app.sms_code(&person.phone, "delete");
        for extra in ["photo", "face", "id_number"] {
            ask(&json!({ "code": code, "reason": "other", extra: "x" })).expect(422);
        }
        ask(&json!({ "code": code, "reason": "because of 王小明" })).expect(422);
        app.request("POST", PATH).json(&json!({ "code": code, "reason": "other" }))
            .expect_problem(401, "unauthenticated");
        app.get("/v1/profile", &person.token).expect(200);
        ask(&json!({ "code": code, "reason": "other" })).expect(202);
    }

    // clause R5
    [stand_in] fn a_login_from_before_cannot_be_repeated(app: App) {
        app.clock().stop();
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        let login = App::login(&phone, &code, &Device::new("device-1"));
        let person = Person::of(&phone, &app.post("/v1/auth/sessions", &login).expect(201));
        app.post("/v1/auth/sessions", &login).expect(201);
        ask(&app, &person, false).expect(202);
        app.post("/v1/auth/sessions", &login).expect_problem(401, "credentials-invalid");
    }

    // clause R5
    [stand_in] fn the_account_goes_when_its_time_has_come(builder: Builder) {
        let app = builder.with_guards_probe().start();
        app.clock().stop();
        let people: Vec<_> = (0..6).map(|_| app.someone()).collect();
        let stays = app.someone();
        for person in &people {
            ask(&app, person, false).expect(202);
        }
        app.clock().advance(7 * DAY - SECOND);
        assert_eq!(execute(&app), json!({ "done": 0, "more": false }));
        app.clock().advance(SECOND);
        // Until it begins, nobody is late.
        let late = log_in_again(&app, &people[5]);
        take_back(&app, &late).expect(204);
        ask(&app, &late, false).expect(202);
        assert_eq!(execute(&app), json!({ "done": 5, "more": true }));
        assert_eq!(execute(&app), json!({ "done": 0, "more": false }));
        app.clock().advance(7 * DAY);
        assert_eq!(execute(&app), json!({ "done": 1, "more": false }));
        for person in &people {
            assert!(!exists(&app, &person.account_id));
        }
        app.get("/v1/auth/sessions/current", &stays.token).expect(200);
        // The number is nobody's, and can be somebody's again.
        let new = log_in_again(&app, &people[0]);
        assert_ne!(new.account_id, people[0].account_id);
        let profile = app.get("/v1/profile", &new.token).expect(200);
        assert_eq!(profile.json["completeness"], 0);
    }

    // clause R5
    [stand_in] fn what_has_begun_is_not_taken_back(app: App) {
        let person = app.someone();
        ask(&app, &person, false).expect(202);
        let person = log_in_again(&app, &person);
        app.database().rows("UPDATE accounts SET closes_at = 0 RETURNING id");
        take_back(&app, &person).expect_problem(409, "deletion-begun");
        app.get("/v1/profile", &person.token).expect_problem(403, "account-closing");
        app.get(PATH, &person.token).expect(200);
    }

    // clause R5
    fn the_grace_is_two_weeks_at_most(builder: Builder) {
        let app = builder.variable("deletion_grace_days", "15").start();
        let person = app.someone();
        ask(&app, &person, false).expect_problem(500, "internal");
        app.get("/v1/profile", &person.token).expect(200);
    }

    // clause R5, C1, R8
    [stand_in] fn the_key_is_destroyed_and_its_tombstone_goes_with_the_backups(builder: Builder) {
        a_key_ends(builder, "key-value");
    }

    // clause R5, C1, R8
    [stand_in] fn a_key_in_the_database_ends_the_same_way(builder: Builder) {
        a_key_ends(builder, "sql");
    }

    // clause D2
    [stand_in] fn the_proofs_of_consent_stay_three_years_under_a_pseudonym(builder: Builder) {
        let builder = builder.variable("deletion_grace_days", "0").variable("backup_days", "1");
        let app = builder.with_guards_probe().start();
        app.clock().stop();
        let person = app.someone();
        app.consent(&person, "location", true).expect(200);
        let consents = app.database().rows("SELECT version, given_at FROM policy_consents");
        ask(&app, &person, false).expect(202);
        assert_eq!(consents, app.database().rows("SELECT version, given_at FROM policy_consents"));
        let kept = || {
            ["policy_consents", "consent_events", "deletions"]
                .map(|table| app.database().count(&format!("SELECT COUNT(*) FROM {table}")))
        };
        assert_eq!(kept(), [1, 1, 1]);
        for table in ["policy_consents", "consent_events"] {
            assert_eq!(rows_of(&app, table, &person.account_id), 0, "{table}");
        }
        app.clock().advance(2 * DAY);
        execute(&app);
        app.clock().advance((3 * 365 + 1 - 2) * DAY - SECOND);
        execute(&app);
        assert_eq!(kept(), [1, 1, 1]);
        app.clock().advance(SECOND);
        assert_eq!(execute(&app), json!({ "done": 1, "more": false }));
        assert_eq!(kept(), [0, 0, 0]);
    }

    // clause R5, R7
    fn an_operator_deletes_for_who_asked_otherwise(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let body = json!({ "identity": "phone-number", "reason": "requested" });
        let id = &person.account_id;
        operator_deletes(&app, &person.token, id, &body).expect(401);
        for token in [REVIEWER.token, ACCOUNTANT.token] {
            operator_deletes(&app, token, id, &body).expect_problem(403, "operator-role");
        }
        for broken in [json!({ "reason": "requested" }), json!({ "identity": "厦门路 9 号", "reason": "requested" })] {
            operator_deletes(&app, ADMIN.token, id, &broken).expect(422);
        }
        app.get("/v1/profile", &person.token).expect(200);
        let nobody = "0198c5a0-0000-7000-8000-000000000000";
        operator_deletes(&app, ADMIN.token, nobody, &body).expect_problem(404, "not-found");
        let accepted = operator_deletes(&app, ADMIN.token, id, &body).expect(202);
        assert_eq!(accepted.json["remaining"], json!({ "coins": 0, "pending_orders": 0 }));
        app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
        let recorded = app.database().count(&format!(
            "SELECT COUNT(*) FROM operator_audit WHERE subject = '{id}' \
               AND operator = '{}' AND action = 'account.delete:requested:phone-number'", ADMIN.name
        ));
        assert_eq!(recorded, 1);
        take_back(&app, &log_in_again(&app, &person)).expect(204);
    }

    // clause M1, R5
    fn a_minors_account_goes_at_once_and_the_record_says_by_which_report(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let unknown = "0198c5a0-0000-7000-8000-000000000000";
        for (body, violation) in [
            (json!({ "reason": "minor" }), "request:missing"),
            (json!({ "reason": "minor", "identity": "guardian" }), "request:missing"),
            (json!({ "reason": "minor", "request": unknown }), "request:unknown-request"),
            (json!({ "reason": "requested" }), "identity:missing"),
        ] {
            operator_deletes(&app, ADMIN.token, &person.account_id, &body).expect_violations(&[violation]);
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM operator_audit"), 0);
        // Nobody was made sure of, and nothing has to say so.
        let report = report_minor(&app, &person);
        let of_another = report_minor(&app, &app.someone());
        let another = app.request("POST", "/v1/requests").token(&person.token)
            .json(&json!({ "kind": "access", "text": "x" })).expect(201).text("/id");
        for (reason, request) in [("minor", &of_another), ("minor", &another), ("requested", &report)] {
            let body = json!({ "reason": reason, "request": request, "identity": "account-details" });
            operator_deletes(&app, ADMIN.token, &person.account_id, &body)
                .expect_violations(&["request:unknown-request"]);
        }
        app.database().rows("DELETE FROM operator_audit WHERE id <> '' RETURNING id");
        let body = json!({ "reason": "minor", "request": report });
        operator_deletes(&app, ADMIN.token, &person.account_id, &body).expect(202);
        assert!(!exists(&app, &person.account_id));
        assert_eq!(rows_of(&app, "sessions", &person.account_id), 0);
        // The record stays, and names nobody, whatever is asked for afterwards.
        operator_deletes(&app, ADMIN.token, &person.account_id, &body).expect_problem(404, "not-found");
        app.request("POST", &format!("/v1/operator/accounts/{}/freeze", person.account_id)).token(ADMIN.token).send()
            .expect_problem(404, "not-found");
        let recorded = json!({
            "account_id": person.account_id, "kind": "access", "text": "x", "identity": "guardian",
        });
        app.request("POST", "/v1/operator/requests").token(ADMIN.token).json(&recorded)
            .expect_violations(&["account_id:account"]);
        let records = app.database().rows("SELECT action, subject FROM operator_audit");
        let mut records: Vec<_> = records.iter().map(|row| (row[0].to_string(), row[1].to_string())).collect();
        // Those of the same millisecond have no order.
        records.sort();
        let pseudonym = app.database().rows("SELECT pseudonym FROM deletions")[0][0].to_string();
        let deleted = format!("account.delete:minor:unchecked:{report}");
        let mut expected = [
            (deleted.as_str(), pseudonym.as_str()),
            (deleted.as_str(), "gone"),
            ("account.freeze", "gone"),
            ("request.record", "gone"),
        ].map(|(action, subject)| (action.to_owned(), subject.to_owned()));
        expected.sort();
        assert_eq!(records, expected);
    }

    // clause R5, E15
    fn an_operator_too_names_what_is_lost(builder: Builder) {
        let shop = open(builder.variable("deletion_grace_days", "0"));
        let (person, _) = buyer(&shop);
        let mut body = json!({ "identity": "account-details", "reason": "requested" });
        let refused = operator_deletes(&shop.app, ADMIN.token, &person.account_id, &body);
        let refused = refused.expect_problem(409, "balance-remaining");
        assert_eq!(refused.json["remaining"]["coins"], COINS);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        body["forfeit"] = true.into();
        operator_deletes(&shop.app, ADMIN.token, &person.account_id, &body).expect(202);
        assert!(!exists(&shop.app, &person.account_id));
        ledger_holds(&shop.app);
    }

    // clause M1
    fn unspent_coins_keep_no_minor_here(builder: Builder) {
        let shop = open(builder);
        let (minor, _) = buyer(&shop);
        let body = json!({ "reason": "minor", "request": report_minor(&shop.app, &minor) });
        let accepted = operator_deletes(&shop.app, ADMIN.token, &minor.account_id, &body).expect(202);
        assert_eq!(accepted.json["remaining"]["coins"], COINS);
        assert!(!exists(&shop.app, &minor.account_id));
        ledger_holds(&shop.app);
    }

    // clause R8
    fn without_a_restored_backup_a_replay_deletes_nobody(builder: Builder) {
        let app = builder.variable("deletion_grace_days", "0").with_operators().start();
        let (gone, stays) = (app.someone(), app.someone());
        ask(&app, &gone, false).expect(202);
        assert_eq!(replay(&app), (0, 0));
        app.get("/v1/profile", &stays.token).expect(200);
        let request = app.request("POST", "/v1/operator/deletions/replay").token(REVIEWER.token);
        request.json(&json!({ "after": null })).expect_problem(403, "operator-role");
    }

    // clause R5
    fn whoever_got_data_is_to_be_told_once(builder: Builder) {
        let shop = open(builder.variable("deletion_grace_days", "0"));
        let app = &shop.app;
        let (person, _) = buyer(&shop);
        order(app, &person, "alipay-app").expect(201);
        order(app, &person, "wechat-app").expect(201);
        ask(app, &person, true).expect(202);
        let notices = app.database().rows("SELECT recipient FROM recipient_notices ORDER BY recipient");
        let recipients: Vec<_> = notices.iter().map(|row| row[0].to_string()).collect();
        assert_eq!(recipients, ["alipay", "wechat-pay"]);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
    }
}
