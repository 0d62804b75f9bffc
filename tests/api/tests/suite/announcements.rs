//! `/v1/operator/announcements`, `/v1/policy/notices`, `/v1/notices`: what everybody is told, and people's inboxes.

use std::collections::BTreeSet;
use std::thread;

use api_tests::{
    ADMIN, Answer, App, Builder, DAY, Device, MINUTE, Person, REVIEWER, SECOND, on_both_engines,
};
use serde_json::{Value, json};

use crate::faults::{self, Attempt, again};
use crate::retention::{sweep, sweep_all};

const PATH: &str = "/v1/operator/announcements";
const UNKNOWN: &str = "0198c5a0-0000-7000-8000-00000000000f";

pub fn service() -> Value {
    json!({
        "kind": "service", "title": "附近的人上线", "text": "使用时收集您的位置,仅用于显示附近的人。",
        "purpose": "location",
    })
}

fn transfer(lower_standard: bool) -> Value {
    json!({
        "kind": "transfer", "title": "公司合并", "text": "您的个人信息将由接收方继续处理。",
        "receiver": { "name": "厦门新人脉科技有限公司", "contact": "privacy@example.com" },
        "lower_standard": lower_standard,
    })
}

pub fn announce(app: &App, key: &str, body: &Value) -> Answer {
    app.request("POST", PATH)
        .token(ADMIN.token)
        .header("idempotency-key", key)
        .json(body)
}

/// The first page of what is part of the policy.
fn public(app: &App) -> Vec<Value> {
    let answer = app.request("GET", "/v1/policy/notices").send().expect(200);
    answer.json["items"].as_array().expect("a list").clone()
}

fn inbox(app: &App, person: &Person) -> Vec<Value> {
    app.all_pages(person, "/v1/notices?limit=2")
}

fn read(app: &App, person: &Person, id: &str) -> Answer {
    let path = format!("/v1/notices/{id}/read");
    app.request("POST", &path).token(&person.token).send()
}

fn unread(app: &App, person: &Person) -> i64 {
    let session = app
        .get("/v1/auth/sessions/current", &person.token)
        .expect(200);
    session.json["unread_notices"].as_i64().expect("a number")
}

fn notices(app: &App) -> i64 {
    app.database().count("SELECT COUNT(*) FROM notices")
}

/// So many accounts, put into the database.
pub fn crowd(app: &App, size: u32) {
    let ids = (0..size).map(|n| format!("0198c5a0-0000-7000-8000-{n:012}"));
    let ids: Vec<_> = ids.collect();
    app.database().insert_accounts(&ids);
    let profiles = ids.iter().map(|id| format!("('{id}', 0, 0)"));
    let table = "profiles (account_id, version, hidden)";
    app.database().insert(table, &profiles.collect::<Vec<_>>());
}

