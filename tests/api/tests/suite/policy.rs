//! `/v1/policy`, `/v1/policy/consents`, and what a new version does to those who are logged in.

use api_tests::{App, Builder, Device, MINUTE, POLICY_VERSION, Person, on_both_engines};
use serde_json::{Value, json};

const NEXT: &str = "2027-01-01";

fn consent(app: &App, person: &Person, version: &str) -> api_tests::Answer {
    app.request("POST", "/v1/policy/consents")
        .token(&person.token)
        .json(&json!({ "version": version }))
}

/// Every call that needs a session, and whether it stays open after a major version that was not consented to: what
/// reads does, and what leads to consent, to a copy or out. A consent can only be withdrawn then.
const CALLS: &[(&str, &str, bool)] = &[
    ("GET", "/v1/auth/sessions/current", true),
    ("GET", "/v1/auth/sessions", true),
    ("DELETE", "/v1/auth/sessions", false),
    ("PUT", "/v1/auth/password", false),
    ("GET", "/v1/profile", true),
    ("PATCH", "/v1/profile", false),
    (
        "GET",
        "/v1/profiles/0198c5a0-0000-7000-8000-000000000000",
        true,
    ),
    ("GET", "/v1/consents", true),
    ("PUT", "/v1/consents/location", true),
    ("GET", "/v1/location", true),
    ("PUT", "/v1/location", false),
    ("DELETE", "/v1/location", true),
    ("GET", "/v1/nearby/people", true),
    ("GET", "/v1/nearby/city", true),
    ("GET", "/v1/blocks", true),
    (
        "PUT",
        "/v1/blocks/0198c5a0-0000-7000-8000-000000000000",
        false,
    ),
    (
        "DELETE",
        "/v1/blocks/0198c5a0-0000-7000-8000-000000000000",
        false,
    ),
    ("GET", "/v1/verifications", true),
    ("POST", "/v1/verifications/real-name", false),
    ("POST", "/v1/verifications/real-name/documents", false),
    ("POST", "/v1/verifications/enterprise", false),
    (
        "GET",
        "/v1/verifications/0198c5a0-0000-7000-8000-000000000000",
        true,
    ),
    (
        "POST",
        "/v1/verifications/0198c5a0-0000-7000-8000-000000000000/refresh",
        false,
    ),
    (
        "POST",
        "/v1/verifications/0198c5a0-0000-7000-8000-000000000000/appeal",
        false,
    ),
    ("POST", "/v1/uploads", false),
    (
        "POST",
        "/v1/uploads/0198c5a0-0000-7000-8000-000000000000/complete",
        false,
    ),
    (
        "GET",
        "/v1/uploads/0198c5a0-0000-7000-8000-000000000000/link",
        true,
    ),
    (
        "DELETE",
        "/v1/uploads/0198c5a0-0000-7000-8000-000000000000",
        false,
    ),
    ("GET", "/v1/coin-packages", true),
    ("GET", "/v1/orders", true),
    ("POST", "/v1/orders", false),
    (
        "GET",
        "/v1/orders/0198c5a0-0000-7000-8000-000000000000",
        true,
    ),
    (
        "POST",
        "/v1/orders/0198c5a0-0000-7000-8000-000000000000/close",
        false,
    ),
    (
        "POST",
        "/v1/orders/0198c5a0-0000-7000-8000-000000000000/apple-transaction",
        false,
    ),
    ("GET", "/v1/wallet", true),
    ("GET", "/v1/wallet/entries", true),
    ("GET", "/v1/gifts", true),
    ("POST", "/v1/gifts", false),
    ("POST", "/v1/tips", false),
    ("GET", "/v1/account/deletion", true),
    ("POST", "/v1/account/deletion", true),
    ("DELETE", "/v1/account/deletion", true),
    ("GET", "/v1/requests", true),
    ("POST", "/v1/requests", true),
    (
        "GET",
        "/v1/requests/0198c5a0-0000-7000-8000-000000000000",
        true,
    ),
    ("POST", "/v1/policy/consents", true),
    ("GET", "/v1/account/data", true),
    ("GET", "/v1/account/data/profile", true),
    ("DELETE", "/v1/account/data/blocks", true),
    ("GET", "/v1/account/disclosures", true),
    ("GET", "/v1/account/exports", true),
    ("POST", "/v1/account/exports", true),
    (
        "GET",
        "/v1/account/exports/0198c5a0-0000-7000-8000-000000000000",
        true,
    ),
    ("GET", "/v1/notices", true),
    (
        "POST",
        "/v1/notices/0198c5a0-0000-7000-8000-000000000000/read",
        true,
    ),
    ("POST", "/v1/account/leak-reports", true),
    // Last: it ends the session.
    ("DELETE", "/v1/auth/sessions/current", true),
];

