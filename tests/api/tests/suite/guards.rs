//! The guards that features put before what needs a verification, a consent or an operator, each by the
//! endpoint of the component `guards` of `tests/probes` that is behind it alone.

use api_tests::{
    ACCOUNTANT, ADMIN, App, Builder, Device, MINUTE, Person, REAL_NAME, REVIEWER, on_both_engines,
};
use serde_json::json;

/// The guards of people, with the problem of each.
const GUARDS: [(&str, &str); 4] = [
    ("profile-complete", "profile-incomplete"),
    ("real-name", "real-name-verification-required"),
    ("enterprise", "enterprise-verification-required"),
    ("location", "consent-required"),
];

/// The document says nothing of a probe, so its answers are not held against it.
fn ask(app: &App, token: &str, guard: &str) -> api_tests::Answer {
    app.request("GET", &format!("/v1/probe/{guard}"))
        .token(token)
        .send_unchecked()
}

/// Only the guards `open` let the person through.
#[track_caller]
fn assert_open(app: &App, person: &Person, open: &[&str]) {
    for (guard, problem) in GUARDS {
        let answer = ask(app, &person.token, guard);
        if open.contains(&guard) {
            answer.expect(204);
        } else {
            answer.expect_problem(403, problem);
        }
    }
}

/// A verification behind the application's back, with its consent.
fn verify(app: &App, person: &Person, kind: &str, purpose: &str, status: &str) {
    app.consent(person, purpose, true).expect(200);
    let account_id = &person.account_id;
    let number = app
        .database()
        .count("SELECT COUNT(*) FROM verification_claims");
    let (real_name, verified_hash) = match (kind, status) {
        ("real-name", "passed") => (format!("'{REAL_NAME}'"), format!("'hash-{number}'")),
        ("real-name", _) => (format!("'{REAL_NAME}'"), "NULL".to_owned()),
        _ => ("NULL".to_owned(), "NULL".to_owned()),
    };
    app.database().rows(&format!(
        "INSERT INTO verifications (id, account_id, kind, created_at) \
         VALUES ('claim-{number}', '{account_id}', '{kind}', 0) RETURNING id"
    ));
    app.database().rows(&format!(
        "INSERT INTO verification_claims \
           (id, account_id, kind, purpose, status, asked_at, real_name, summary, verified_hash) \
         VALUES ('claim-{number}', '{account_id}', '{kind}', '{purpose}', '{status}', 0, {real_name}, \
                 'sealed', {verified_hash}) RETURNING id"
    ));
}

fn start(builder: Builder) -> App {
    builder.with_guards_probe().with_operators().start()
}

