//! `/v1/operator/policy-versions`, `/v1/policy/versions`: publishing versions of the policy, and their history.

use std::thread;

use api_tests::{
    ADMIN, Answer, App, Builder, Cell, DAY, MINUTE, POLICY_VERSION, REVIEWER, SCHEDULER,
    on_both_engines,
};
use serde_json::{Value, json};
use shared::time::Timestamp;

use crate::faults::{Attempt, again, sweep};
use crate::retention::sweep_all;

const PATH: &str = "/v1/operator/policy-versions";
const NEXT: &str = "2027-01-01";

/// A version that narrows nothing.
fn version(version: &str, change: &str) -> Value {
    json!({
        "version": version, "change": change, "narrows": false,
        "summary": "调整了共享对象", "text": format!("{version} 版全文"),
    })
}

fn publish(app: &App, body: &Value) -> Answer {
    app.request("POST", PATH).token(ADMIN.token).json(body)
}

fn in_force(app: &App) -> [String; 2] {
    let policy = app.request("GET", "/v1/policy").send().expect(200);
    [policy.text("/version"), policy.text("/major_version")]
}

fn history(app: &App) -> Vec<Value> {
    let answer = app.request("GET", "/v1/policy/versions").send().expect(200);
    answer.json["versions"].as_array().expect("a list").clone()
}

/// The text behind a URL of the application.
fn text_at(app: &App, url: &str) -> String {
    let (_, path) = url.split_once("/v1/").expect("a path");
    let answer = app
        .request("GET", &format!("/v1/{path}"))
        .send()
        .expect(200);
    String::from_utf8(answer.body).expect("a text")
}

fn announcements(app: &App) -> i64 {
    app.database().count("SELECT COUNT(*) FROM announcements")
}

fn announced(app: &App, date: &str) -> i64 {
    let cause = format!("policy-version:{date}");
    app.database().count(&format!(
        "SELECT COUNT(*) FROM announcements WHERE cause = '{cause}'"
    ))
}

/// A version that is to be published, later each time and within the year that is allowed; `start` is when the test
/// began.
fn publishing(app: &App, start: i64) -> (String, Attempt) {
    app.clock().advance(DAY);
    let days = (app.clock().now_ms() - start) / 86_400_000;
    let date = Timestamp(1_798_761_600_000 + days * 86_400_000).china_date();
    let body = version(&date.to_string(), "contact");
    let attempt = Attempt::new("POST", PATH, Some(ADMIN.token), body);
    (date.to_string(), attempt)
}

