//! `/v1/requests`: what people ask about their data, and by when they have an answer.

use std::collections::BTreeSet;

use api_tests::{Answer, App, Builder, DAY, MINUTE, Person, REVIEWER, on_both_engines};
use serde_json::{Value, json};
use shared::time::Timestamp;

use crate::faults::{Attempt, again, sweep};
use crate::privacy::is_nowhere;

/// What [`ask`] asks.
pub const TEXT: &str = "请告知你们持有我的哪些个人信息";

/// Asks.
pub fn post(app: &App, person: &Person, body: &Value) -> Answer {
    app.request("POST", "/v1/requests")
        .token(&person.token)
        .json(body)
}

/// A request of this kind; its identifier.
pub fn ask(app: &App, person: &Person, kind: &str) -> String {
    let body = json!({ "kind": kind, "text": TEXT });
    post(app, person, &body).expect(201).text("/id")
}

/// The request as the asker sees it.
pub fn read(app: &App, person: &Person, id: &str) -> Value {
    app.get(&format!("/v1/requests/{id}"), &person.token)
        .expect(200)
        .json
}

/// Sets the clock to noon of a day in China.
pub fn noon(app: &App, day: &str) {
    let start = Timestamp::start_of_china_date(day).expect("a date");
    app.clock().set(start.0 + 12 * 60 * 60 * 1000);
}

/// Deletes the account for good; the application was started with `deletion_grace_days` 0.
pub fn leave(app: &App, person: &Person) {
    let code = app.sms_code(&person.phone, "delete");
    app.request("POST", "/v1/account/deletion")
        .token(&person.token)
        .json(&json!({ "code": code, "reason": "other" }))
        .expect(202);
}

/// Looks for `wanted` in every column of every row.
pub fn is_in_no_row(app: &App, wanted: &[u8]) {
    for (table, _) in app.database().schema() {
        let rows = app.database().rows(&format!("SELECT * FROM {table}"));
        for cell in rows.iter().flatten() {
            let bytes = cell.bytes();
            let found = bytes.windows(wanted.len()).any(|window| window == wanted);
            assert!(!found, "{table}: {cell:?}");
        }
    }
}

/// Reports somebody.
fn report(app: &App, person: &Person, subject: &str, reason: &str) -> Answer {
    post(
        app,
        person,
        &json!({
            "kind": "report", "reason": reason, "subject": subject, "text": "此账号的使用者是中学生",
        }),
    )
}

fn requests(app: &App, person: &Person) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM requests WHERE account_id = '{}'",
        person.account_id
    ))
}