on_both_engines! {
    // clause N1
    fn the_version_in_force_is_told(app: App) {
        let answer = app.request("GET", "/v1/policy").send().expect(200);
        assert_eq!(answer.text("/version"), POLICY_VERSION);
        assert_eq!(answer.text("/major_version"), POLICY_VERSION);
        let text_url = answer.text("/text_url");
        let (_, path) = text_url.split_once("/v1/policy/").expect("a path");
        assert_eq!(path, format!("versions/{POLICY_VERSION}"));
        let text = app.request("GET", &format!("/v1/policy/{path}")).send().expect(200);
        assert_eq!(text.media_type(), Some("text/plain"));
        assert_eq!(text.body, app.request("GET", "/v1/policy/text").send().expect(200).body);
        assert!(text.body.len() > 30_000, "all of it");
    }

    // clause N1
    [stand_in] fn after_a_major_version_only_a_few_calls_work_until_consent(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.get("/v1/profile", &person.token).expect(200);
        app.publish_policy(NEXT, true);
        app.clock().advance(MINUTE);
        for &(method, path, open) in CALLS {
            if open && method != "GET" {
                continue;
            }
            let answer = app.request(method, path).token(&person.token).json(&json!({}));
            if open {
                assert_ne!(answer.problem(), Some("policy-consent-required"), "{method} {path}");
            } else {
                let refused = answer.expect_problem(403, "policy-consent-required");
                assert_eq!(refused.json["policy_version"], NEXT);
            }
        }
        for path in ["/v1/policy", "/v1/policy/versions", "/v1/policy/notices", "/v1/contact"] {
            app.get(path, &person.token).expect(200);
        }
        app.get("/v1/policy/text", &person.token).expect(200);
        consent(&app, &person, POLICY_VERSION).expect_problem(409, "policy-version-outdated");
        consent(&app, &person, NEXT).expect(204);
        let session = app.get("/v1/auth/sessions/current", &person.token).expect(200);
        assert_eq!(session.json["policy"]["consent_required"], false);
        // At once, although the cache has seen the session without it.
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send().expect(204);
        consent(&app, &person, NEXT).expect(204);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM policy_consents"), 2);
        app.request("DELETE", "/v1/auth/sessions/current").token(&person.token).send().expect(204);
    }

    // clause N1
    fn logging_in_after_a_major_version_gives_a_session_that_asks_for_consent(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.publish_policy(NEXT, true);
        let code = app.sms_code(&person.phone, "login");
        let body = json!({ "phone": person.phone, "code": code, "device": Device::new("b").json() });
        let answer = app.post("/v1/auth/sessions", &body).expect(201);
        assert_eq!(answer.json["policy"], json!({
            "version": NEXT, "consented_version": POLICY_VERSION, "consent_required": true,
        }));
        let session = Person::of(&person.phone, &answer);
        app.request("DELETE", "/v1/auth/sessions").token(&session.token).send()
            .expect_problem(403, "policy-consent-required");
        app.request("DELETE", "/v1/auth/sessions/current").token(&session.token).send().expect(204);
    }

    // clause N1
    fn logging_in_with_the_new_version_consents(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.publish_policy(NEXT, true);
        let code = app.sms_code(&person.phone, "login");
        let mut body = App::login(&person.phone, &code, &Device::new("b"));
        body["policy_version"] = NEXT.into();
        let answer = app.post("/v1/auth/sessions", &body).expect(201);
        assert_eq!(answer.json["policy"]["consent_required"], false);
        app.request("DELETE", "/v1/auth/sessions").token(&answer.text("/token")).send().expect(204);
    }

    // clause N1
    fn a_minor_version_is_only_announced(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.publish_policy(NEXT, false);
        app.request("DELETE", "/v1/auth/sessions").token(&person.token).send().expect(204);
        let session = app.get("/v1/auth/sessions/current", &person.token).expect(200);
        assert_eq!(session.json["policy"], json!({
            "version": NEXT, "consented_version": POLICY_VERSION, "consent_required": false,
        }));
        // An app that knows only the older version still logs its members in.
        let code = app.sms_code(&person.phone, "login");
        app.post("/v1/auth/sessions", &App::login(&person.phone, &code, &Device::new("b"))).expect(201);
    }

    // clause G1
    fn consent_needs_a_session(app: App) {
        app.post("/v1/policy/consents", &json!({ "version": POLICY_VERSION }))
            .expect_problem(401, "unauthenticated");
    }
}

/// The table above names every call that needs a session; a new one must be decided on.
#[test]
fn every_call_with_a_session_is_decided_on() {
    let app = App::prepare(api_tests::Engine::Sqlite);
    let document = app.document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let needs_session = |security: &Value| {
                let schemes = security.as_array().expect("a list");
                schemes.iter().any(|scheme| scheme.get("session").is_some())
            };
            if !operation.get("security").is_some_and(needs_session) {
                continue;
            }
            let folder = path.split('{').next().unwrap_or(path);
            let known = CALLS.iter().any(|(known_method, known_path, _)| {
                known_method.eq_ignore_ascii_case(method)
                    && (known_path == path
                        || (path.contains('{') && known_path.starts_with(folder)))
            });
            assert!(known, "{method} {path}");
        }
    }
}
