//! The identity check `alipay.user.certify.open.*`.

use serde_json::{Value, json};

use super::Gateway;
use super::request::Call;
use crate::encoding::sha256_hex;
use crate::stand_in::{Refusal, StandIn, locked};

/// How long a person may act on a `certify_id`.
const TO_ACT_MS: i64 = 23 * 60 * 60 * 1000;
/// How long its outcome can be asked for.
const TO_ASK_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// An identity check that was asked for.
#[derive(Clone, Debug)]
pub struct Certification {
    /// Alipay's name for it.
    pub certify_id: String,
    /// The application's name for it.
    pub outer_order_no: String,
    /// Whose identity is to be checked.
    pub cert_name: String,
    /// The number of the identity card.
    pub cert_no: String,
    /// Where Alipay sends the person afterwards.
    pub return_url: String,
    asked_at_ms: i64,
    decided: Option<Decision>,
}

#[derive(Clone, Debug)]
struct Decision {
    at_ms: i64,
    /// Why it failed; `None` if it passed.
    fail_reason: Option<String>,
}

impl StandIn<Gateway> {
    /// The identity checks that were asked for, in order.
    pub fn certifications(&self) -> Vec<Certification> {
        locked(&self.provider().state).certifications.clone()
    }

    /// Opens a certify link as the person's browser would: its `certify_id`.
    ///
    /// # Errors
    /// The code with which Alipay would refuse the link.
    pub fn check_link(&self, url: &str) -> Result<String, &'static str> {
        let place = format!("{}/gateway.do?", self.url());
        let query = url.strip_prefix(&place).ok_or("isv.invalid-url")?;
        let checked = self.provider().check_link(query, self.now_ms());
        let (_, certify_id) = checked.map_err(|(_, code)| code)?;
        Ok(certify_id)
    }

    /// The person shows a face, and it is theirs.
    ///
    /// # Panics
    /// If the `certify_id` is none that the person could still act on.
    pub fn pass(&self, certify_id: &str) {
        self.decide(certify_id, None);
    }

    /// The person shows a face, and it is not theirs.
    ///
    /// # Panics
    /// If the `certify_id` is none that the person could still act on.
    pub fn fail(&self, certify_id: &str, reason: &str) {
        self.decide(certify_id, Some(reason.to_owned()));
    }

    fn decide(&self, certify_id: &str, fail_reason: Option<String>) {
        let now_ms = self.now_ms();
        let mut state = locked(&self.provider().state);
        let certification = state
            .certifications
            .iter_mut()
            .find(|certification| certification.certify_id == certify_id)
            .filter(|certification| certification.is_open(now_ms))
            .expect("a certification that is open");
        certification.decided = Some(Decision {
            at_ms: now_ms,
            fail_reason,
        });
    }
}

impl Certification {
    fn is_open(&self, now_ms: i64) -> bool {
        self.decided.is_none() && now_ms - self.asked_at_ms < TO_ACT_MS
    }

    /// What a query tells; `None` once it is forgotten.
    fn outcome(&self, now_ms: i64) -> Option<Value> {
        let mut outcome =
            json!({ "code": "10000", "msg": "Success", "material_info": "{}", "passed": "F" });
        match &self.decided {
            None if self.is_open(now_ms) => {}
            None => return None,
            Some(decision) if now_ms - decision.at_ms >= TO_ASK_MS => return None,
            Some(decision) => match &decision.fail_reason {
                None => outcome["passed"] = json!("T"),
                Some(reason) => outcome["fail_reason"] = json!(reason),
            },
        }
        Some(outcome)
    }
}

impl Gateway {
    pub(super) fn check_link(&self, query: &str, now_ms: i64) -> Result<(Call, String), Refusal> {
        let call = Call::read_link(query)?;
        self.check_call(&call, now_ms)?;
        if call.method != "alipay.user.certify.open.certify" {
            return Err((200, "isv.invalid-method"));
        }
        let certification = self.certification(&call.biz_content)?;
        if !certification.is_open(now_ms) {
            return Err((200, "OPEN_CERTIFY_BILL_NOT_EXIST"));
        }
        Ok((call, certification.certify_id))
    }

    pub(super) fn initialize(
        &self,
        content: &Value,
        now_ms: i64,
    ) -> Result<Certification, Refusal> {
        let text = |pointer: &str| {
            let text = content.pointer(pointer).and_then(Value::as_str);
            let text = text.filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or((200, "INVALID_PARAMETER"))
        };
        let order = text("/outer_order_no")?;
        let number = text("/identity_param/cert_no")?;
        let is_in_order = order.len() <= 32
            && order.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text("/biz_code")? == "FACE"
            && text("/identity_param/identity_type")? == "CERT_INFO"
            && text("/identity_param/cert_type")? == "IDENTITY_CARD"
            && number.len() == 18
            && text("/merchant_config/face_reserve_strategy")? == "never";
        let is_new = locked(&self.state)
            .certifications
            .iter()
            .all(|known| known.outer_order_no != order);
        if !is_in_order || !is_new {
            return Err((200, "INVALID_PARAMETER"));
        }
        Ok(Certification {
            certify_id: sha256_hex(&order)[..32].to_owned(),
            outer_order_no: order,
            cert_name: text("/identity_param/cert_name")?,
            cert_no: number,
            return_url: text("/merchant_config/return_url")?,
            asked_at_ms: now_ms,
            decided: None,
        })
    }

    pub(super) fn query(&self, content: &Value, now_ms: i64) -> Result<Value, Refusal> {
        let certification = self.certification(content)?;
        certification
            .outcome(now_ms)
            .ok_or((200, "OPEN_CERTIFY_BILL_NOT_EXIST"))
    }

    fn certification(&self, content: &Value) -> Result<Certification, Refusal> {
        let certify_id = content["certify_id"].as_str();
        let certify_id = certify_id.ok_or((200, "INVALID_PARAMETER"))?;
        let state = locked(&self.state);
        let mut known = state.certifications.iter();
        let found = known.find(|known| known.certify_id == certify_id);
        found.cloned().ok_or((200, "OPEN_CERTIFY_BILL_NOT_EXIST"))
    }
}
