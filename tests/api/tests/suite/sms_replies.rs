//! `/v1/callbacks/aliyun/sms-replies/{secret}`: leaving marketing messages by a reply (clause R4).

use api_tests::{Answer, App, Builder, Person, on_both_engines};
use serde_json::{Value, json};

use crate::faults::{Attempt, again, sweep};

const SECRET: &str = "9f2c7a51d0e84b6f";

fn start(builder: Builder) -> App {
    builder.variable("aliyun_sms_reply_secret", SECRET).start()
}

fn post(app: &App, secret: &str, body: &Value) -> Answer {
    app.request(
        "POST",
        &format!("/v1/callbacks/aliyun/sms-replies/{secret}"),
    )
    .json(body)
}

/// As Alibaba Cloud sends it.
fn reply(phone: &str, content: &str) -> Value {
    json!({
        "phone_number": phone, "content": content, "send_time": "2026-11-25 10:00:00", "dest_code": "1234",
        "sequence_id": "1234567890",
    })
}

fn subscriber(app: &App) -> Person {
    let person = app.someone();
    for purpose in ["marketing-sms", "marketing-calls"] {
        app.consent(&person, purpose, true).expect(200);
    }
    person
}

fn has(app: &App, person: &Person, purpose: &str) -> bool {
    let row = format!(
        "SELECT COUNT(*) FROM consents WHERE account_id = '{}' AND purpose = '{purpose}'",
        person.account_id
    );
    app.database().count(&row) == 1
}

fn withdrawals(app: &App, person: &Person) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM consent_events WHERE account_id = '{}' AND granted = 0",
        person.account_id
    ))
}

on_both_engines! {
    // clause R4
    fn the_words_withdraw_the_consent_with_its_proof(builder: Builder) {
        let app = start(builder);
        for word in ["T", "td", "ＴＤ", "退订", " 拒收。"] {
            let person = subscriber(&app);
            let answer = post(&app, SECRET, &json!([reply(&person.phone[3..], word)])).expect(200);
            assert_eq!(answer.json, json!({ "code": 0, "msg": "成功" }));
            assert!(!has(&app, &person, "marketing-sms"), "{word}");
            assert!(has(&app, &person, "marketing-calls"), "calls were not asked about");
            assert_eq!(withdrawals(&app, &person), 1);
        }
    }

    // clause R4
    fn the_next_request_sees_it(builder: Builder) {
        let app = start(builder);
        let person = subscriber(&app);
        post(&app, SECRET, &json!([reply(&person.phone, "T")])).expect(200);
        let listed = app.get("/v1/consents", &person.token).expect(200).json.to_string();
        assert!(listed.contains(r#""purpose":"marketing-sms""#));
        let consents = app.get("/v1/consents", &person.token).expect(200).json;
        let item = consents["consents"].as_array().expect("a list").iter()
            .find(|item| item["purpose"] == "marketing-sms").expect("it is listed").clone();
        assert_eq!(item["granted"], false);
    }

    // clause R4
    fn several_at_once_and_the_same_again_do_no_harm(builder: Builder) {
        let app = start(builder);
        let (one, other, staying) = (subscriber(&app), subscriber(&app), subscriber(&app));
        let replies = json!([
            reply(&one.phone, "TD"), reply(&other.phone, "退订"), reply(&one.phone, "TD"),
            reply(&staying.phone, "好的"), reply("+85291234567", "T"), reply("13999999999", "T"),
        ]);
        for _ in 0..2 {
            post(&app, SECRET, &replies).expect(200);
        }
        for gone in [&one, &other] {
            assert!(!has(&app, gone, "marketing-sms"));
            assert_eq!(withdrawals(&app, gone), 1);
        }
        assert!(has(&app, &staying, "marketing-sms"));
    }

    // clause R4
    fn only_who_knows_the_secret_is_heard(builder: Builder) {
        let app = start(builder);
        let person = subscriber(&app);
        let leaving = json!([reply(&person.phone, "T")]);
        for secret in ["x", "9f2c7a51d0e84b6", "9f2c7a51d0e84b6F", "9f2c7a51d0e84b6f0"] {
            post(&app, secret, &leaving).expect_problem(404, "not-found");
        }
        assert!(has(&app, &person, "marketing-sms"));
        for body in [json!({}), json!([{ "phone_number": 1 }]), json!("T")] {
            post(&app, SECRET, &body).expect(422);
        }
        post(&app, SECRET, &json!([])).expect(200);
    }

    // clause R4
    fn without_a_secret_nobody_is_heard(app: App) {
        let person = subscriber(&app);
        let leaving = json!([reply(&person.phone, "T")]);
        for secret in ["x", SECRET] {
            post(&app, secret, &leaving).expect_problem(404, "not-found");
        }
        assert!(has(&app, &person, "marketing-sms"));
    }

    // clause R4
    [stand_in] fn a_reply_that_was_stopped_comes_again(builder: Builder) {
        let app = start(builder);
        sweep(
            &app,
            |app, _| {
                let person = subscriber(app);
                let path = format!("/v1/callbacks/aliyun/sms-replies/{SECRET}");
                let attempt = Attempt::new("POST", path, None, json!([reply(&person.phone, "T")]));
                (person, attempt)
            },
            again,
            |app, person, _| {
                assert!(!has(app, person, "marketing-sms"));
                assert!(withdrawals(app, person) >= 1);
            },
        );
    }
}
