//! `Idempotency-Key`

use std::thread;

use api_tests::{Answer, App, DAY, Device, SECOND, mobile_number, on_both_engines};
use serde_json::{Value, json};

const SESSIONS: &str = "/v1/auth/sessions";

fn post(app: &App, path: &str, key: &str, body: &Value) -> Answer {
    app.request("POST", path)
        .header("idempotency-key", key)
        .json(body)
}

/// A login that no device could repeat.
fn login(app: &App) -> Value {
    let phone = mobile_number();
    let mut body = App::login(&phone, &app.sms_code(&phone, "login"), &Device::new("a"));
    body.as_object_mut().expect("an object").remove("device");
    body
}

on_both_engines! {
    fn the_same_call_again_gets_the_same_answer_and_has_no_second_effect(app: App) {
        let body = login(&app);
        let first = post(&app, SESSIONS, "key-1", &body).expect(201);
        assert_eq!(first.header("idempotent-replayed"), None);
        let again = post(&app, SESSIONS, "key-1", &body).expect(201);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.body, first.body);
        assert_ne!(again.request_id(), first.request_id());
        assert_eq!(app.database().count("SELECT COUNT(*) FROM sessions"), 1);
    }

    fn every_component_that_writes_takes_a_key(app: App) {
        let (person, other) = (app.someone(), app.someone());
        for (method, path) in [
            ("PUT", format!("/v1/blocks/{}", other.account_id)),
            ("DELETE", format!("/v1/blocks/{}", other.account_id)),
            ("DELETE", "/v1/location".to_owned()),
            ("DELETE", "/v1/account/deletion".to_owned()),
        ] {
            let call = || {
                let request = app.request(method, &path).token(&person.token);
                request.header("idempotency-key", method).send().expect(204)
            };
            call();
            assert_eq!(call().header("idempotent-replayed"), Some("true"), "{method} {path}");
        }
        let consent = app.request("PUT", "/v1/consents/location").token(&person.token);
        consent.header("idempotency-key", "key").json(&json!({ "granted": false })).expect(200);
    }

    fn the_same_key_for_something_else_is_refused(app: App) {
        let body = login(&app);
        post(&app, SESSIONS, "key-1", &body).expect(201);
        let mut other = body.clone();
        other["phone"] = mobile_number().into();
        post(&app, SESSIONS, "key-1", &other).expect_problem(422, "idempotency-key-reused");
    }

    fn another_callers_key_is_another_key(app: App) {
        let people = [app.someone(), app.someone()];
        for person in &people {
            let answer = app.request("PATCH", "/v1/profile")
                .token(&person.token)
                .header("idempotency-key", "same")
                .json(&json!({ "motto": "a" }))
                .expect(200);
            assert_eq!(answer.text("/id"), person.account_id);
            assert_eq!(answer.header("idempotent-replayed"), None);
        }
    }

    fn the_etag_is_replayed_too(app: App) {
        let person = app.someone();
        let patch = || app.request("PATCH", "/v1/profile")
            .token(&person.token)
            .header("idempotency-key", "k")
            .json(&json!({ "motto": "a" }))
            .expect(200);
        let (first, again) = (patch(), patch());
        assert_eq!(first.header("etag"), Some("\"1\""));
        assert_eq!(again.header("etag"), Some("\"1\""));
        assert_eq!(app.database().count("SELECT version FROM profiles"), 1);
    }

    fn many_at_once_have_one_effect(app: App) {
        let person = app.someone();
        let answers: Vec<_> = thread::scope(|scope| {
            let patch = || app.request("PATCH", "/v1/profile")
                .token(&person.token)
                .header("idempotency-key", "k")
                .json(&json!({ "motto": "a" }));
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(patch)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it answers")).collect()
        });
        for answer in answers {
            if answer.status != 200 {
                answer.expect_problem(409, "idempotency-key-in-progress").retry_after();
            }
        }
        assert_eq!(app.database().count("SELECT version FROM profiles"), 1);
    }

    fn a_failure_is_not_kept(app: App) {
        let mut body = login(&app);
        let version = body.as_object_mut().expect("an object").remove("policy_version");
        post(&app, SESSIONS, "key-1", &body).expect_problem(403, "policy-consent-required");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM idempotency_keys"), 0);
        body["policy_version"] = version.expect("it was there");
        post(&app, SESSIONS, "key-1", &body).expect(201);
    }

    [stand_in] fn an_answer_is_kept_for_a_day(app: App) {
        app.clock().stop();
        let body = login(&app);
        post(&app, SESSIONS, "key-1", &body).expect(201);
        app.clock().advance(DAY - SECOND);
        post(&app, SESSIONS, "key-1", &body).expect(201);
        app.clock().advance(SECOND);
        post(&app, SESSIONS, "key-1", &body).expect_problem(401, "credentials-invalid");
    }

    // clause C1
    fn no_token_and_no_key_lies_in_the_rows(app: App) {
        let body = login(&app);
        let answer = post(&app, SESSIONS, "a-very-special-key", &body).expect(201);
        let (token, phone) = (answer.text("/token"), body["phone"].as_str().expect("a phone"));
        for cell in app.database().rows("SELECT * FROM idempotency_keys").iter().flatten() {
            let text = cell.to_string();
            for secret in [token.as_str(), phone, "a-very-special-key"] {
                assert!(!text.contains(secret), "{secret}");
            }
        }
    }

    fn an_empty_or_long_key_is_refused(app: App) {
        for key in ["", &"k".repeat(256)] {
            post(&app, SESSIONS, key, &json!({})).expect_problem(400, "idempotency-key-invalid");
        }
    }
}