on_both_engines! {
    // clause R7, K1, E17
    [stand_in] fn an_answer_is_due_in_fifteen_working_days(app: App) {
        // Before Spring Festival, whose days do not count, but the Saturdays that are worked for it do.
        noon(&app, "2026-02-12");
        let person = app.someone();
        let asked = post(&app, &person, &json!({ "kind": "access", "text": TEXT })).expect(201);
        let id = asked.text("/id");
        let expected = json!({
            "id": id, "account_id": person.account_id, "kind": "access", "status": "open",
            "received_at": "2026-02-12T04:00:00.000Z", "due_at": "2026-03-11T16:00:00.000Z",
            "calendar": "known", "is_overdue": false, "closed_at": null, "reason": null, "subject": null,
            "identity": "session", "text": TEXT, "answer": null, "refusal": null, "fee": null,
        });
        assert_eq!(asked.json, expected);
        assert_eq!(read(&app, &person, &id), expected);
        let listed = app.get("/v1/requests", &person.token).expect(200);
        assert_eq!(listed.json["items"][0]["due_at"], "2026-03-11T16:00:00.000Z");
        app.clock().set(Timestamp::start_of_china_date("2026-03-12").expect("a date").0 - 1);
        assert_eq!(read(&app, &person, &id)["is_overdue"], false);
        noon(&app, "2026-03-12");
        assert_eq!(read(&app, &person, &id)["is_overdue"], true);
    }

    // clause R7
    [stand_in] fn where_the_holidays_are_not_known_yet_every_day_counts_and_it_says_so(app: App) {
        noon(&app, "2031-05-01");
        let person = app.someone();
        let asked = post(&app, &person, &json!({ "kind": "copy", "text": TEXT })).expect(201);
        assert_eq!(asked.text("/calendar"), "assumed");
        assert_eq!(asked.text("/due_at"), "2031-05-16T16:00:00.000Z");
    }

    // clause R7, C1
    fn only_who_asked_can_read_it(app: App) {
        let (person, other) = (app.someone(), app.someone());
        let mut ids: Vec<_> = ["access", "correction", "deletion", "copy", "complaint"]
            .map(|kind| ask(&app, &person, kind))
            .into();
        ids.sort();
        ids.reverse();
        let listed = app.all_pages(&person, "/v1/requests?limit=2");
        let listed: Vec<_> = listed.iter().map(|item| item["id"].clone()).collect();
        assert_eq!(listed, ids);
        for id in &ids {
            app.get(&format!("/v1/requests/{id}"), &other.token).expect_problem(404, "not-found");
        }
        assert_eq!(app.get("/v1/requests", &other.token).expect(200).json["items"], json!([]));
        for (method, path) in [("POST", "/v1/requests"), ("GET", "/v1/requests")] {
            app.request(method, path).json(&json!({ "kind": "access", "text": TEXT }))
                .expect_problem(401, "unauthenticated");
        }
    }

    fn what_is_asked_has_a_kind_and_a_plain_text(app: App) {
        let person = app.someone();
        for (body, violation) in [
            (json!({ "text": TEXT }), "kind:missing"),
            (json!({ "kind": "access" }), "text:missing"),
            (json!({ "kind": "money", "text": TEXT }), "kind:invalid"),
            (json!({ "kind": "access", "text": " \n " }), "text:length"),
            (json!({ "kind": "access", "text": "好".repeat(2001) }), "text:length"),
            (json!({ "kind": "access", "text": "a\u{0}b" }), "text:characters"),
            (json!({ "kind": "access", "text": TEXT, "identity": "session" }), "identity:unknown"),
            (json!({ "kind": "access", "text": TEXT, "reason": "minor" }), "reason:not-a-report"),
            (json!({ "kind": "deletion", "text": TEXT, "subject": person.account_id }), "subject:not-a-report"),
            (json!({ "kind": "report", "text": TEXT }), "reason:missing"),
            (json!({ "kind": "report", "text": TEXT, "reason": "ugly" }), "reason:invalid"),
        ] {
            post(&app, &person, &body).expect_violations(&[violation]);
        }
        assert_eq!(requests(&app, &person), 0);
        post(&app, &person, &json!({ "kind": "access", "text": "好".repeat(2000) })).expect(201);
    }

    [stand_in] fn so_many_a_day_are_taken(builder: Builder) {
        let app = builder.variable("requests_per_day", "2").start();
        app.clock().stop();
        let person = app.someone();
        let ask = |text: &str| post(&app, &person, &json!({ "kind": "complaint", "text": text }));
        ask("一").expect(201);
        ask("二").expect(201);
        ask("三").expect_problem(429, "rate-limited");
        // The same again is no other.
        ask("二").expect(201);
        app.clock().advance(DAY);
        ask("三").expect(201);
        assert_eq!(requests(&app, &person), 3);
    }

    fn asking_the_same_again_is_one_request(app: App) {
        let person = app.someone();
        let first = ask(&app, &person, "access");
        assert_eq!(ask(&app, &person, "access"), first);
        assert_ne!(ask(&app, &person, "copy"), first);
        let answers = [1, 2].map(|_| {
            app.request("POST", "/v1/requests").token(&person.token)
                .header("idempotency-key", "one").json(&json!({ "kind": "complaint", "text": TEXT }))
                .expect(201)
        });
        assert_eq!(answers[0].json, answers[1].json);
        assert_eq!(answers[1].header("idempotent-replayed"), Some("true"));
        assert_eq!(requests(&app, &person), 3);
    }

    // clause M1, E14
    fn anybody_can_be_reported_and_does_not_hear_of_it(app: App) {
        let (person, minor) = (app.someone(), app.someone());
        app.complete_profile(&minor);
        for reason in ["minor", "illegal-content", "impersonation", "infringement", "other"] {
            let answer = report(&app, &person, &minor.account_id, reason).expect(201);
            assert_eq!((answer.text("/reason"), answer.text("/subject")), (reason.into(), minor.account_id.clone()));
            assert_eq!(answer.text("/status"), "open");
        }
        // And it need not name anybody.
        post(&app, &person, &json!({ "kind": "report", "reason": "illegal-content", "text": "首页的图片" }))
            .expect(201);
        assert_eq!(app.get("/v1/requests", &minor.token).expect(200).json["items"], json!([]));
    }

    // clause E3, E14, R5
    fn a_report_tells_nobody_who_is_there(builder: Builder) {
        let app = builder.with_operators()
            .variable("requests_per_day", "100")
            .variable("deletion_grace_days", "7")
            .start();
        let (person, seen) = (app.someone(), app.someone());
        let (blocker, leaving, hidden) = (app.someone(), app.someone(), app.someone());
        for someone in [&seen, &blocker, &leaving] {
            app.complete_profile(someone);
        }
        let block = |method: &str, by: &Person, whom: &Person| app
            .request(method, &format!("/v1/blocks/{}", whom.account_id)).token(&by.token).send().expect(204);
        block("PUT", &blocker, &person);
        leave(&app, &leaving);
        let never = ["0198c5a0-0000-7000-8000-000000000000", "0198c5a0-0000-7000-8000-000000000001"].map(str::to_owned);
        let there = [&blocker, &leaving, &hidden].map(|someone| someone.account_id.clone());
        let mut ids = BTreeSet::new();
        let mut answers = Vec::new();
        for subject in there.iter().chain(&never) {
            let first = report(&app, &person, subject, "other").expect(201);
            let id = first.text("/id");
            // The same again is one request; the same about anybody else is another, whoever that is.
            assert_eq!(report(&app, &person, subject, "other").expect(201).json, first.json);
            assert_eq!(read(&app, &person, &id), first.json);
            assert!(ids.insert(id), "{subject}");
            let mut answer = first.json;
            for own in ["id", "received_at"] {
                answer.as_object_mut().expect("an object").remove(own);
            }
            answers.push(answer);
        }
        assert_eq!(answers[0]["subject"], Value::Null);
        assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
        let own = |whom: &str| [
            app.get("/v1/account/data/requests", &person.token).expect(200).json.to_string(),
            ids.iter().map(|id| read(&app, &person, id).to_string()).collect(),
        ].map(|text| text.contains(whom));
        for subject in there.iter().chain(&never) {
            assert_eq!(own(subject), [false, false]);
        }
        // Operators see whom it is about.
        let about = |id: &String| app.request("GET", &format!("/v1/operator/requests/{id}")).token(REVIEWER.token)
            .send().expect(200).json["subject"].clone();
        let mut found: Vec<_> = ids.iter().map(about).filter_map(|id| id.as_str().map(str::to_owned)).collect();
        found.sort();
        let mut expected = there.to_vec();
        expected.sort();
        assert_eq!(found, expected);
        // Whom one has blocked, one knows of.
        block("PUT", &person, &blocker);
        assert_eq!(own(&blocker.account_id), [true, true]);
        block("DELETE", &person, &blocker);
        assert_eq!(own(&blocker.account_id), [false, false]);
        // Whom one sees, until one does not any more.
        let id = report(&app, &person, &seen.account_id, "other").expect(201).text("/id");
        assert_eq!(read(&app, &person, &id)["subject"], json!(seen.account_id));
        assert_eq!(own(&seen.account_id), [true, false]);
        block("PUT", &seen, &person);
        assert_eq!(read(&app, &person, &id)["subject"], Value::Null);
        assert_eq!(own(&seen.account_id), [false, false]);
    }

    // clause C1
    fn what_is_asked_and_answered_lies_nowhere_in_the_clear(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let id = post(&app, &person, &json!({ "kind": "access", "text": "问题标记甲乙丙" })).expect(201).text("/id");
        app.request("POST", &format!("/v1/operator/requests/{id}/answer")).token(REVIEWER.token)
            .json(&json!({ "text": "答复标记丁戊己" })).expect(200);
        for marker in ["问题标记甲乙丙", "答复标记丁戊己"] {
            is_nowhere(&app, marker.as_bytes());
        }
        let own = read(&app, &person, &id);
        assert_eq!((&own["text"], &own["answer"]), (&json!("问题标记甲乙丙"), &json!("答复标记丁戊己")));
    }

    // clause R5, R7
    fn after_the_account_is_deleted_nobody_can_read_what_was_asked(builder: Builder) {
        let app = builder.with_operators().variable("deletion_grace_days", "0").start();
        let person = app.someone();
        let (answered, open) = (ask(&app, &person, "access"), ask(&app, &person, "complaint"));
        let operator = |method: &str, path: &str, body: &Value| app
            .request(method, &format!("/v1/operator/requests/{path}"))
            .token(REVIEWER.token).json(body).expect(200).json;
        operator("POST", &format!("{answered}/answer"), &json!({ "text": "好" }));
        leave(&app, &person);
        for id in [&answered, &open] {
            let shown = operator("GET", id, &Value::Null);
            assert_eq!((&shown["account_id"], &shown["text"], &shown["answer"]), (&json!(null), &json!(null), &json!(null)));
        }
        // It is closed all the same; what was to be answered is kept nowhere.
        let closed = operator("POST", &format!("{open}/answer"), &json!({ "text": "已无账号" }));
        assert_eq!((&closed["status"], &closed["answer"]), (&json!("answered"), &json!(null)));
        assert_eq!(app.database().count("SELECT COUNT(*) FROM requests WHERE account_id IS NOT NULL"), 0);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM requests"), 2);
        is_in_no_row(&app, person.account_id.as_bytes());
    }

    // clause R5, R7
    fn who_is_leaving_can_still_ask(builder: Builder) {
        let app = builder.variable("deletion_grace_days", "7").start();
        let person = app.someone();
        leave(&app, &person);
        let back = app.log_in_on(&person.phone, &api_tests::Device::new("device-1"));
        let id = ask(&app, &back, "copy");
        assert_eq!(read(&app, &back, &id)["status"], "open");
    }

    // clause R7
    [stand_in] fn asking_is_done_once_or_not_at_all(app: App) {
        sweep(
            &app,
            |app, _| {
                let person = app.someone();
                let body = json!({ "kind": "access", "text": TEXT });
                let attempt = Attempt::new("POST", "/v1/requests", Some(&person.token), body);
                (person, attempt)
            },
            again,
            |app, person, answer| {
                assert_eq!(requests(app, person), 1);
                assert_eq!(read(app, person, &answer.text("/id"))["text"], TEXT);
            },
        );
    }

    // clause R7
    [stand_in] fn asking_with_a_key_is_done_once_or_not_at_all(app: App) {
        sweep(
            &app,
            |app, name| {
                let person = app.someone();
                let body = json!({ "kind": "access", "text": TEXT });
                let attempt = Attempt::new("POST", "/v1/requests", Some(&person.token), body).with_key(name);
                (person, attempt)
            },
            |app, _, attempt| {
                app.clock().advance(MINUTE);
                attempt.send(app, true)
            },
            |app, person, answer| {
                assert_eq!(requests(app, person), 1);
                assert_eq!(read(app, person, &answer.text("/id"))["text"], TEXT);
            },
        );
    }
}
