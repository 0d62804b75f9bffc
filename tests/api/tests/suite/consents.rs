//! `/v1/consents`: what can be agreed to, giving it, withdrawing it, and what that does to all the rest.

use std::thread;

use api_tests::{Answer, App, Builder, Device, MINUTE, Person, on_both_engines};
use serde_json::{Value, json};
use shared::consent::{Kind, Purpose};

use crate::faults::{Attempt, again, sweep};
use crate::identity::{candidate, completed, id_number, start, started};
use crate::rights_requests::{ask, leave};

/// What is not part of the policy.
fn optional() -> impl Iterator<Item = &'static str> {
    let all = Purpose::ALL.iter().map(|purpose| purpose.terms());
    all.filter(|terms| terms.kind != Kind::Basic)
        .map(|terms| terms.name)
}

fn listed(app: &App, person: &Person) -> Vec<Value> {
    let answer = app.get("/v1/consents", &person.token).expect(200);
    answer.json["consents"].as_array().expect("a list").clone()
}

fn item(app: &App, person: &Person, purpose: &str) -> Value {
    let mut listed = listed(app, person).into_iter();
    listed
        .find(|item| item["purpose"] == purpose)
        .expect("it is listed")
}

fn put(app: &App, person: &Person, purpose: &str, body: &Value) -> Answer {
    app.request("PUT", &format!("/v1/consents/{purpose}"))
        .token(&person.token)
        .json(body)
}

fn rows(app: &App, person: &Person, purpose: &str) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM consents WHERE account_id = '{}' AND purpose = '{purpose}'",
        person.account_id
    ))
}

/// The events of one kind: `granted` is 1 for what was given.
fn events(app: &App, person: &Person, purpose: &str, granted: i64) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM consent_events \
         WHERE account_id = '{}' AND purpose = '{purpose}' AND granted = {granted}",
        person.account_id
    ))
}

/// How many notices to recipients wait.
fn told(app: &App) -> i64 {
    app.database()
        .count("SELECT COUNT(*) FROM recipient_notices")
}

/// The `GET`s that need a consent, and say so without it.
const NEED_LOCATION: [&str; 2] = ["/v1/location", "/v1/nearby/people"];

/// What every other `GET` answers to this person; the paths are those of the document. The consents, which are
/// among the person's data, answer what changes here.
fn read_everything(app: &App, person: &Person) -> Vec<(String, u16, Value)> {
    let document = app.document();
    let paths = document["paths"].as_object().expect("paths");
    let mut answers = Vec::new();
    for (path, item) in paths {
        let is_operators = path.starts_with("/v1/operator/");
        let is_apart = path == "/v1/consents"
            || path.starts_with("/v1/account/data")
            || NEED_LOCATION.contains(&path.as_str());
        if item.get("get").is_none() || is_operators || is_apart {
            continue;
        }
        let path = path.replace("{id}", &person.account_id);
        let answer = app.get(&path, &person.token);
        assert_ne!(answer.problem(), Some("consent-required"), "{path}");
        // Identifies the request, and is another one each time.
        let mut json = answer.json;
        if path.starts_with("/v1/auth/sessions") {
            // A day's first use moves their times.
            json = Value::Null;
        }
        if let Some(members) = json.as_object_mut() {
            members.remove("request_id");
        }
        answers.push((path, answer.status, json));
    }
    assert!(answers.iter().filter(|answer| answer.1 == 200).count() >= 8);
    for path in NEED_LOCATION {
        let answer = app.get(path, &person.token);
        let is_refused = answer.json["purpose"] == "location";
        assert_eq!(is_refused, rows(app, person, "location") == 0, "{path}");
    }
    answers
}

/// The writes that need a consent, whatever they say.
const GUARDED: [(&str, &str); 5] = [
    ("put /v1/location", "location"),
    ("post /v1/verifications/real-name", "real-name-verification"),
    (
        "post /v1/verifications/real-name/documents",
        "document-review",
    ),
    (
        "post /v1/verifications/enterprise",
        "enterprise-verification",
    ),
    ("post /v1/verifications/{id}/appeal", "document-review"),
];

/// The writes that would end the session.
const ENDING: [&str; 2] = [
    "delete /v1/auth/sessions/current",
    "post /v1/account/leak-reports",
];

