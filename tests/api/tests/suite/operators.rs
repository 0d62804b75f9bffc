//! Operators: who may look and decide, and the trail that they leave.

use std::collections::HashSet;

use api_tests::{
    ACCOUNTANT, ADMIN, Answer, App, Builder, Engine, Person, REVIEWER, on_both_engines,
};
use serde_json::{Value, json};
use shared::data_map::{Retention, TABLES};
use shared::time::Timestamp;

use crate::plans::statements;

const UNKNOWN: &str = "0198c5a0-0000-7000-8000-00000000000f";
const AUDITED: &str = "SELECT COUNT(*) FROM operator_audit";
/// No request of an operator makes more calls to the database.
const MOST_CALLS: usize = 40;

/// A request of an operator.
struct Deed {
    method: &'static str,
    path: String,
    body: Value,
    /// What the audit calls it, and about what.
    record: (&'static str, String),
}

impl Deed {
    fn send(&self, app: &App, token: &str) -> Answer {
        let request = app.request(self.method, &self.path).token(token);
        if self.body.is_null() {
            request.send()
        } else {
            request.json(&self.body)
        }
    }
}

/// Everything that an operator can do about the review `id`.
fn deeds(id: &str) -> [Deed; 4] {
    let decision = |outcome: &str, action| Deed {
        method: "POST",
        path: format!("/v1/operator/reviews/{id}/decision"),
        body: json!({ "outcome": outcome, "reason": "证件照片不清晰" }),
        record: (action, id.to_owned()),
    };
    [
        Deed {
            method: "GET",
            path: "/v1/operator/reviews".to_owned(),
            body: Value::Null,
            record: ("review.list", String::new()),
        },
        Deed {
            method: "GET",
            path: format!("/v1/operator/reviews/{id}"),
            body: Value::Null,
            record: ("review.read", id.to_owned()),
        },
        decision("failed", "review.decide.failed"),
        decision("passed", "review.decide.passed"),
    ]
}

/// A person's enterprise under review; the photos' rows are made behind the application's back.
fn review(app: &App, person: &Person) -> String {
    app.complete_profile(person);
    app.consent(person, "enterprise-verification", true)
        .expect(200);
    let photo = |kind: &str| {
        let id = shared::random::id(Timestamp::now(), &mut shared::random::host());
        app.database().rows(&format!(
            "INSERT INTO uploads (id, account_id, purpose, kind, content_type, size, created_at, \
               completed_at, expires_at) \
             VALUES ('{id}', '{}', 'enterprise-verification', '{kind}', 'image/png', 5, 0, 0, \
                     9000000000000) RETURNING id",
            person.account_id
        ));
        id.to_string()
    };
    let body = json!({
        "company_name": "厦门满山科技有限公司",
        "uscc": "91350100M000100Y43",
        "business_card": photo("business-card"),
        "licence": photo("licence"),
    });
    app.request("POST", "/v1/verifications/enterprise")
        .token(&person.token)
        .json(&body)
        .expect(201)
        .text("/id")
}

fn status(app: &App, id: &str) -> String {
    let rows = app.database().rows(&format!(
        "SELECT status FROM verification_claims WHERE id = '{id}'"
    ));
    rows[0][0].to_string()
}

/// The record of what was just done: operator, action, subject.
pub fn new_record(app: &App, seen: &mut HashSet<String>) -> [String; 3] {
    let rows = app
        .database()
        .rows("SELECT id, operator, action, subject FROM operator_audit");
    let mut new = rows.iter().filter(|row| seen.insert(row[0].to_string()));
    let row = new.next().expect("a record");
    assert!(new.next().is_none(), "two records");
    [1, 2, 3].map(|at| row[at].to_string())
}

fn database_capability(app: &App) -> &'static str {
    match app.database().engine() {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}

on_both_engines! {
    // clause E8
    fn only_operators_who_may_review_come_in(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let id = review(&app, &person);
        for deed in deeds(&id) {
            app.request(deed.method, &deed.path)
                .json(&deed.body)
                .expect_problem(401, "unauthenticated");
            for token in [person.token.as_str(), "", "token-of-nobody", "TOKEN-OF-WANG"] {
                deed.send(&app, token).expect_problem(401, "unauthenticated");
            }
            deed.send(&app, ACCOUNTANT.token).expect_problem(403, "operator-role");
        }
        assert_eq!(app.database().count(AUDITED), 0);
        assert_eq!(status(&app, &id), "in_review");
    }

    // clause E8
    fn an_operators_token_is_no_session(builder: Builder) {
        let app = builder.with_operators().start();
        for path in ["/v1/profile", "/v1/verifications", "/v1/consents"] {
            app.get(path, ADMIN.token).expect_problem(401, "unauthenticated");
        }
    }

    // clause E8
    fn without_operators_nobody_comes_in(app: App) {
        for deed in deeds(UNKNOWN) {
            for token in [REVIEWER.token, ""] {
                deed.send(&app, token).expect_problem(401, "unauthenticated");
            }
        }
    }

    // clause E8
    fn both_roles_review(builder: Builder) {
        let app = builder.with_operators().start();
        for operator in [REVIEWER, ADMIN] {
            let id = review(&app, &app.someone());
            let [list, read, refuse, accept] = deeds(&id);
            let listed = list.send(&app, operator.token).expect(200);
            assert_eq!(listed.json["items"][0]["id"], id.as_str());
            let shown = read.send(&app, operator.token).expect(200);
            assert_eq!(shown.json["subject"]["name"], "厦门满山科技有限公司");
            assert_eq!(shown.json["photos"].as_array().map(Vec::len), Some(2));
            let decided = refuse.send(&app, operator.token).expect(200);
            assert_eq!(decided.json["status"], "failed");
            assert_eq!(decided.json["photos"], json!([]));
            accept.send(&app, operator.token).expect_problem(409, "already-decided");
        }
    }

    // clause C1
    fn operators_that_cannot_be_read_let_nobody_in_and_raise_an_alarm(builder: Builder) {
        let broken = format!("{}:reviewer", REVIEWER.name);
        let app = builder.variable("operator_tokens", &broken).start();
        for deed in deeds(UNKNOWN) {
            let answer = deed.send(&app, REVIEWER.token).expect(500);
            let event = app.log().event("problem", answer.request_id());
            assert_eq!(event["level"], "alarm", "{event}");
            assert!(event["cause"].as_str().is_some_and(|cause| cause.contains("operator_tokens")), "{event}");
            // The variable is a secret.
            for text in [String::from_utf8_lossy(&answer.body).into_owned(), event.to_string()] {
                assert!(!text.contains(&broken), "{text}");
            }
        }
    }

    // clause C1
    fn every_look_and_deed_is_recorded_with_its_operator(builder: Builder) {
        let app = builder.with_operators().start();
        let id = review(&app, &app.someone());
        let mut seen = HashSet::new();
        for subject in [UNKNOWN, id.as_str()] {
            for operator in [REVIEWER, ADMIN] {
                for deed in deeds(subject) {
                    let answer = deed.send(&app, operator.token);
                    assert!(matches!(answer.status, 200 | 404 | 409), "{answer:?}");
                    let (action, subject) = &deed.record;
                    assert_eq!(new_record(&app, &mut seen), [operator.name, action, subject]);
                }
            }
        }
    }

    // clause C1
    [stand_in] fn without_a_record_nothing_is_shown_or_done(builder: Builder) {
        let app = builder.with_operators().start();
        let capability = database_capability(&app);
        let mut id = review(&app, &app.someone());
        for at in 0..deeds(&id).len() {
            let mut is_through = false;
            for nth in 1..=MOST_CALLS {
                if status(&app, &id) != "in_review" {
                    id = review(&app, &app.someone());
                }
                let deed = &deeds(&id)[at];
                let before = app.database().count(AUDITED);
                app.faults().error(capability, nth);
                let answer = deed.send(&app, REVIEWER.token);
                is_through = app.faults().calls()
                    .iter()
                    .filter(|call| call.capability == capability)
                    .count() < nth;
                app.faults().clear();
                if is_through {
                    answer.expect(200);
                    break;
                }
                let recorded = app.database().count(AUDITED) - before;
                if recorded == 0 {
                    assert!(matches!(answer.status, 500 | 503), "{nth}: {answer:?}");
                    assert!(answer.json.get("items").is_none() && answer.json.get("subject").is_none());
                    assert_eq!(status(&app, &id), "in_review", "{nth}");
                }
                // The first calls open the connection and write the record.
                assert_eq!(recorded, i64::from(nth > 2), "{nth}: {answer:?}");
            }
            assert!(is_through, "it never came through");
        }
    }
}

// clause C1
#[test]
fn a_record_is_only_ever_added() {
    // When the account that it names is deleted, a pseudonym takes the name's place; nothing else changes.
    const PSEUDONYM: &str = "UPDATE operator_audit SET subject = $1 WHERE subject = $2";
    // After the law's three years it goes.
    let audit = TABLES
        .iter()
        .find(|table| table.name == "operator_audit")
        .expect("it is there");
    assert_eq!(audit.retention, Retention::ThreeYears);
    let sweep = audit
        .sweep
        .as_ref()
        .expect("it is swept")
        .statement()
        .sqlite();
    let mut inserts = 0;
    for (name, statement) in statements() {
        for text in [statement.sqlite(), statement.postgres()] {
            if text.contains("operator_audit") && ![PSEUDONYM, sweep].contains(&text) {
                assert!(text.starts_with("INSERT INTO operator_audit "), "{name}");
                assert!(!text.contains("ON CONFLICT"), "{name}");
                inserts += 1;
            }
        }
    }
    // Two statements, each in the words of both engines.
    assert_eq!(inserts, 4);
}
