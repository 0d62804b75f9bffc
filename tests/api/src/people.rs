//! People who use the application.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::App;
use crate::operators::ADMIN;

/// The policy's version by the manifest's default.
pub const POLICY_VERSION: &str = "2023-10-25";

/// A number that no other call has given, in E.164.
pub fn mobile_number() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "+86139{:08}",
        10_000_000 + NEXT.fetch_add(1, Ordering::Relaxed) * 7919 % 80_000_000
    )
}

/// A device that a person logs in on.
#[derive(Clone, Debug)]
pub struct Device(String);

impl Device {
    /// A device with this identifier.
    pub fn new(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// As a member of the login.
    pub fn json(&self) -> Value {
        json!({ "id": self.0, "model": "Pixel 9", "os": "Android 16", "app_version": "1.0.0" })
    }
}

/// Someone who is logged in.
#[derive(Clone, Debug)]
pub struct Person {
    /// The number, in E.164.
    pub phone: String,
    /// The session's token.
    pub token: String,
    /// The account.
    pub account_id: String,
}

impl Person {
    /// Reads the answer of a login.
    pub fn of(phone: &str, answer: &Answer) -> Self {
        Self {
            phone: phone.to_owned(),
            token: answer.text("/token"),
            account_id: answer.text("/account/id"),
        }
    }
}

impl App {
    /// Asks for a code, which must be sent, and reads it from the log. The number's counters are emptied
    /// first: what limits codes is not what most tests are about.
    pub fn sms_code(&self, phone: &str, purpose: &str) -> String {
        self.database()
            .rows("DELETE FROM rate_limits WHERE taken >= 0 RETURNING taken");
        let body = json!({ "phone": phone, "purpose": purpose });
        self.code_in_log(&self.post("/v1/auth/sms-codes", &body).expect(202))
    }

    /// The code that was sent with this answer.
    pub fn code_in_log(&self, answer: &Answer) -> String {
        let event = self.log().event("sms-code", answer.request_id());
        event["code"]
            .as_str()
            .expect("the event holds the code")
            .to_owned()
    }

    /// The body of a login by code, with consent.
    pub fn login(phone: &str, code: &str, device: &Device) -> Value {
        json!({
            "phone": phone,
            "code": code,
            "policy_version": POLICY_VERSION,
            "device": device.json(),
        })
    }

    /// Someone with this number, logged in by code on this device, with consent to the first policy.
    pub fn log_in_on(&self, phone: &str, device: &Device) -> Person {
        let code = self.sms_code(phone, "login");
        let body = Self::login(phone, &code, device);
        Person::of(phone, &self.post("/v1/auth/sessions", &body).expect(201))
    }

    /// Someone new, logged in.
    pub fn someone(&self) -> Person {
        self.log_in_on(&mobile_number(), &Device::new("device-1"))
    }

    /// Sets a password, with a fresh code.
    pub fn set_password(&self, person: &Person, password: &str) -> Answer {
        let code = self.sms_code(&person.phone, "password");
        self.request("PUT", "/v1/auth/password")
            .token(&person.token)
            .json(&json!({ "password": password, "code": code }))
    }

    /// Gives or withdraws a consent, in the version that is asked for now.
    pub fn consent(&self, person: &Person, purpose: &str, granted: bool) -> Answer {
        let listed = self.get("/v1/consents", &person.token).expect(200);
        let consents = listed.json["consents"].as_array().expect("a list");
        let consent = consents
            .iter()
            .find(|consent| consent["purpose"] == purpose)
            .unwrap_or_else(|| panic!("no purpose {purpose}"));
        self.request("PUT", &format!("/v1/consents/{purpose}"))
            .token(&person.token)
            .json(&json!({ "granted": granted, "version": consent["version"] }))
    }

    /// Publishes a version of the policy that changes this, as an operator does.
    pub fn publish_policy_version(&self, version: &str, change: &str) -> Answer {
        self.request("POST", "/v1/operator/policy-versions")
            .token(ADMIN.token)
            .json(&json!({
                "version": version,
                "change": change,
                "narrows": false,
                "summary": "变更摘要",
                "text": format!("{version} 版全文"),
            }))
    }

    /// Publishes a version of the policy: as an operator, or behind the application's back where it has none.
    pub fn publish_policy(&self, version: &str, is_major: bool) {
        let change = if is_major { "service-model" } else { "minor" };
        if self.has_operators() {
            self.publish_policy_version(version, change).expect(201);
            return;
        }
        self.database().rows(&format!(
            "INSERT INTO policy_versions (version, change, is_major, narrows, summary, published_at) \
             VALUES ('{version}', '{change}', {}, 0, '', 0) RETURNING version",
            i64::from(is_major),
        ));
    }

    /// Fills in the five required fields.
    pub fn complete_profile(&self, person: &Person) -> Answer {
        self.request("PATCH", "/v1/profile")
            .token(&person.token)
            .body("application/merge-patch+json", required_five().to_string())
            .send()
            .expect(200)
    }
}

/// The name that [`App::complete_profile`] gives.
pub const REAL_NAME: &str = "王小明";

fn required_five() -> Value {
    json!({
        "avatar": "https://example.com/a.png",
        "gender": "female",
        "real_name": REAL_NAME,
        "company": "厦门聚仁脉网络科技有限公司",
        "job_title": "创始人",
    })
}
