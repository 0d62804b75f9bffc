//! `/v1/internal/sweep`: what is kept goes when its time is over, and not before.

use std::thread;
use std::time::Duration;

use api_tests::{
    ACCOUNTANT, ADMIN, Answer, App, Builder, DAY, HOUR, REVIEWER, SCHEDULER, on_both_engines,
};
use serde_json::{Value, json};
use shared::data_map::{Retention, TABLES, THREE_YEARS};

use crate::faults::{self, Attempt, again};
use crate::payment::{Shop, buyer, customer, open, post, refund};

/// No request of the sweep makes more calls.
const MOST_SWEEPS: usize = 100;

/// Calls for what is due, as scripts/up does each minute.
pub fn sweep(app: &App) -> Answer {
    let request = app.request("POST", "/v1/internal/sweep");
    request.token(SCHEDULER.token).json(&json!({}))
}

/// Calls for what is due until nothing is.
pub fn sweep_all(app: &App) {
    for _ in 0..MOST_SWEEPS {
        if sweep(app).expect(200).json["more"] == false {
            return;
        }
    }
    panic!("the sweep never ends");
}

fn rows(app: &App, table: &str) -> i64 {
    app.database()
        .count(&format!("SELECT COUNT(*) FROM {table}"))
}

/// Someone with something in every table that has an end, as of now.
fn lived_in(builder: Builder) -> Shop {
    let shop = open(builder);
    let app = &shop.app;
    app.clock().stop();
    let (person, order) = buyer(&shop);
    let other = customer(app);
    let gift = json!({ "to": other.account_id, "gift": "flower", "note": "谢谢" });
    post(app, &person, "/v1/gifts", &gift).expect(201);
    refund(app, &order, &json!({ "amount_fen": 100 })).expect(200);
    app.consent(&person, "location", true).expect(200);
    app.locate(&person, 24.4798, 118.0894).expect(200);
    app.get("/v1/operator/payment-anomalies", ADMIN.token)
        .expect(200);
    // What other functions write, as they write it.
    let (id, now) = (|n: u32| identifier(app, n), app.clock().now_ms());
    let account = &person.account_id;
    for statement in [
        format!(
            "INSERT INTO payment_anomalies (id, channel, notification_id, reason, content, created_at) \
             VALUES ('{}', 'alipay', 'n', 'unknown-order', '', {now}) RETURNING id",
            id(1)
        ),
        format!(
            "INSERT INTO requests (id, account_id, kind, text, status, identity, received_at, due_at, \
               calendar, closed_at) \
             VALUES ('{}', '{account}', 'access', 'sealed', 'answered', 'session', {now}, {now}, 'known', \
               {now}) RETURNING id",
            id(2)
        ),
        format!(
            "INSERT INTO requests (id, account_id, kind, text, status, identity, received_at, due_at, calendar) \
             VALUES ('{}', '{account}', 'access', 'sealed', 'open', 'session', {now}, {now}, 'known') \
             RETURNING id",
            id(3)
        ),
        format!(
            "INSERT INTO announcements \
               (id, cause, kind, content, is_public, audience, step, created_at, delivered_at) \
             VALUES ('{}', 'c', 'policy-minor', '', 0, 'everybody', '', {now}, {now}) RETURNING id",
            id(4)
        ),
        format!(
            "INSERT INTO notices (account_id, announcement_id, created_at) VALUES ('{account}', '{}', {now}) \
             RETURNING account_id",
            id(4)
        ),
        format!(
            "INSERT INTO exports (id, account_id, email, status, step, parts, created_at, due_at, expires_at) \
             VALUES ('{}', '{account}', 'sealed', 'expired', '', 1, {now}, {now}, {}) RETURNING id",
            id(5),
            now + 24 * 60 * 60 * 1000
        ),
        format!(
            "INSERT INTO export_parts (export_id, ordinal, name, content, next) VALUES ('{}', 1, 'a', 'sealed', '') \
             RETURNING ordinal",
            id(5)
        ),
    ] {
        app.database().rows(&statement);
    }
    shop
}

/// An identifier of now, which sorts as those do that the application makes.
fn identifier(app: &App, number: u32) -> String {
    let millis = u64::try_from(app.clock().now_ms()).expect("after 1970");
    let mut random = [0; 10];
    random[6..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string()
}

/// So many limits that ended at this moment, in milliseconds since 1970.
fn pile_up(app: &App, number: usize, ends_at: i64) {
    let rows: Vec<_> = (0..number)
        .map(|nth| format!("('{nth}', 1, 1, {ends_at})"))
        .collect();
    app.database().insert("rate_limits", &rows);
}

/// The tables that the map says end with their rows' own time, or after three years.
fn swept(retention: Retention) -> impl Iterator<Item = &'static str> {
    let tables = TABLES
        .iter()
        .filter(move |table| table.retention == retention);
    tables.map(|table| table.name)
}

/// Living people's sessions end a month after their last use; all other rows of the kind within a day.
const MONTH: Duration = Duration::from_secs(31 * 24 * 60 * 60);