/// Calls everything else that a person can do, with nothing in it: guards come before what is written, and none but
/// those above asks for a consent that was not given.
fn write_everything(app: &App, person: &Person) {
    let document = app.document();
    let mut called = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let call = format!("{method} {path}");
            let needs_session = operation["security"][0].get("session").is_some();
            if method == "get" || !needs_session || ENDING.contains(&call.as_str()) {
                continue;
            }
            let path = path
                .replace("{id}", "0198c5a0-0000-7000-8000-000000000000")
                .replace("{purpose}", "nothing")
                .replace("{category}", "nothing");
            let answer = app
                .request(&method.to_uppercase(), &path)
                .token(&person.token)
                .json(&json!({}));
            let guard = GUARDED.iter().find(|(guarded, _)| *guarded == call);
            let missing = guard.filter(|(_, purpose)| rows(app, person, purpose) == 0);
            let asked = answer.json["purpose"].as_str();
            assert_eq!(asked, missing.map(|(_, purpose)| *purpose), "{call}");
            let refused = answer.problem() == Some("consent-required");
            assert_eq!(refused, missing.is_some(), "{call}: {answer:?}");
            assert!(answer.status < 500, "{call}: {answer:?}");
            called += 1;
        }
    }
    assert!(called >= 25, "{called}");
}

/// What a person stores without any consent but the policy's.
fn write_without_consents(app: &App, person: &Person, other: &Person) {
    app.complete_profile(person);
    app.request("POST", "/v1/policy/consents")
        .token(&person.token)
        .json(&json!({ "version": api_tests::POLICY_VERSION }))
        .expect(204);
    let avatar = json!({ "kind": "avatar", "content_type": "image/png", "size": 67 });
    let upload = app
        .request("POST", "/v1/uploads")
        .token(&person.token)
        .json(&avatar)
        .expect(201);
    let id = upload.text("/id");
    let delete = |path: &str| app.request("DELETE", path).token(&person.token).send();
    delete(&format!("/v1/uploads/{id}")).expect(204);
    ask(app, person, "access");
    let block = format!("/v1/blocks/{}", other.account_id);
    app.request("PUT", &block)
        .token(&person.token)
        .send()
        .expect(204);
    delete(&block).expect(204);
    for path in [
        "/v1/auth/sessions",
        "/v1/account/data/gifts",
        "/v1/location",
    ] {
        delete(path).expect(204);
    }
    write_everything(app, person);
}

