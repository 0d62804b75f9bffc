//! A person who is being verified, again and again: by a stand-in for Alipay that never says yes.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use provider_stand_ins::alipay::Alipay;
use provider_stand_ins::keys;
use serde_json::{Value, json};
use ureq::Agent;

use crate::host::Host;
use crate::load::agent;

/// Our application at Alipay.
pub const APP_ID: &str = "2021000000000000";
const NAME: &str = "林小满";

/// What the application needs to know of the stand-in.
pub fn variables(alipay: &Alipay) -> [(&str, &str); 4] {
    [
        ("alipay_gateway_host", alipay.url()),
        ("alipay_app_id", APP_ID),
        ("alipay_app_private_key", keys::APP_PRIVATE_PKCS8),
        ("alipay_public_key", keys::ALIPAY_PUBLIC),
    ]
}

/// The person, with one verification that waits.
pub struct Verifying {
    app: String,
    bearer: String,
    message: String,
}

impl Verifying {
    /// Completes the profile, consents, and starts the verification that the messages are about.
    ///
    /// # Errors
    /// The application refuses one of these.
    pub fn prepare(app: &Host, alipay: &Alipay, token: &str) -> Result<Self> {
        let mut person = Self {
            app: app.url.clone(),
            bearer: format!("Bearer {token}"),
            message: String::new(),
        };
        let profile = json!({
            "avatar": "https://example.com/a.png",
            "gender": "female",
            "real_name": NAME,
            "company": "厦门满山科技有限公司",
            "job_title": "创始人",
        });
        person.send("PATCH", "/v1/profile", &profile)?;
        let consents = person.send("GET", "/v1/consents", &Value::Null)?;
        let versions: HashMap<_, _> = consents["consents"]
            .as_array()
            .context("no consents")?
            .iter()
            .map(|consent| (consent["purpose"].as_str(), &consent["version"]))
            .collect();
        let version = versions.get(&Some("real-name-verification"));
        let consent = json!({ "granted": true, "version": version });
        person.send("PUT", "/v1/consents/real-name-verification", &consent)?;
        person.start(&agent());
        let certification = alipay.certifications().pop().context("not started")?;
        let content = json!({ "certify_id": certification.certify_id });
        person.message = alipay
            .message("alipay.user.certify.open.notify.completed", &content)
            .form();
        Ok(person)
    }

    /// Starts a verification.
    pub fn start(&self, agent: &Agent) {
        let body = json!({
            "name": NAME,
            "id_number": "11010519491231002X",
            "return_url": "chuangrenmai://verification",
        });
        let answer = agent
            .post(format!("{}/v1/verifications/real-name", self.app))
            .header("authorization", &self.bearer)
            .header("content-type", "application/json")
            .send(body.to_string())
            .expect("an answer");
        assert_eq!(answer.status(), 201);
    }

    /// Alipay's message that the person has finished. That changes nothing: the stand-in says "not yet".
    pub fn call_back(&self, agent: &Agent) {
        let answer = agent
            .post(format!("{}/v1/callbacks/alipay/messages", self.app))
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            )
            .send(&self.message)
            .expect("an answer");
        assert_eq!(answer.status(), 200);
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.app))
            .header("authorization", &self.bearer)
            .header("content-type", "application/json");
        let mut answer = if body.is_null() {
            agent().run(request.body(())?)?
        } else {
            agent().run(request.body(body.to_string())?)?
        };
        ensure!(
            answer.status().is_success(),
            "{method} {path}: {}",
            answer.status()
        );
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }
}