on_both_engines! {
    // clause D2
    [stand_in] fn nothing_goes_before_its_time_and_everything_soon_after(builder: Builder) {
        let shop = lived_in(builder);
        let app = &shop.app;
        let ending: Vec<_> = swept(Retention::RowExpiry).filter(|table| *table != "uploads").collect();
        let old: Vec<_> = swept(Retention::ThreeYears).collect();
        let counted = |tables: &[&'static str]| -> Vec<(&'static str, i64)> {
            tables.iter().map(|table| (*table, rows(app, table))).collect()
        };
        for (table, count) in counted(&ending).into_iter().chain(counted(&old)) {
            assert!(count > 0, "{table}: the test has nothing there");
        }
        let kept: Vec<_> = TABLES
            .iter()
            .map(|table| table.name)
            .filter(|table| !ending.contains(table) && !old.contains(table) && *table != "uploads")
            // The closed days are sealed meanwhile.
            .filter(|table| *table != "ledger_seals")
            .collect();
        let before = (counted(&old), counted(&kept));

        sweep_all(app);
        for table in &ending {
            assert!(rows(app, table) > 0, "{table} went at once");
        }
        app.clock().advance(DAY + HOUR);
        sweep_all(app);
        for table in ending.iter().filter(|table| **table != "sessions") {
            assert_eq!(rows(app, table), 0, "{table}");
        }
        assert!(rows(app, "sessions") > 0);
        app.clock().advance(MONTH);
        sweep_all(app);
        assert_eq!(rows(app, "sessions"), 0);

        app.clock().advance(THREE_YEARS - MONTH - DAY * 3);
        sweep_all(app);
        assert_eq!((counted(&old), counted(&kept)), before, "three years are the law's minimum");

        app.clock().advance(DAY * 3);
        sweep_all(app);
        for table in &old {
            // What is still to be answered is not old.
            assert_eq!(rows(app, table), i64::from(*table == "requests"), "{table}");
        }
        assert_eq!(counted(&kept), before.1);
        assert_eq!(rows(app, "ledger_seals"), 1);
        let (is_content, said) = app.ledger_check_at(&format!("@{}", app.clock().now_ms() / 1000));
        assert!(is_content, "{said}");
    }

    // clause D2
    [stand_in] fn a_backlog_goes_in_bounded_parts(builder: Builder) {
        let app = builder.with_operators().start();
        app.clock().stop();
        pile_up(&app, 1200, app.clock().now_ms());
        let mut left = Vec::new();
        loop {
            let swept = sweep(&app).expect(200);
            left.push(rows(&app, "rate_limits"));
            if swept.json["more"] == false {
                break;
            }
        }
        assert_eq!(left, [700, 200, 0]);
    }

    // clause D2
    fn the_script_goes_on_while_more_is_due(builder: Builder) {
        let app = builder.with_operators().start();
        pile_up(&app, 1200, 1);
        let (is_content, said) = app.sweep_by_script("nobody");
        assert!(!is_content && said.contains("401"), "{said}");
        assert_eq!(rows(&app, "rate_limits"), 1200);
        assert_eq!(app.sweep_by_script(SCHEDULER.token), (true, String::new()));
        assert_eq!(rows(&app, "rate_limits"), 0);
    }

    // clause D2
    fn only_an_operator_for_it_may_sweep(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let ask = |token: &str| app.request("POST", "/v1/internal/sweep").token(token).json(&json!({}));
        ask(&person.token).expect_problem(401, "unauthenticated");
        for operator in [REVIEWER, ACCOUNTANT] {
            ask(operator.token).expect_problem(403, "operator-role");
        }
        for operator in [SCHEDULER, ADMIN] {
            ask(operator.token).expect(200);
        }
        // And it may do nothing else.
        app.get("/v1/operator/reviews", SCHEDULER.token).expect_problem(403, "operator-role");
    }

    // clause D2
    [stand_in] fn one_part_that_fails_stops_no_other(builder: Builder) {
        let shop = lived_in(builder);
        let app = &shop.app;
        app.clock().advance(DAY + HOUR);
        let capability = match app.database().engine() {
            api_tests::Engine::Sqlite => "sqlite",
            api_tests::Engine::Postgres => "postgres",
        };
        // The first call opens the database, the next is the first table's.
        app.faults().error(capability, 2);
        let swept = sweep(app).expect(200).json;
        app.faults().clear();
        let parts = swept["parts"].as_array().expect("parts");
        let failed: Vec<_> = parts.iter().filter(|part| part["failed"] == true).collect();
        assert_eq!(failed.len(), 1, "{swept}");
        let done = |part: &Value| part["done"].as_i64().expect("a number");
        assert!(parts.iter().map(done).sum::<i64>() > 1);
        sweep_all(app);
        for table in ["sms_codes", "locations", "idempotency_keys", "exports"] {
            assert_eq!(rows(app, table), 0, "{table}");
        }
    }

    // clause D2
    [stand_in] fn a_sweep_that_is_stopped_is_finished_by_the_next(builder: Builder) {
        let app = builder.with_operators().start();
        faults::sweep(
            &app,
            |app, _| {
                let now = app.clock().now_ms();
                app.database().rows(&format!(
                    "INSERT INTO rate_limits (bucket, taken, allowed, ends_at) VALUES ('due', 1, 1, {now}), \
                       ('not due', 1, 1, {}) ON CONFLICT DO NOTHING RETURNING taken",
                    now + 1
                ));
                let path = "/v1/internal/sweep";
                ((), Attempt::new("POST", path, Some(SCHEDULER.token), json!({})))
            },
            again,
            |app, (), _| {
                let left = app.database().rows("SELECT bucket FROM rate_limits");
                assert_eq!(left.len(), 1, "{left:?}");
                assert_eq!(left[0][0].to_string(), "not due");
            },
        );
    }

    // clause D2
    [stand_in] fn two_sweeps_at_once_do_the_same_as_one(builder: Builder) {
        let shop = lived_in(builder);
        let app = &shop.app;
        app.clock().advance(MONTH);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| sweep(app).expect(200));
            }
        });
        sweep_all(app);
        for table in swept(Retention::RowExpiry) {
            assert_eq!(rows(app, table), 0, "{table}");
        }
        crate::payment::ledger_holds(app);
    }
}
