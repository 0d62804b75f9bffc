//! The writes of verification, each stopped at every call to the host in turn and done again.

use api_tests::{Answer, App, Builder, MINUTE, Person, REVIEWER, on_both_engines};
use serde_json::{Value, json};

use crate::faults::{Attempt, again, sweep};
use crate::identity::{
    FORM, candidate, completed, id_number, read, someone_who_agrees, start, start_body, started,
};
use crate::reviews::{photo, submit_documents};
use crate::upload_faults::finish_sweeps;
use crate::uploads::slots;

/// What holds whatever was stopped where.
fn invariants(app: &App) {
    for broken in [
        // clause G1
        "SELECT COUNT(*) FROM verification_claims c WHERE NOT EXISTS (SELECT 1 FROM consents s \
           WHERE s.account_id = c.account_id AND s.purpose = c.purpose)",
        "SELECT COUNT(*) FROM (SELECT number_hash FROM verification_claims \
           WHERE status = 'passed' AND kind = 'real-name' GROUP BY number_hash HAVING COUNT(*) > 1) d",
        "SELECT COUNT(*) FROM (SELECT account_id FROM verification_claims WHERE status = 'in_review' \
           GROUP BY account_id, kind HAVING COUNT(*) > 1) d",
        // A photo of a review that people can see is kept.
        "SELECT COUNT(*) FROM verification_photos p JOIN verifications v ON v.id = p.verification_id \
           JOIN verification_claims c ON c.id = v.id JOIN uploads u ON u.id = p.upload_id \
           WHERE c.status = 'in_review' AND (u.expires_at IS NOT NULL OR u.account_id IS NULL)",
    ] {
        assert_eq!(app.database().count(broken), 0, "{broken}");
    }
}

/// The reviews of a person that operators can see.
fn reviews(app: &App, person: &Person) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM verification_claims c JOIN verifications v ON v.id = c.id \
         WHERE c.account_id = '{}' AND c.status = 'in_review'",
        person.account_id
    ))
}

fn was_announced(app: &App, person: &Person) {
    let rows = app.database().rows(&format!(
        "SELECT id FROM verification_claims WHERE account_id = '{}' AND status = 'in_review'",
        person.account_id
    ));
    let id = rows[0][0].to_string();
    app.log().event_with("review-requested", "review", &id);
}

/// One review came of it, of which the operators have heard. It ends with its consent.
fn is_reviewed_once(app: &App, person: &Person, purpose: &str) {
    assert_eq!(reviews(app, person), 1);
    was_announced(app, person);
    invariants(app);
    app.consent(person, purpose, false).expect(200);
}

/// The client sends the same again. That its review is open is what it wanted to hear; if nobody can see that
/// review yet, it was stopped before, and counts as abandoned soon.
fn until_open(app: &App, person: &Person, attempt: &Attempt) -> Answer {
    let mut answer = attempt.send(app, true);
    if answer.problem() == Some("review-open") && reviews(app, person) == 0 {
        app.clock().advance(MINUTE);
        answer = attempt.send(app, true);
    }
    if answer.problem() == Some("review-open") {
        return app.get("/v1/verifications", &person.token);
    }
    answer
}