on_both_engines! {
    // clause G3
    [stand_in] fn a_new_service_is_announced_and_asks_for_a_consent_of_its_own(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.complete_profile(&person);
        let id = announce(&app, "a", &service()).expect(201).text("/id");
        // It is part of the policy at once, with what it asks for.
        let listed = public(&app);
        assert_eq!(listed.len(), 1);
        assert_eq!((&listed[0]["id"], &listed[0]["kind"]), (&json!(id), &json!("service")));
        assert_eq!(listed[0]["content"]["purpose"], "location");
        let asked = app.get("/v1/consents", &person.token).expect(200).json["consents"].clone();
        let asked = asked.as_array().expect("a list").iter().find(|consent| consent["purpose"] == "location");
        let asked = asked.expect("it can be given");
        for member in ["purpose", "kind", "version", "title", "text"] {
            assert_eq!(listed[0]["consent"][member], asked[member], "{member}");
        }
        // Everybody is told, prominently.
        sweep_all(&app);
        let told = inbox(&app, &person);
        assert_eq!((&told[0]["id"], &told[0]["title"]), (&json!(id), &json!("附近的人上线")));
        assert_eq!((&told[0]["prominent"], &told[0]["read_at"]), (&json!(true), &Value::Null));
        assert_eq!(unread(&app, &person), 1);
        // Having been told is no consent.
        app.locate(&person, 24.4798, 118.0894).expect_problem(403, "consent-required");
        read(&app, &person, &id).expect(204);
        app.locate(&person, 24.4798, 118.0894).expect_problem(403, "consent-required");
        app.consent(&person, "location", true).expect(200);
        app.locate(&person, 24.4798, 118.0894).expect(200);
    }

    // clause G3, T4
    fn each_kind_has_its_members_and_no_others(builder: Builder) {
        let app = builder.with_operators().start();
        let changed = |mut body: Value, member: &str, value: Value| {
            if value.is_null() {
                body.as_object_mut().expect("an object").remove(member);
            } else {
                body[member] = value;
            }
            body
        };
        for (body, violations) in [
            (changed(service(), "purpose", Value::Null), &["purpose:missing"][..]),
            (changed(service(), "purpose", json!("everything")), &["purpose:unknown-purpose"]),
            (changed(service(), "purpose", json!("account")), &["purpose:basic"]),
            (changed(service(), "lower_standard", json!(false)), &["lower_standard:unknown"]),
            (changed(service(), "title", json!("")), &["title:length"]),
            (changed(service(), "text", json!("长".repeat(5001))), &["text:length"]),
            (changed(transfer(false), "receiver", Value::Null), &["receiver:missing"]),
            (changed(transfer(false), "lower_standard", Value::Null), &["lower_standard:missing"]),
            (changed(transfer(false), "purpose", json!("location")), &["purpose:unknown"]),
            (changed(transfer(false), "policy_version", json!("2027-01-01")), &["policy_version:unknown"]),
            (
                changed(transfer(false), "receiver", json!({ "name": " ", "contact": "" })),
                &["receiver.contact:length", "receiver.name:length"],
            ),
            (changed(transfer(false), "receiver", json!({ "name": "x" })), &["receiver.contact:missing"]),
            (changed(service(), "kind", json!("breach")), &["kind:invalid"]),
        ] {
            announce(&app, "a", &body).expect_violations(violations);
        }
        assert!(public(&app).is_empty());
    }

    // clause T4
    [stand_in] fn a_transfer_names_its_receiver_to_each_account_before_it(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let id = announce(&app, "a", &transfer(false)).expect(201).text("/id");
        sweep_all(&app);
        for told in [inbox(&app, &person), public(&app)] {
            assert_eq!((&told[0]["id"], &told[0]["kind"]), (&json!(id), &json!("transfer")));
            assert_eq!(told[0]["content"]["receiver"], transfer(false)["receiver"]);
        }
        assert_eq!(public(&app)[0]["consent"], Value::Null);
        // The standard is no lower, so nobody is asked again.
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send().expect(204);
    }

    // clause T4
    [stand_in] fn a_transfer_to_a_lower_standard_asks_again(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let mut lower = transfer(true);
        announce(&app, "a", &lower).expect_problem(409, "transfer-needs-consent");
        for (version, change) in [("2027-01-01", "minor"), ("2027-01-02", "contact")] {
            app.publish_policy_version(version, change).expect(201);
            lower["policy_version"] = json!(version);
            announce(&app, "a", &lower).expect_problem(409, "transfer-needs-consent");
        }
        app.publish_policy_version("2027-01-03", "ownership").expect(201);
        let refused = announce(&app, "a", &lower).expect_problem(409, "transfer-needs-consent");
        assert_eq!(refused.text("/major_version"), "2027-01-03");
        lower["policy_version"] = json!("2027-01-03");
        announce(&app, "a", &lower).expect(201);
        sweep_all(&app);
        app.clock().advance(MINUTE);
        assert_eq!(inbox(&app, &person)[0]["content"]["policy_version"], "2027-01-03");
        // Nothing goes on until the person agrees, and that is on record.
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send()
            .expect_problem(403, "policy-consent-required");
        let consented = format!(
            "SELECT COUNT(*) FROM policy_consents WHERE account_id = '{}' AND version = '2027-01-03'",
            person.account_id
        );
        assert_eq!(app.database().count(&consented), 0);
        app.request("POST", "/v1/policy/consents").token(&person.token)
            .json(&json!({ "version": "2027-01-03" })).expect(204);
        assert_eq!(app.database().count(&consented), 1);
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send().expect(204);
    }

    fn the_same_key_makes_one_announcement_and_without_one_there_is_none(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let post = |token: &str| app.request("POST", PATH).token(token);
        post(ADMIN.token).json(&service()).expect_problem(400, "idempotency-key-required");
        post(&person.token).json(&service()).expect_problem(401, "unauthenticated");
        post(REVIEWER.token).json(&service()).expect_problem(403, "operator-role");
        let first = announce(&app, "a", &service()).expect(201);
        assert_eq!(announce(&app, "a", &service()).expect(201).json, first.json);
        // Also when the kept answer is gone.
        app.database().rows("DELETE FROM idempotency_keys WHERE taken_at > 0 RETURNING id");
        assert_eq!(announce(&app, "a", &service()).expect(201).json, first.json);
        assert_ne!(announce(&app, "b", &service()).expect(201).json, first.json);
        assert_eq!(public(&app).len(), 2);
        let audited = "SELECT COUNT(*) FROM operator_audit WHERE action = 'announcement.make'";
        assert_eq!(app.database().count(audited), 3);
    }

    [stand_in] fn an_inbox_is_newest_first_and_ones_own(builder: Builder) {
        let app = builder.with_operators().start();
        let (person, other) = (app.someone(), app.someone());
        let mut ids = Vec::new();
        for key in ["a", "b", "c", "d", "e"] {
            ids.insert(0, announce(&app, key, &service()).expect(201).text("/id"));
            app.clock().advance(SECOND);
        }
        sweep_all(&app);
        let listed = inbox(&app, &person);
        let listed: Vec<_> = listed.iter().map(|notice| notice["id"].as_str().expect("an id")).collect();
        assert_eq!(listed, ids);
        assert_eq!(unread(&app, &person), 5);
        read(&app, &person, &ids[1]).expect(204);
        let read_at = inbox(&app, &person)[1]["read_at"].clone();
        assert!(read_at.is_string());
        app.clock().advance(MINUTE);
        read(&app, &person, &ids[1]).expect(204);
        assert_eq!(inbox(&app, &person)[1]["read_at"], read_at, "the first time counts");
        assert_eq!((unread(&app, &person), unread(&app, &other)), (4, 5));
        for nothing in [UNKNOWN, "x"] {
            read(&app, &person, nothing).expect_problem(404, "not-found");
        }
        app.request("GET", "/v1/notices").send().expect_problem(401, "unauthenticated");
    }

    // clause N1
    [stand_in] fn notices_stay_open_to_who_has_not_agreed_and_to_who_is_leaving(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.publish_policy("2027-01-01", true);
        app.clock().advance(MINUTE);
        sweep_all(&app);
        let id = inbox(&app, &person)[0]["id"].as_str().expect("an id").to_owned();
        read(&app, &person, &id).expect(204);
        let closes_at = app.clock().now_ms() + 1_000_000_000;
        app.database().rows(&format!("UPDATE accounts SET closes_at = {closes_at} RETURNING id"));
        app.clock().advance(MINUTE);
        app.get("/v1/profile", &person.token).expect_problem(403, "account-closing");
        assert_eq!(inbox(&app, &person).len(), 1);
        read(&app, &person, &id).expect(204);
    }

    [stand_in] fn delivery_comes_in_parts_to_those_who_were_there(builder: Builder) {
        let app = builder.with_operators().start();
        crowd(&app, 1100);
        announce(&app, "a", &service()).expect(201);
        app.clock().advance(SECOND);
        let later = app.someone();
        for told in [500, 1000, 1100] {
            sweep(&app).expect(200);
            assert_eq!(notices(&app), told);
        }
        sweep_all(&app);
        assert_eq!(notices(&app), 1100);
        assert!(inbox(&app, &later).is_empty(), "it was announced before");
        let undelivered = "SELECT COUNT(*) FROM announcements WHERE delivered_at IS NULL";
        assert_eq!(app.database().count(undelivered), 0);
        announce(&app, "b", &service()).expect(201);
        sweep_all(&app);
        assert_eq!((notices(&app), inbox(&app, &later).len()), (2201, 1));
    }

    fn delivering_twice_at_once_tells_each_once(builder: Builder) {
        let app = builder.with_operators().start();
        crowd(&app, 1700);
        for key in ["a", "b"] {
            announce(&app, key, &service()).expect(201);
        }
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| sweep_all(&app));
            }
        });
        sweep_all(&app);
        assert_eq!(notices(&app), 3400);
    }

    fn an_account_that_goes_while_it_is_told_stops_nothing(builder: Builder) {
        let app = builder.with_operators().start();
        crowd(&app, 900);
        announce(&app, "a", &service()).expect(201);
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in (0..900).step_by(3) {
                    let id = format!("0198c5a0-0000-7000-8000-{n:012}");
                    app.database().rows(&format!("DELETE FROM accounts WHERE id = '{id}' RETURNING id"));
                }
            });
            scope.spawn(|| sweep_all(&app));
        });
        sweep_all(&app);
        let told = "SELECT COUNT(*) FROM accounts a WHERE EXISTS \
            (SELECT 1 FROM notices n WHERE n.account_id = a.id)";
        assert_eq!(app.database().count(told), 600);
    }

    // clause G3
    [stand_in] fn what_is_part_of_the_policy_outlives_its_delivery(builder: Builder) {
        let app = builder.with_operators().start();
        app.someone();
        announce(&app, "a", &service()).expect(201);
        app.publish_policy("2027-01-01", false);
        sweep_all(&app);
        app.clock().advance(3 * 366 * DAY);
        sweep_all(&app);
        assert_eq!((notices(&app), public(&app).len()), (0, 1));
        assert_eq!(app.database().count("SELECT COUNT(*) FROM announcements"), 1);
    }

    // clause D2
    [stand_in] fn a_notice_stays_three_years_from_when_it_came(builder: Builder) {
        let app = builder.with_operators().start();
        app.someone();
        announce(&app, "a", &service()).expect(201);
        app.clock().advance(10 * DAY);
        sweep_all(&app);
        // Three years after the announcement, and less after the notice.
        app.clock().advance(3 * 366 * DAY - 9 * DAY);
        sweep_all(&app);
        assert_eq!(notices(&app), 1);
        app.clock().advance(10 * DAY);
        sweep_all(&app);
        assert_eq!(notices(&app), 0);
    }

    // clause G3, T4
    [stand_in] fn announcing_bears_being_stopped_anywhere(builder: Builder) {
        let app = builder.with_operators().start();
        faults::sweep(
            &app,
            |app, name| {
                app.database().rows("DELETE FROM announcements WHERE id <> '' RETURNING id");
                let attempt = Attempt::new("POST", PATH, Some(ADMIN.token), transfer(false));
                (name.to_owned(), attempt.with_key(name))
            },
            |app, _, attempt| {
                let answer = attempt.send(app, true);
                if answer.status != 409 {
                    return answer;
                }
                app.clock().advance(MINUTE);
                attempt.send(app, true)
            },
            |app, _, answer| {
                let listed = public(app);
                assert_eq!((listed.len(), listed[0]["id"].as_str()), (1, Some(&*answer.text("/id"))));
            },
        );
    }

    [stand_in] fn delivering_bears_being_stopped_anywhere(builder: Builder) {
        let app = builder.with_operators().start();
        crowd(&app, 600);
        app.clock().stop();
        let people: Vec<_> = ["a", "b"].iter().map(|device| {
            app.log_in_on(&api_tests::mobile_number(), &Device::new(device))
        }).collect();
        faults::sweep(
            &app,
            |app, name| {
                app.database().rows("DELETE FROM notices WHERE account_id <> '' RETURNING account_id");
                app.database().rows("DELETE FROM announcements WHERE id <> '' RETURNING id");
                let id = announce(app, name, &service()).expect(201).text("/id");
                (id, Attempt::new("POST", "/v1/internal/sweep", Some(ADMIN.token), json!({})))
            },
            |app, _, attempt| {
                let answer = attempt.send(app, true);
                sweep_all(app);
                answer
            },
            |app, id, _| {
                assert_eq!(notices(app), 602);
                for person in &people {
                    let told: BTreeSet<_> =
                        inbox(app, person).iter().map(|notice| notice["id"].to_string()).collect();
                    assert_eq!(told, BTreeSet::from([format!("\"{id}\"")]));
                }
            },
        );
    }

    [stand_in] fn reading_bears_being_stopped_anywhere(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        faults::sweep(
            &app,
            |app, name| {
                let id = announce(app, name, &service()).expect(201).text("/id");
                sweep_all(app);
                let path = format!("/v1/notices/{id}/read");
                ((), Attempt::new("POST", path, Some(&person.token), Value::Null))
            },
            again,
            |app, (), _| assert_eq!(unread(app, &person), 0),
        );
    }
}