on_both_engines! {
    // clause S4
    fn nobody_passes_without_a_session(builder: Builder) {
        let app = start(builder);
        for (guard, _) in GUARDS {
            let path = format!("/v1/probe/{guard}");
            app.request("GET", &path).send_unchecked().expect_problem(401, "unauthenticated");
            ask(&app, REVIEWER.token, guard).expect_problem(401, "unauthenticated");
        }
    }

    // clause S4
    fn each_guard_opens_for_its_own_reason_alone(builder: Builder) {
        let app = start(builder);
        let people: Vec<_> = (0..4).map(|_| app.someone()).collect();
        for person in &people {
            assert_open(&app, person, &[]);
        }
        let [one, two, three, four] = &people[..] else { unreachable!("four people") };
        app.complete_profile(one);
        assert_open(&app, one, &["profile-complete"]);
        verify(&app, one, "real-name", "real-name-verification", "passed");
        assert_open(&app, one, &["profile-complete", "real-name"]);
        verify(&app, two, "enterprise", "enterprise-verification", "passed");
        assert_open(&app, two, &["enterprise"]);
        app.consent(three, "location", true).expect(200);
        assert_open(&app, three, &["location"]);
        // What somebody else has opened nothing.
        assert_open(&app, four, &[]);
    }

    // clause S4
    fn a_persons_review_counts_as_the_machines(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        app.complete_profile(&person);
        verify(&app, &person, "real-name", "document-review", "passed");
        assert_open(&app, &person, &["profile-complete", "real-name"]);
        // It stands on this consent, and not on the other.
        app.consent(&person, "real-name-verification", false).expect(200);
        assert_open(&app, &person, &["profile-complete", "real-name"]);
    }

    // clause S4
    fn only_what_has_passed_counts(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        app.complete_profile(&person);
        for status in ["pending", "failed", "in_review"] {
            verify(&app, &person, "real-name", "real-name-verification", status);
            verify(&app, &person, "enterprise", "enterprise-verification", status);
            assert_open(&app, &person, &["profile-complete"]);
        }
        verify(&app, &person, "real-name", "real-name-verification", "passed");
        assert_open(&app, &person, &["profile-complete", "real-name"]);
        verify(&app, &person, "enterprise", "enterprise-verification", "passed");
        assert_open(&app, &person, &["profile-complete", "real-name", "enterprise"]);
    }

    // clause S4
    fn a_verified_name_counts_for_that_name(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        app.complete_profile(&person);
        verify(&app, &person, "real-name", "real-name-verification", "passed");
        verify(&app, &person, "enterprise", "enterprise-verification", "passed");
        app.database().rows(&format!(
            "UPDATE profiles SET real_name = '李大山' WHERE account_id = '{}' RETURNING real_name",
            person.account_id
        ));
        assert_open(&app, &person, &["profile-complete", "enterprise"]);
    }

    // clause R4
    fn withdrawing_closes_the_guard_on_the_next_request(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        app.complete_profile(&person);
        let other_session = app.log_in_on(&person.phone, &Device::new("device-2"));
        verify(&app, &person, "real-name", "real-name-verification", "passed");
        verify(&app, &person, "enterprise", "enterprise-verification", "passed");
        app.consent(&person, "location", true).expect(200);
        let mut open = vec!["profile-complete", "real-name", "enterprise", "location"];
        for (purpose, guard) in [
            ("real-name-verification", "real-name"),
            ("location", "location"),
            ("enterprise-verification", "enterprise"),
        ] {
            assert_open(&app, &person, &open);
            app.consent(&person, purpose, false).expect(200);
            open.retain(|name| *name != guard);
            assert_open(&app, &person, &open);
            assert_open(&app, &other_session, &open);
            // The consent alone brings no verification back.
            if guard != "location" {
                app.consent(&person, purpose, true).expect(200);
                assert_open(&app, &person, &open);
            }
        }
    }

    // clause G1
    fn a_consent_to_an_older_version_does_not_count(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        app.consent(&person, "location", true).expect(200);
        assert_open(&app, &person, &["location"]);
        app.database().rows("UPDATE consents SET version = '2020-01-01' RETURNING version");
        let refused = ask(&app, &person.token, "location").expect_problem(403, "consent-required");
        assert_eq!(refused.json["purpose"], "location");
        let again = json!({ "granted": true, "version": refused.json["version"] });
        app.request("PUT", "/v1/consents/location").token(&person.token).json(&again).expect(200);
        assert_open(&app, &person, &["location"]);
    }

    // clause L2
    fn an_incomplete_profile_is_told_what_is_missing(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        let all = ["avatar", "gender", "real_name", "company", "job_title"];
        let refused = ask(&app, &person.token, "profile-complete");
        assert_eq!(refused.expect_problem(403, "profile-incomplete").json["missing"], json!(all));
        app.complete_profile(&person);
        app.database().rows("UPDATE profiles SET company = NULL RETURNING account_id");
        let refused = ask(&app, &person.token, "profile-complete");
        assert_eq!(refused.expect_problem(403, "profile-incomplete").json["missing"], json!(["company"]));
    }

    // clause N1
    [stand_in] fn a_major_version_of_the_policy_comes_before_every_guard(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        app.complete_profile(&person);
        app.consent(&person, "location", true).expect(200);
        app.publish_policy("2027-01-01", true);
        app.clock().advance(MINUTE);
        for (guard, _) in GUARDS {
            let path = format!("/v1/probe/{guard}");
            let answer = app.request("POST", &path).token(&person.token).send_unchecked();
            answer.expect_problem(403, "policy-consent-required");
        }
    }

    // clause E8
    fn reviewers_are_operators_of_two_roles(builder: Builder) {
        let app = start(builder);
        let person = app.someone();
        app.complete_profile(&person);
        verify(&app, &person, "real-name", "real-name-verification", "passed");
        for token in [person.token.as_str(), "", "token-of-nobody"] {
            ask(&app, token, "reviewer").expect_problem(401, "unauthenticated");
        }
        ask(&app, ACCOUNTANT.token, "reviewer").expect_problem(403, "operator-role");
        for operator in [REVIEWER, ADMIN] {
            ask(&app, operator.token, "reviewer").expect(204);
        }
    }
}