on_both_engines! {
    // clause E6
    [stand_in] fn starting_a_verification(builder: Builder) {
        let (app, alipay) = start(builder);
        sweep(
            &app,
            |app, _| {
                let person = candidate(app);
                let body = start_body(&id_number());
                let attempt = Attempt::new("POST", "/v1/verifications/real-name", Some(&person.token), body);
                (person, attempt)
            },
            again,
            |app, person, answer| {
                let certify_id = alipay.check_link(&answer.text("/certify_url")).expect("a link");
                alipay.pass(&certify_id);
                completed(app, &alipay, &certify_id).expect(200);
                assert_eq!(read(app, person, &answer.text("/id"))["status"], "passed");
                let listed = app.get("/v1/verifications", &person.token).expect(200);
                // One that was stopped after it became visible waits beside the second.
                assert!((1..=2).contains(&listed.json["items"].as_array().expect("items").len()));
                invariants(app);
            },
        );
    }

    // clause E6
    [stand_in] fn hearing_from_alipay(builder: Builder) {
        let (app, alipay) = start(builder);
        sweep(
            &app,
            |app, _| {
                let person = candidate(app);
                let (id, certify_id) = started(app, &alipay, &person, &id_number());
                alipay.pass(&certify_id);
                let message = alipay.message(crate::identity::COMPLETED, &json!({ "certify_id": certify_id }));
                let attempt = Attempt::new("POST", "/v1/callbacks/alipay/messages", None, Value::Null)
                    .with_body(FORM, message.form().into_bytes());
                ((person, id), attempt)
            },
            again,
            |app, (person, id), _| {
                assert_eq!(read(app, person, id)["status"], "passed");
                invariants(app);
            },
        );
    }

    // clause E6
    [stand_in] fn refreshing(builder: Builder) {
        let (app, alipay) = start(builder);
        sweep(
            &app,
            |app, _| {
                let person = candidate(app);
                let (id, certify_id) = started(app, &alipay, &person, &id_number());
                alipay.pass(&certify_id);
                let path = format!("/v1/verifications/{id}/refresh");
                let attempt = Attempt::new("POST", path, Some(&person.token), Value::Null);
                ((person, id), attempt)
            },
            |app, _, attempt| {
                // The stopped one may have taken the turn to ask.
                app.clock().advance(MINUTE);
                attempt.send(app, true)
            },
            |app, (person, id), answer| {
                assert_eq!(answer.text("/status"), "passed");
                assert_eq!(read(app, person, id)["status"], "passed");
                invariants(app);
            },
        );
    }

    // clause E7, E23
    [stand_in] fn asking_for_review_of_an_enterprise(builder: Builder) {
        let (app, _alipay) = start(builder);
        sweep(
            &app,
            |app, _| {
                let person = someone_who_agrees(app, &["enterprise-verification"]);
                let body = json!({
                    "company_name": "厦门满山科技有限公司", "uscc": "91350100M000100Y43",
                    "business_card": photo(app, &person, "business-card"),
                    "licence": photo(app, &person, "licence"),
                });
                let attempt = Attempt::new("POST", "/v1/verifications/enterprise", Some(&person.token), body);
                (person, attempt)
            },
            until_open,
            |app, person, _| is_reviewed_once(app, person, "enterprise-verification"),
        );
    }

    // clause E8, E23
    [stand_in] fn asking_for_review_of_documents(builder: Builder) {
        let (app, _alipay) = start(builder);
        sweep(
            &app,
            |app, _| {
                let person = someone_who_agrees(app, &["document-review"]);
                let body = json!({
                    "name": api_tests::REAL_NAME, "id_number": id_number(),
                    "photos": [photo(app, &person, "appeal")],
                });
                let path = "/v1/verifications/real-name/documents";
                let attempt = Attempt::new("POST", path, Some(&person.token), body);
                (person, attempt)
            },
            until_open,
            |app, person, _| is_reviewed_once(app, person, "document-review"),
        );
    }

    // clause E8, E23
    [stand_in] fn appealing(builder: Builder) {
        let (app, alipay) = start(builder);
        sweep(
            &app,
            |app, _| {
                let person = someone_who_agrees(app, &["real-name-verification", "document-review"]);
                let (id, _) = started(app, &alipay, &person, &id_number());
                let body = json!({ "photos": [photo(app, &person, "appeal")] });
                let path = format!("/v1/verifications/{id}/appeal");
                let attempt = Attempt::new("POST", path, Some(&person.token), body);
                (person, attempt)
            },
            until_open,
            |app, person, _| is_reviewed_once(app, person, "document-review"),
        );
    }

    // clause E8
    [stand_in] fn deciding(builder: Builder) {
        let (app, _alipay) = start(builder.with_operators());
        sweep(
            &app,
            |app, _| {
                let person = someone_who_agrees(app, &["document-review"]);
                let photos = [photo(app, &person, "appeal")];
                let id = submit_documents(app, &person, &id_number(), &photos).expect(201).text("/id");
                let path = format!("/v1/operator/reviews/{id}/decision");
                let body = json!({ "outcome": "passed", "reason": null });
                let attempt = Attempt::new("POST", path, Some(REVIEWER.token), body);
                ((person, id), attempt)
            },
            again,
            |app, (person, id), _| {
                assert_eq!(read(app, person, id)["status"], "passed");
                finish_sweeps(app);
                assert_eq!(slots(app), 0);
                let audited = format!("SELECT COUNT(*) FROM operator_audit WHERE subject = '{id}'");
                assert!((1..=2).contains(&app.database().count(&audited)));
                invariants(app);
            },
        );
    }
}
