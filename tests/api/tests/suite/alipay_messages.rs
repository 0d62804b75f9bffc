//! `/v1/callbacks/alipay/messages`: what comes in Alipay's name is taken for a hint, or not at all.

use api_tests::{Answer, App, Builder, Person, on_both_engines};
use provider_stand_ins::alipay::{Alipay, Message};
use serde_json::json;

use crate::identity::{
    COMPLETED, FORM, QUERY, candidate, completed, id_number, post_message, read, snapshot, start,
    started,
};

/// A verification that Alipay would say yes to if it were asked.
struct Waiting {
    app: App,
    alipay: Alipay,
    person: Person,
    id: String,
    certify_id: String,
}

impl Waiting {
    fn prepare(builder: Builder) -> Self {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let (id, certify_id) = started(&app, &alipay, &person, &id_number());
        alipay.pass(&certify_id);
        Self {
            app,
            alipay,
            person,
            id,
            certify_id,
        }
    }

    fn message(&self) -> Message {
        let content = json!({ "certify_id": self.certify_id });
        self.alipay.message(COMPLETED, &content)
    }

    /// Sends it, and sees that nobody was asked and nothing has changed.
    fn in_vain(&self, send: impl FnOnce(&App) -> Answer) -> Answer {
        let before = (snapshot(&self.app), self.alipay.calls(QUERY).len());
        let answer = send(&self.app);
        let after = (snapshot(&self.app), self.alipay.calls(QUERY).len());
        assert_eq!(after, before);
        answer
    }

    fn refused(&self, message: Message, name: &str) {
        self.in_vain(|app| post_message(app, message.form()))
            .expect_problem(400, name);
    }

    /// The real one still comes through.
    fn ends_well(&self) {
        completed(&self.app, &self.alipay, &self.certify_id).expect(200);
        assert_eq!(read(&self.app, &self.person, &self.id)["status"], "passed");
    }
}

on_both_engines! {
    // clause E6, V4
    fn a_message_that_is_not_alipays_changes_nothing(builder: Builder) {
        let waiting = Waiting::prepare(builder);
        waiting.refused(waiting.message().by_other_key(), "signature-invalid");
        waiting.refused(waiting.message().tampered("notify_id", "x"), "signature-invalid");
        waiting.refused(waiting.message().tampered("sign", "AAAA"), "signature-invalid");
        waiting.refused(waiting.message().tampered("sign", "%"), "signature-invalid");
        waiting.refused(waiting.message().tampered("sign", ""), "signature-invalid");
        waiting.refused(waiting.message().tampered("sign_type", "RSA"), "sign-type-unsupported");
        waiting.refused(waiting.message().with_signed_sign_type(), "signature-invalid");
        waiting.ends_well();
    }

    // clause E6, V4
    fn a_message_to_another_application_changes_nothing(builder: Builder) {
        let waiting = Waiting::prepare(builder);
        waiting.refused(waiting.message().with("app_id", "2021000000000001"), "app-mismatch");
        waiting.refused(waiting.message().without("app_id"), "app-mismatch");
        waiting.ends_well();
    }

    // clause E6, V4
    fn a_message_in_another_charset_or_form_changes_nothing(builder: Builder) {
        let waiting = Waiting::prepare(builder);
        waiting.refused(waiting.message().with("charset", "GBK"), "charset-unsupported");
        let form = waiting.message().form();
        let send = |media_type: &str, body: Vec<u8>| {
            waiting.in_vain(|app| {
                app.request("POST", "/v1/callbacks/alipay/messages").body(media_type, body).send()
            })
        };
        let gbk = "application/x-www-form-urlencoded; charset=gbk";
        send(gbk, form.clone().into_bytes()).expect_problem(400, "charset-unsupported");
        send("application/json", form.clone().into_bytes()).expect_problem(400, "message-malformed");
        for body in [
            Vec::new(),
            b"{}".to_vec(),
            b"%zz=1".to_vec(),
            [form.as_bytes(), b"&notify_id=2"].concat(),
            [form.as_bytes(), b"&x=%ff"].concat(),
        ] {
            send(FORM, body).expect_problem(400, "message-malformed");
        }
        send(FORM, vec![b'a'; 70_000]).expect_problem(413, "body-too-large");
        waiting.ends_well();
    }

    // clause E6, V4
    fn what_is_not_for_us_is_answered_and_forgotten(builder: Builder) {
        let waiting = Waiting::prepare(builder);
        let alipay = &waiting.alipay;
        for message in [
            alipay.message(COMPLETED, &json!({ "certify_id": "0".repeat(32) })),
            alipay.message(COMPLETED, &json!({ "certify_id": 7 })),
            alipay.message(COMPLETED, &json!([])),
            alipay.message(COMPLETED, &json!({})).with("biz_content", "{"),
            alipay.message(COMPLETED, &json!({})).without("biz_content"),
            alipay.message("alipay.open.app.unknown", &json!({ "certify_id": waiting.certify_id })),
            waiting.message().without("msg_method"),
        ] {
            let answer = waiting.in_vain(|app| post_message(app, message.form())).expect(200);
            assert_eq!(answer.body, b"success");
        }
        waiting.ends_well();
    }

    // clause E6, V4
    fn a_message_that_came_before_changes_nothing(builder: Builder) {
        let waiting = Waiting::prepare(builder);
        let form = waiting.message().form();
        post_message(&waiting.app, form.clone()).expect(200);
        assert_eq!(read(&waiting.app, &waiting.person, &waiting.id)["status"], "passed");
        for _ in 0..3 {
            let answer = waiting.in_vain(|app| post_message(app, form.clone())).expect(200);
            assert_eq!(answer.body, b"success");
        }
    }
}