on_both_engines! {
    // clause N1
    fn a_published_version_is_in_force_and_in_the_history_with_its_text(builder: Builder) {
        let app = builder.with_operators().start();
        let published = publish(&app, &version(NEXT, "recipients")).expect(201);
        assert_eq!(in_force(&app), [NEXT, NEXT]);
        let history = history(&app);
        assert_eq!(history[0], published.json);
        assert_eq!(history[0]["sentence"], "个人信息共享、转让或公开披露的主要对象发生变化");
        assert_eq!(history[0]["summary"], "调整了共享对象");
        assert_eq!((&history[1]["version"], &history[1]["change"]), (&json!(POLICY_VERSION), &json!("first")));
        assert_eq!(text_at(&app, &published.text("/text_url")), "2027-01-01 版全文");
        let policy = app.request("GET", "/v1/policy").send().expect(200);
        assert_eq!(policy.text("/text_url"), published.text("/text_url"));
        // What was agreed to before can still be read.
        let first = history[1]["text_url"].as_str().expect("a URL");
        assert!(text_at(&app, first).contains("隐私政策的修订和更新"));
        for unknown in ["2027-01-02", "2027-1-1", "latest"] {
            let path = format!("/v1/policy/versions/{unknown}");
            app.request("GET", &path).send().expect_problem(404, "not-found");
        }
    }

    // clause N1
    fn five_kinds_of_change_are_major_and_anything_else_is_minor(builder: Builder) {
        let app = builder.with_operators().start();
        let kinds = ["service-model", "minor", "ownership", "recipients", "rights", "contact", "minor"];
        let mut major = POLICY_VERSION.to_owned();
        for (day, change) in kinds.iter().enumerate() {
            let date = format!("2027-01-{:02}", day + 1);
            let published = publish(&app, &version(&date, change)).expect(201);
            if *change != "minor" {
                major.clone_from(&date);
            }
            assert_eq!(published.json["sentence"].is_string(), *change != "minor");
            assert_eq!(in_force(&app), [date, major.clone()], "{change}");
        }
    }

    // clause N1
    [stand_in] fn everybody_is_told_and_of_a_major_change_prominently(builder: Builder) {
        let app = builder.with_operators().start();
        app.clock().stop();
        let person = app.someone();
        publish(&app, &version(NEXT, "minor")).expect(201);
        sweep_all(&app);
        let session = app.get("/v1/auth/sessions/current", &person.token).expect(200);
        assert_eq!(session.json["unread_notices"], 0, "a minor one only notifies");
        // Everything stays open.
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send().expect(204);
        app.clock().advance(MINUTE);
        publish(&app, &version("2027-02-01", "rights")).expect(201);
        sweep_all(&app);
        let notices = app.get("/v1/notices", &person.token).expect(200).json["items"].clone();
        assert_eq!(notices.as_array().map(Vec::len), Some(2));
        assert_eq!((&notices[0]["kind"], &notices[0]["prominent"]), (&json!("policy-major"), &json!(true)));
        assert_eq!((&notices[1]["kind"], &notices[1]["prominent"]), (&json!("policy-minor"), &json!(false)));
        assert_eq!(notices[0]["content"], json!({
            "version": "2027-02-01", "change": "rights", "narrows": false, "summary": "调整了共享对象",
        }));
        let session = app.get("/v1/auth/sessions/current", &person.token).expect(200);
        assert_eq!(session.json["unread_notices"], 1);
        assert_eq!(session.json["policy"]["consent_required"], true);
    }

    // clause N2
    [stand_in] fn a_narrowing_version_does_not_apply_to_who_has_not_agreed(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let mut narrowing = version(NEXT, "minor");
        narrowing["narrows"] = json!(true);
        publish(&app, &narrowing).expect_violations(&["narrows:not-minor"]);
        assert_eq!(in_force(&app), [POLICY_VERSION, POLICY_VERSION]);
        narrowing["change"] = json!("rights");
        publish(&app, &narrowing).expect(201);
        app.clock().advance(MINUTE);
        assert_eq!(history(&app)[0]["narrows"], true);
        // The person's version is the older one, whose text is there; only reading and leaving are open.
        let session = app.get("/v1/auth/sessions/current", &person.token).expect(200);
        assert_eq!(session.json["policy"], json!({
            "version": NEXT, "consented_version": POLICY_VERSION, "consent_required": true,
        }));
        let path = format!("/v1/policy/versions/{POLICY_VERSION}");
        app.get(&path, &person.token).expect(200);
        app.get("/v1/profile", &person.token).expect(200);
        app.consent(&person, "location", true).expect_problem(403, "policy-consent-required");
        let leaving = app.request("POST", "/v1/account/deletion").token(&person.token).json(&json!({}));
        assert_ne!(leaving.problem(), Some("policy-consent-required"));
        // A minor version after it does not agree in the person's name.
        publish(&app, &version("2027-01-02", "minor")).expect(201);
        app.clock().advance(MINUTE);
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send()
            .expect_problem(403, "policy-consent-required");
        let consented = |app: &App| app.database().count(&format!(
            "SELECT COUNT(*) FROM policy_consents WHERE account_id = '{}'", person.account_id
        ));
        assert_eq!(consented(&app), 1);
        app.request("POST", "/v1/policy/consents").token(&person.token)
            .json(&json!({ "version": "2027-01-02" })).expect(204);
        assert_eq!(consented(&app), 2);
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send().expect(204);
    }

    // clause N1
    fn versions_only_grow_and_the_same_one_again_changes_nothing(builder: Builder) {
        let app = builder.with_operators().start();
        let body = version(NEXT, "contact");
        let first = publish(&app, &body).expect(201);
        assert_eq!(publish(&app, &body).expect(201).json, first.json);
        assert_eq!(announcements(&app), 1);
        let mut other = body.clone();
        other["summary"] = json!("另一份摘要");
        publish(&app, &other).expect_problem(409, "policy-version-published");
        for older in ["2026-12-31", "2023-10-24"] {
            let refused = publish(&app, &version(older, "minor"));
            let refused = refused.expect_problem(409, "policy-version-not-newer");
            assert_eq!(refused.text("/newest_version"), NEXT);
        }
        publish(&app, &version(POLICY_VERSION, "minor")).expect_problem(409, "policy-version-published");
        assert_eq!((history(&app).len(), announcements(&app)), (2, 1));
    }

    fn what_is_no_version_is_refused(builder: Builder) {
        let app = builder.with_operators().start();
        for (member, value, violation) in [
            ("version", json!("2027-02-30"), "version:invalid"),
            ("version", json!("2027-1-1"), "version:invalid"),
            ("version", json!("2207-01-01"), "version:range"),
            ("summary", json!(" "), "summary:length"),
            ("summary", json!("长".repeat(5001)), "summary:length"),
            ("text", json!(""), "text:length"),
            ("text", json!("长".repeat(100_001)), "text:length"),
            ("change", json!("first"), "change:invalid"),
            ("change", json!("purpose"), "change:invalid"),
            ("narrows", json!(1), "narrows:invalid"),
            ("more", json!(1), "more:unknown"),
        ] {
            let mut body = version(NEXT, "rights");
            body[member] = value;
            publish(&app, &body).expect_violations(&[violation]);
        }
        let mut longest = version(NEXT, "rights");
        longest["text"] = json!("长".repeat(100_000));
        publish(&app, &longest).expect(201);
    }

    // clause N1
    fn only_an_admin_publishes_and_each_try_is_on_record(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let body = version(NEXT, "rights");
        app.request("POST", PATH).json(&body).expect_problem(401, "unauthenticated");
        app.request("POST", PATH).token(&person.token).json(&body).expect_problem(401, "unauthenticated");
        for operator in [REVIEWER, SCHEDULER] {
            app.request("POST", PATH).token(operator.token).json(&body).expect_problem(403, "operator-role");
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM operator_audit"), 0);
        publish(&app, &body).expect(201);
        let rows = app.database().rows("SELECT operator, action, subject FROM operator_audit");
        let record: Vec<_> = rows[0].iter().map(Cell::to_string).collect();
        assert_eq!(record, ["li", "policy-version.publish", NEXT]);
    }

    // clause N1
    fn of_two_that_are_published_at_once_the_later_is_in_force(builder: Builder) {
        let app = builder.with_operators().start();
        for month in 1..=6 {
            let bodies: Vec<_> = (1..=4)
                .map(|day| version(&format!("2027-{month:02}-0{day}"), "ownership"))
                .collect();
            let answers: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> =
                    bodies.iter().map(|body| scope.spawn(|| publish(&app, body))).collect();
                threads.into_iter().map(|thread| thread.join().expect("it answers")).collect()
            });
            for answer in &answers[..3] {
                assert!(
                    answer.status == 201 || answer.problem() == Some("policy-version-not-newer"),
                    "{answer:?}"
                );
            }
            assert_eq!(answers[3].status, 201, "nothing is later");
            let last = format!("2027-{month:02}-04");
            assert_eq!(in_force(&app), [last.clone(), last]);
        }
        // What was published was announced, each once.
        let published = i64::try_from(history(&app).len()).expect("few") - 1;
        assert_eq!(announcements(&app), published);
    }

    // clause N1
    fn one_version_with_two_texts_at_once_is_published_once(builder: Builder) {
        let app = builder.with_operators().start();
        for day in 1..=5 {
            let date = format!("2027-01-0{day}");
            let bodies: Vec<_> = (0..4).map(|n| {
                let mut body = version(&date, "rights");
                body["text"] = json!(format!("{n}"));
                body
            }).collect();
            let mut statuses: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> =
                    bodies.iter().map(|body| scope.spawn(|| publish(&app, body).status)).collect();
                threads.into_iter().map(|thread| thread.join().expect("it answers")).collect()
            });
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409, 409, 409]);
        }
        assert_eq!(announcements(&app), 5);
    }

    // clause N1
    [stand_in] fn publishing_bears_being_stopped_anywhere(builder: Builder) {
        let app = builder.with_operators().start();
        let start = app.clock().now_ms();
        sweep(
            &app,
            |app, _| publishing(app, start),
            again,
            |app, date, answer| {
                assert_eq!(in_force(app), [date.clone(), answer.text("/version")]);
                assert_eq!(announced(app, date), 1);
            },
        );
    }

    // clause N1
    [stand_in] fn what_is_in_force_is_announced_although_nobody_publishes_it_again(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let start = app.clock().now_ms();
        sweep(
            &app,
            |app, _| publishing(app, start),
            |app, date, attempt| {
                sweep_all(app);
                let policy = app.request("GET", "/v1/policy").send().expect(200);
                if policy.text("/version") == *date {
                    return policy;
                }
                assert_eq!(announced(app, date), 0, "nobody hears of what is not there");
                let answer = attempt.send(app, true);
                sweep_all(app);
                answer
            },
            |app, date, _| {
                assert_eq!(announced(app, date), 1);
                let told = app.all_pages(&person, "/v1/notices");
                let told = told.iter().filter(|notice| notice["content"]["version"] == date.as_str());
                assert_eq!(told.count(), 1);
            },
        );
        let waiting = "SELECT COUNT(*) FROM policy_versions WHERE announced_at IS NULL";
        assert_eq!(app.database().count(waiting), 0);
    }
}
