//! Verification by people: documents instead of a face, appeals, enterprises, and the operators' decisions.

use std::thread;

use api_tests::{Answer, App, Builder, HOUR, Person, REAL_NAME, REVIEWER, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::webhook::Webhook;
use serde_json::{Value, json};

use crate::identity::{
    claims, completed, id_number, read, refresh, snapshot, someone_who_agrees, start, started,
};
use crate::pictures;

const USCC: &str = "91350100M000100Y43";

/// A completed upload of this kind.
pub fn photo(app: &App, person: &Person, kind: &str) -> String {
    app.upload(person, kind, "image/png", &pictures::png(kind))
}

/// Asks for review of documents.
pub fn submit_documents(app: &App, person: &Person, number: &str, photos: &[String]) -> Answer {
    app.request("POST", "/v1/verifications/real-name/documents")
        .token(&person.token)
        .json(&json!({ "name": REAL_NAME, "id_number": number, "photos": photos }))
}

/// Asks for review of a company.
pub fn submit_enterprise(app: &App, person: &Person, card: &str, licence: &str) -> Answer {
    app.request("POST", "/v1/verifications/enterprise")
        .token(&person.token)
        .json(&json!({
            "company_name": "厦门满山科技有限公司", "uscc": USCC,
            "business_card": card, "licence": licence,
        }))
}

/// Objects.
pub fn appeal(app: &App, person: &Person, id: &str, photos: &[String]) -> Answer {
    app.request("POST", &format!("/v1/verifications/{id}/appeal"))
        .token(&person.token)
        .json(&json!({ "photos": photos }))
}

/// Decides.
pub fn decide(app: &App, id: &str, outcome: &str, reason: Option<&str>) -> Answer {
    app.request("POST", &format!("/v1/operator/reviews/{id}/decision"))
        .token(REVIEWER.token)
        .json(&json!({ "outcome": outcome, "reason": reason }))
}

fn review(app: &App, id: &str) -> Value {
    app.get(&format!("/v1/operator/reviews/{id}"), REVIEWER.token)
        .expect(200)
        .json
}

/// A company under review.
fn enterprise(app: &App) -> (Person, String) {
    let person = someone_who_agrees(app, &["enterprise-verification"]);
    let (card, licence) = (
        photo(app, &person, "business-card"),
        photo(app, &person, "licence"),
    );
    let answer = submit_enterprise(app, &person, &card, &licence).expect(201);
    (person, answer.text("/id"))
}

/// That neither row nor bytes of any upload are left.
pub fn no_upload_is_left(app: &App) {
    assert_eq!(app.database().count("SELECT COUNT(*) FROM uploads"), 0);
    assert_eq!(
        app.database()
            .count("SELECT COUNT(*) FROM verification_photos"),
        0
    );
    let keys = app.key_value();
    assert!(keys.iter().all(|(key, _)| !key.starts_with("upload:")));
}

/// A real-name verification that Alipay did not pass.
fn failed(app: &App, alipay: &provider_stand_ins::alipay::Alipay) -> (Person, String, String) {
    let person = someone_who_agrees(app, &["real-name-verification", "document-review"]);
    let number = id_number();
    let (id, certify_id) = started(app, alipay, &person, &number);
    alipay.fail(&certify_id, "Z5128");
    completed(app, alipay, &certify_id).expect(200);
    (person, id, number)
}

on_both_engines! {
    // clause E7, E8, E23
    fn an_enterprise_is_reviewed_and_its_photos_are_destroyed(builder: Builder) {
        let (app, _alipay) = start(builder.with_operators());
        let (person, id) = enterprise(&app);
        assert_eq!(read(&app, &person, &id)["status"], "in_review");
        let alert = app.log().event_with("review-requested", "review", &id);
        assert_eq!(alert["kind"], "enterprise");
        let listed = app.get("/v1/operator/reviews", REVIEWER.token).expect(200);
        assert_eq!(listed.json["items"][0]["id"], json!(id));
        let details = review(&app, &id);
        assert_eq!(details["subject"], json!({ "name": "厦门满山科技有限公司", "number": USCC }));
        let photos = details["photos"].as_array().expect("photos");
        assert_eq!(photos.len(), 2);
        for photo in photos {
            let link = photo["link"].as_str().expect("a link");
            app.get(link, REVIEWER.token).expect(200);
        }
        decide(&app, &id, "passed", None).expect(200);
        no_upload_is_left(&app);
        let verification = read(&app, &person, &id);
        assert_eq!(verification["status"], "passed");
        for photo in photos {
            let link = photo["link"].as_str().expect("a link");
            app.get(link, REVIEWER.token).expect_problem(404, "not-found");
        }
        // The same decision again changes nothing; another is refused.
        assert_eq!(decide(&app, &id, "passed", None).expect(200).json["photos"], json!([]));
        decide(&app, &id, "failed", Some("no")).expect_problem(409, "already-decided");
        assert_eq!(app.get("/v1/operator/reviews", REVIEWER.token).expect(200).json["items"], json!([]));
    }

    // clause E7
    fn who_was_refused_hears_why_and_can_ask_again(builder: Builder) {
        let (app, _alipay) = start(builder.with_operators());
        let (person, id) = enterprise(&app);
        decide(&app, &id, "failed", None).expect_violations(&["reason:missing"]);
        decide(&app, &id, "failed", Some(&"x".repeat(501))).expect_violations(&["reason:length"]);
        decide(&app, &id, "failed", Some("执照不清晰")).expect(200);
        no_upload_is_left(&app);
        let verification = read(&app, &person, &id);
        assert_eq!((&verification["status"], &verification["reason"]), (&json!("failed"), &json!("执照不清晰")));
        appeal(&app, &person, &id, &["0198c5a0-0000-7000-8000-000000000000".to_owned()])
            .expect_problem(403, "consent-required");
        let (card, licence) = (photo(&app, &person, "business-card"), photo(&app, &person, "licence"));
        let again = submit_enterprise(&app, &person, &card, &licence).expect(201);
        decide(&app, &again.text("/id"), "passed", Some("好")).expect(200);
        let listed = app.get("/v1/verifications", &person.token).expect(200);
        let statuses: Vec<_> = listed.json["items"].as_array().expect("items")
            .iter().map(|item| item["status"].clone()).collect();
        assert_eq!(statuses, ["passed", "failed"]);
    }

    // clause E7
    fn only_ones_own_complete_photos_of_the_right_kind_are_taken(builder: Builder) {
        let (app, _alipay) = start(builder);
        let (person, other) = (
            someone_who_agrees(&app, &["enterprise-verification", "document-review"]),
            someone_who_agrees(&app, &["enterprise-verification"]),
        );
        let (card, licence) = (photo(&app, &person, "business-card"), photo(&app, &person, "licence"));
        let theirs = photo(&app, &other, "licence");
        let open = app.request("POST", "/v1/uploads").token(&person.token)
            .json(&json!({ "kind": "licence", "content_type": "image/png", "size": 100 }))
            .expect(201).text("/id");
        let nowhere = "0198c5a0-0000-7000-8000-000000000000".to_owned();
        for wrong in [&theirs, &open, &nowhere, &card] {
            submit_enterprise(&app, &person, &card, wrong).expect_violations(&["licence:upload"]);
            assert_eq!(snapshot(&app), Vec::<String>::new());
            let kept = app.database().count("SELECT COUNT(*) FROM uploads WHERE expires_at IS NULL");
            assert_eq!(kept, 0, "what was not used goes after a day");
        }
        let body = json!({ "company_name": " ", "uscc": "91350100M000100Y44", "business_card": card, "licence": licence });
        app.request("POST", "/v1/verifications/enterprise").token(&person.token).json(&body)
            .expect_violations(&["company_name:length", "uscc:invalid"]);
        submit_documents(&app, &person, &id_number(), &[]).expect_violations(&["photos:items"]);
        let twice = [card.clone(), card.clone()];
        submit_documents(&app, &person, &id_number(), &twice).expect_violations(&["photos:items"]);
        submit_documents(&app, &person, &id_number(), std::slice::from_ref(&card))
            .expect_violations(&["photos.0:upload"]);
        // Nothing of that has used the photos up.
        submit_enterprise(&app, &person, &card, &licence).expect(201);
    }

    // clause E8, E6
    fn who_does_not_show_the_face_has_documents_reviewed(builder: Builder) {
        let (app, alipay) = start(builder.with_operators());
        let person = someone_who_agrees(&app, &["document-review"]);
        let number = id_number();
        let photos = [photo(&app, &person, "appeal"), photo(&app, &person, "appeal")];
        let id = submit_documents(&app, &person, &number, &photos).expect(201).text("/id");
        submit_documents(&app, &person, &number, &photos).expect_problem(409, "review-open");
        let masked = format!("{}***********{}", &number[..3], &number[14..]);
        assert_eq!(review(&app, &id)["subject"], json!({ "name": REAL_NAME, "number": masked }));
        decide(&app, &id, "passed", None).expect(200);
        no_upload_is_left(&app);
        assert_eq!(read(&app, &person, &id)["status"], "passed");
        assert!(alipay.certifications().is_empty(), "nothing goes to Alipay");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
        // The number has its holder now.
        let other = someone_who_agrees(&app, &["document-review"]);
        let photos = [photo(&app, &other, "appeal")];
        submit_documents(&app, &other, &number, &photos).expect_problem(409, "id-number-in-use");
    }

    // clause E8
    fn an_appeal_is_decided_by_a_person(builder: Builder) {
        let (app, alipay) = start(builder.with_operators());
        let (person, id, _) = failed(&app, &alipay);
        let photos = [photo(&app, &person, "appeal")];
        assert_eq!(appeal(&app, &person, &id, &photos).expect(200).text("/status"), "in_review");
        appeal(&app, &person, &id, &photos).expect_problem(409, "review-open");
        let calls = alipay.calls(crate::identity::QUERY).len();
        refresh(&app, &person, &id).expect(200);
        assert_eq!(alipay.calls(crate::identity::QUERY).len(), calls, "the machine is not asked any more");
        decide(&app, &id, "passed", None).expect(200);
        assert_eq!(read(&app, &person, &id)["status"], "passed");
        no_upload_is_left(&app);
        appeal(&app, &person, &id, &photos).expect_problem(409, "not-appealable");
    }

    // clause E8
    [stand_in] fn waiting_and_expired_verifications_can_be_appealed_too(builder: Builder) {
        let (app, alipay) = start(builder.with_operators());
        let person = someone_who_agrees(&app, &["real-name-verification", "document-review"]);
        app.clock().stop();
        let (waiting, _) = started(&app, &alipay, &person, &id_number());
        let photos = [photo(&app, &person, "appeal")];
        appeal(&app, &person, &waiting, &photos).expect(200);
        decide(&app, &waiting, "failed", Some("不是本人")).expect(200);
        appeal(&app, &person, &waiting, &photos).expect_problem(409, "not-appealable");
        let (expired, _) = started(&app, &alipay, &person, &id_number());
        app.clock().advance(24 * HOUR);
        assert_eq!(read(&app, &person, &expired)["status"], "expired");
        let photos = [photo(&app, &person, "appeal")];
        appeal(&app, &person, &expired, &photos).expect(200);
        let (third, _) = started(&app, &alipay, &person, &id_number());
        let unused = [photo(&app, &person, "appeal")];
        appeal(&app, &person, &third, &unused).expect_problem(409, "review-open");
        decide(&app, &expired, "failed", Some("不是本人")).expect(200);
        appeal(&app, &person, &third, &unused).expect(200);
        let other = app.someone();
        app.consent(&other, "document-review", true).expect(200);
        appeal(&app, &other, &expired, &photos).expect_problem(404, "not-found");
    }

    // clause E8
    fn two_tries_at_once_make_one_review(builder: Builder) {
        let (app, _alipay) = start(builder.with_operators());
        let person = someone_who_agrees(&app, &["enterprise-verification"]);
        let (card, licence) = (photo(&app, &person, "business-card"), photo(&app, &person, "licence"));
        let statuses: Vec<_> = thread::scope(|scope| {
            let tries: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| submit_enterprise(&app, &person, &card, &licence).status))
                .collect();
            tries.into_iter().map(|one| one.join().expect("it answers")).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
        assert_eq!(claims(&app, "in_review"), 1);
        let listed = app.get("/v1/operator/reviews", REVIEWER.token).expect(200);
        assert_eq!(listed.json["items"].as_array().expect("items").len(), 1);
    }

    // clause E8, E6
    fn a_number_that_was_verified_meanwhile_cannot_pass(builder: Builder) {
        let (app, alipay) = start(builder.with_operators());
        let (person, id, number) = failed(&app, &alipay);
        appeal(&app, &person, &id, &[photo(&app, &person, "appeal")]).expect(200);
        let other = someone_who_agrees(&app, &["real-name-verification"]);
        let (_, certify_id) = started(&app, &alipay, &other, &number);
        alipay.pass(&certify_id);
        completed(&app, &alipay, &certify_id).expect(200);
        decide(&app, &id, "passed", None).expect_problem(409, "id-number-in-use");
        assert_eq!(read(&app, &person, &id)["status"], "in_review");
        decide(&app, &id, "failed", Some("证件已用于其他账号")).expect(200);
    }

    // clause G1, R4
    fn withdrawing_the_consent_ends_the_review_and_destroys_the_photos(builder: Builder) {
        let (app, alipay) = start(builder.with_operators());
        let (person, id, _) = failed(&app, &alipay);
        appeal(&app, &person, &id, &[photo(&app, &person, "appeal")]).expect(200);
        app.consent(&person, "document-review", false).expect(200);
        no_upload_is_left(&app);
        assert_eq!(read(&app, &person, &id)["status"], "revoked");
        app.get(&format!("/v1/operator/reviews/{id}"), REVIEWER.token).expect_problem(404, "not-found");
        decide(&app, &id, "passed", None).expect_problem(404, "not-found");
        assert_eq!(app.get("/v1/operator/reviews", REVIEWER.token).expect(200).json["items"], json!([]));
        let (company, id) = enterprise(&app);
        app.consent(&company, "enterprise-verification", false).expect(200);
        no_upload_is_left(&app);
        assert_eq!(read(&app, &company, &id)["status"], "revoked");
    }

    // clause E23
    fn operators_hear_of_a_review_by_webhook_or_else_by_the_log(builder: Builder) {
        let webhook = Webhook::start();
        let builder = builder.with_operators()
            .variable("operator_webhook", webhook.url())
            .variable("operator_webhook_path", "/robot/send?access_token=secret");
        let (app, _alipay) = start(builder);
        let (_, id) = enterprise(&app);
        let [post] = webhook.posts().try_into().expect("one post");
        assert_eq!((post.path.as_str(), post.query.as_str()), ("/robot/send", "access_token=secret"));
        let alert: Value = serde_json::from_slice(&post.body).expect("JSON");
        assert_eq!((&alert["event"], &alert["review"]), (&json!("review-requested"), &json!(id)));
        assert_eq!(alert["msgtype"], "text");
        let text = String::from_utf8(post.body).expect("text");
        assert!(!text.contains("满山") && !text.contains(USCC), "nothing about anybody: {text}");
        assert!(app.log().events("review-requested").is_empty());
        let refusal = r#"{"errcode":310000,"errmsg":"token is not exist"}"#;
        let refusal = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{refusal}", refusal.len());
        for behaviour in [
            Behaviour::Refuse(500, "broken"),
            Behaviour::Raw(refusal.into_bytes()),
            Behaviour::Close,
        ] {
            webhook.plan(behaviour);
            let (_, id) = enterprise(&app);
            let alert = app.log().event_with("review-requested", "review", &id);
            assert_eq!(alert["level"], "alarm");
        }
    }
}