on_both_engines! {
    // clause G1
    fn every_purpose_is_listed_with_what_the_person_reads(app: App) {
        let person = app.someone();
        let listed = listed(&app, &person);
        assert_eq!(listed.len(), Purpose::ALL.len());
        for (item, purpose) in listed.iter().zip(Purpose::ALL) {
            let terms = purpose.terms();
            assert_eq!(item["purpose"], terms.name);
            assert_eq!(item["version"], terms.version);
            assert_eq!((&item["title"], &item["text"]), (&terms.title.into(), &terms.text.into()));
            let is_basic = terms.kind == Kind::Basic;
            assert_eq!(item["granted"], is_basic, "{item}");
            assert_eq!(item["granted_at"].is_string(), is_basic, "{item}");
        }
        let kind = |purpose: &str| item(&app, &person, purpose)["kind"].clone();
        assert_eq!(kind("account"), "basic");
        for separate in ["real-name-verification", "document-review", "wechat-page-payment", "location"] {
            assert_eq!(kind(separate), "separate");
        }
        for extended in [
            "enterprise-verification", "personalised-ranking", "marketing-sms", "marketing-calls",
            "push-notifications",
        ] {
            assert_eq!(kind(extended), "extended");
        }
    }

    // clause G1
    fn a_consent_is_a_row_and_an_event_of_its_version(app: App) {
        let person = app.someone();
        for purpose in optional() {
            let given = app.consent(&person, purpose, true).expect(200);
            assert_eq!(given.json, item(&app, &person, purpose));
            assert_eq!(given.json["granted"], true);
            assert_eq!(given.json["granted_version"], given.json["version"]);
            let version = given.text("/version");
            let proven = format!(
                "SELECT COUNT(*) FROM consents c JOIN consent_events e ON e.account_id = c.account_id \
                   AND e.purpose = c.purpose AND e.version = c.version AND e.happened_at = c.given_at \
                 WHERE c.account_id = '{}' AND c.purpose = '{purpose}' AND e.granted = 1 \
                   AND c.version = '{version}'",
                person.account_id
            );
            assert_eq!(app.database().count(&proven), 1, "{purpose}");
        }
        let events = app.database().count("SELECT COUNT(*) FROM consent_events");
        assert_eq!(usize::try_from(events), Ok(optional().count()));
    }

    // clause G1
    [stand_in] fn the_same_one_given_again_keeps_its_time(app: App) {
        let person = app.someone();
        app.clock().stop();
        let first = app.consent(&person, "location", true).expect(200);
        app.clock().advance(MINUTE);
        let again = app.consent(&person, "location", true).expect(200);
        assert_eq!(again.json, first.json);
        assert_eq!(events(&app, &person, "location", 1), 1);
    }

    // clause G1
    fn a_new_version_must_be_agreed_to_again(app: App) {
        let person = app.someone();
        app.consent(&person, "location", true).expect(200);
        app.database().rows("UPDATE consents SET version = '2020-01-01', given_at = 1 RETURNING version");
        let outdated = item(&app, &person, "location");
        assert_eq!(outdated["granted"], false);
        assert_eq!(outdated["granted_version"], "2020-01-01");
        let given = app.consent(&person, "location", true).expect(200);
        assert_eq!(given.json["granted"], true);
        assert_ne!(given.json["granted_at"], outdated["granted_at"]);
        assert_eq!(rows(&app, &person, "location"), 1);
        assert_eq!(events(&app, &person, "location", 1), 2);
    }

    // clause G1
    fn only_the_version_in_force_can_be_agreed_to(app: App) {
        let person = app.someone();
        for body in [
            json!({ "granted": true, "version": "2020-01-01" }),
            json!({ "granted": true, "version": "" }),
            json!({ "granted": true, "version": null }),
            json!({ "granted": true }),
        ] {
            let refused = put(&app, &person, "location", &body)
                .expect_problem(409, "consent-version-outdated");
            assert_eq!(refused.json["version"], item(&app, &person, "location")["version"]);
            assert_eq!(refused.json["purpose"], "location");
        }
        assert_eq!(rows(&app, &person, "location"), 0);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM consent_events"), 0);
    }

    fn what_is_no_decision_on_a_purpose_is_refused(app: App) {
        let person = app.someone();
        let body = json!({ "granted": true, "version": "2026-11-23" });
        for purpose in ["Location", "everything", "%E4%BD%8D"] {
            put(&app, &person, purpose, &body).expect_problem(404, "not-found");
        }
        for body in [json!({}), json!({ "granted": "yes" }), json!({ "granted": true, "all": true })] {
            let refused = put(&app, &person, "location", &body);
            assert!(matches!(refused.status, 400 | 422), "{refused:?}");
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM consents"), 0);
    }

    // clause G1
    fn the_basic_one_goes_with_the_policy_and_the_account(app: App) {
        let person = app.someone();
        for granted in [true, false] {
            app.consent(&person, "account", granted).expect_problem(409, "consent-basic");
        }
        let basic = item(&app, &person, "account");
        assert_eq!(basic["granted"], true);
        assert_eq!(basic["granted_version"], api_tests::POLICY_VERSION);
        app.get("/v1/profile", &person.token).expect(200);
    }

    // clause R4
    fn withdrawing_deletes_the_row_and_can_be_repeated(app: App) {
        let person = app.someone();
        for purpose in optional() {
            // Nothing to withdraw yet.
            app.consent(&person, purpose, false).expect(200);
            assert_eq!(events(&app, &person, purpose, 0), 0);
            app.consent(&person, purpose, true).expect(200);
            for _ in 0..2 {
                let withdrawn = app.consent(&person, purpose, false).expect(200);
                assert_eq!(withdrawn.json["granted"], false);
                assert_eq!(withdrawn.json["granted_at"], Value::Null);
                assert_eq!(rows(&app, &person, purpose), 0);
                assert_eq!(events(&app, &person, purpose, 1), 1);
                assert_eq!(events(&app, &person, purpose, 0), 1);
            }
            app.consent(&person, purpose, true).expect(200);
            assert_eq!(item(&app, &person, purpose)["granted"], true);
            assert_eq!(events(&app, &person, purpose, 1), 2);
        }
    }

    // clause R4
    fn withdrawing_needs_no_version(app: App) {
        let person = app.someone();
        for body in [json!({ "granted": false }), json!({ "granted": false, "version": "2020-01-01" })] {
            app.consent(&person, "location", true).expect(200);
            put(&app, &person, "location", &body).expect(200);
            assert_eq!(rows(&app, &person, "location"), 0);
        }
    }

    // clause R4, N2
    [stand_in] fn nobody_must_read_a_newer_policy_to_withdraw(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.complete_profile(&person);
        app.consent(&person, "marketing-sms", true).expect(200);
        app.consent(&person, "location", true).expect(200);
        app.locate(&person, 24.4798, 118.0894).expect(200);
        app.publish_policy("2027-01-01", true);
        app.clock().advance(MINUTE);
        app.consent(&person, "marketing-calls", true).expect_problem(403, "policy-consent-required");
        let forget = || app.request("DELETE", "/v1/location").token(&person.token).send();
        forget().expect(204);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM locations"), 0);
        for purpose in ["marketing-sms", "location"] {
            assert_eq!(app.consent(&person, purpose, false).expect(200).json["granted"], false);
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM consents"), 0);
        app.consent(&person, "location", true).expect_problem(403, "policy-consent-required");
    }

    // clause R4, R5
    [stand_in] fn who_is_leaving_can_still_withdraw(builder: Builder) {
        let app = builder.variable("deletion_grace_days", "7").start();
        let person = app.someone();
        app.complete_profile(&person);
        app.consent(&person, "location", true).expect(200);
        app.consent(&person, "marketing-sms", true).expect(200);
        app.locate(&person, 24.4798, 118.0894).expect(200);
        leave(&app, &person);
        let person = app.log_in_on(&person.phone, &Device::new("device-1"));
        app.consent(&person, "marketing-calls", true).expect_problem(403, "account-closing");
        app.request("DELETE", "/v1/location").token(&person.token).send().expect(204);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM locations"), 0);
        for purpose in ["location", "marketing-sms"] {
            assert_eq!(app.consent(&person, purpose, false).expect(200).json["granted"], false);
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM consents"), 0);
    }

    // clause R4
    fn what_was_held_for_the_purpose_alone_goes_with_it(app: App) {
        let person = app.someone();
        let mut next = 1;
        for purpose in ["document-review", "enterprise-verification"] {
            app.consent(&person, purpose, true).expect(200);
            // Made long ago, so that no form can bring their bytes any more.
            for completed_at in ["0", "NULL"] {
                let id = format!("0198c5a0-0000-7000-8000-{next:012}");
                next += 1;
                app.database().rows(&format!(
                    "INSERT INTO uploads (id, account_id, purpose, kind, content_type, size, created_at, \
                       completed_at) \
                     VALUES ('{id}', '{}', '{purpose}', 'appeal', 'image/png', 5, 0, {completed_at}) \
                     RETURNING id", person.account_id
                ));
            }
            app.database().rows(&format!(
                "INSERT INTO verification_claims (id, account_id, kind, purpose, status, asked_at, summary) \
                 VALUES ('claim-{purpose}', '{}', 'enterprise', '{purpose}', 'passed', 0, 'sealed') \
                 RETURNING id", person.account_id
            ));
        }
        let held = |purpose: &str, table: &str| app.database().count(&format!(
            "SELECT COUNT(*) FROM {table} WHERE purpose = '{purpose}'"
        ));
        app.consent(&person, "document-review", false).expect(200);
        for (table, others) in [("uploads", 2), ("verification_claims", 1)] {
            assert_eq!(held("document-review", table), 0, "{table}");
            assert_eq!(held("enterprise-verification", table), others, "{table}");
        }
        // Not only nobody's: gone.
        assert_eq!(app.database().count("SELECT COUNT(*) FROM uploads"), 2);
    }

    // clause R3, R4
    fn who_received_data_on_it_is_told_of_the_withdrawal(builder: Builder) {
        let (app, alipay) = start(builder);
        let (person, other) = (candidate(&app), candidate(&app));
        for person in [&person, &other] {
            let (_, certify_id) = started(&app, &alipay, person, &id_number());
            alipay.pass(&certify_id);
            completed(&app, &alipay, &certify_id).expect(200);
        }
        app.consent(&person, "location", true).expect(200);
        app.consent(&person, "location", false).expect(200);
        assert_eq!(told(&app), 0, "nobody received anything on that");
        for _ in 0..2 {
            app.consent(&person, "real-name-verification", false).expect(200);
            assert_eq!(told(&app), 1);
        }
        let alipays = "SELECT COUNT(*) FROM recipient_notices WHERE recipient = 'alipay'";
        assert_eq!(app.database().count(alipays), 1);
        // What has been told is not told again while nothing else is sent.
        app.database().rows("DELETE FROM recipient_notices WHERE id <> '' RETURNING id");
        app.consent(&person, "real-name-verification", false).expect(200);
        assert_eq!(told(&app), 0);
        // Whoever agrees and is sent nothing of has nothing to withdraw from anybody.
        let third = candidate(&app);
        app.consent(&third, "real-name-verification", false).expect(200);
        assert_eq!(told(&app), 0);
    }

    // clause R3, R4
    [stand_in] fn a_withdrawal_is_told_wherever_it_is_stopped(builder: Builder) {
        let (app, alipay) = start(builder);
        sweep(
            &app,
            |app, _| {
                app.database().rows("DELETE FROM recipient_notices WHERE id <> '' RETURNING id");
                let person = candidate(app);
                started(app, &alipay, &person, &id_number());
                let path = "/v1/consents/real-name-verification";
                let attempt = Attempt::new("PUT", path, Some(&person.token), json!({ "granted": false }));
                (person, attempt)
            },
            again,
            |app, person, _| {
                assert_eq!((told(app), rows(app, person, "real-name-verification")), (1, 0));
                // A proof whose deed was stopped is followed by the next try's.
                assert!(events(app, person, "real-name-verification", 0) >= 1);
            },
        );
    }

    // clause G1
    fn another_persons_consents_are_untouched(app: App) {
        let (person, other) = (app.someone(), app.someone());
        app.consent(&other, "location", true).expect(200);
        app.consent(&other, "marketing-sms", true).expect(200);
        let before = listed(&app, &other);
        app.consent(&person, "location", true).expect(200);
        for purpose in optional() {
            app.consent(&person, purpose, false).expect(200);
        }
        assert_eq!(listed(&app, &other), before);
    }

    // clause G1
    fn all_of_it_needs_a_session(app: App) {
        let body = json!({ "granted": true, "version": "2026-11-23" });
        app.request("GET", "/v1/consents").send().expect_problem(401, "unauthenticated");
        app.request("PUT", "/v1/consents/location").json(&body).expect_problem(401, "unauthenticated");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM consents"), 0);
    }

    // clause G2
    fn without_any_extended_purpose_everything_else_goes_on(app: App) {
        let (person, other) = (app.someone(), app.someone());
        write_without_consents(&app, &person, &other);
        let never = read_everything(&app, &person);
        for purpose in optional() {
            app.consent(&person, purpose, true).expect(200);
        }
        write_without_consents(&app, &person, &other);
        let given = read_everything(&app, &person);
        assert_eq!(never, given);
        for purpose in optional() {
            let others: Vec<_> = listed(&app, &person)
                .into_iter()
                .filter(|item| item["purpose"] != purpose)
                .collect();
            app.consent(&person, purpose, false).expect(200);
            assert_eq!(read_everything(&app, &person), given, "{purpose}");
            write_without_consents(&app, &person, &other);
            let kept: Vec<_> = listed(&app, &person)
                .into_iter()
                .filter(|item| item["purpose"] != purpose)
                .collect();
            assert_eq!(kept, others, "{purpose}");
        }
    }

    // clause G1
    fn decisions_at_once_leave_what_their_proofs_say(app: App) {
        // An event of its own proves each consent that stands.
        let unproven = "SELECT COUNT(*) FROM consents c WHERE NOT EXISTS (SELECT 1 FROM consent_events e \
             WHERE e.account_id = c.account_id AND e.purpose = c.purpose AND e.version = c.version \
               AND e.granted = 1 AND e.happened_at = c.given_at)";
        let person = app.someone();
        let version = item(&app, &person, "location")["version"].clone();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|at| {
                    let decision = json!({ "granted": at % 2 == 0, "version": version });
                    let (app, person) = (&app, &person);
                    scope.spawn(move || {
                        for _ in 0..16 {
                            put(app, person, "location", &decision).expect(200);
                        }
                    })
                })
                .collect();
            while threads.iter().any(|thread| !thread.is_finished()) {
                assert_eq!(app.database().count(unproven), 0);
            }
        });
        assert_eq!(app.database().count(unproven), 0);
        let stands = rows(&app, &person, "location");
        assert_eq!(item(&app, &person, "location")["granted"], stands == 1);
        let after = app.consent(&person, "location", stands == 0).expect(200);
        assert_eq!(after.json["granted"], stands == 0);
    }
}
