//! Alipay's gateway: the identity check `alipay.user.certify.open.*`, requests and answers signed with RSA2.
//!
//! - Signing and verifying: <https://opendocs.alipay.com/common/02kf5q> and the official Node SDK
//!   (`alipay-sdk`: `sign`, `getSignStr`, `checkNotifySign`).
//! - The identity check: <https://docs.open.alipay.com/api_2/alipay.user.certify.open.initialize/>; the
//!   answers' fields are those of the official Java SDK's `AlipayUserCertifyOpenQueryResponse`.
//! - What becomes of a `certify_id`: <https://developer.aliyun.com/ask/285734> (23 hours to act, three months
//!   to ask, then `OPEN_CERTIFY_BILL_NOT_EXIST`).

mod answer;
mod message;
mod request;
mod rsa2;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use serde_json::{Value, json};

pub use self::answer::Form;
pub use self::message::Message;
pub use self::request::Call;
use self::rsa2::Key;
use crate::encoding::sha256_hex;
use crate::http::{Request, response};
use crate::keys;
use crate::stand_in::{Provider, Refusal, StandIn, locked};

/// How long a person may act on a `certify_id`.
const TO_ACT_MS: i64 = 23 * 60 * 60 * 1000;
/// How long its outcome can be asked for.
const TO_ASK_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// A running stand-in of Alipay.
pub type Alipay = StandIn<Gateway>;

/// The gateway, as one application sees it.
pub struct Gateway {
    app_id: String,
    app_key: Key,
    alipay_key: Key,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    certifications: Vec<Certification>,
    forms: VecDeque<Form>,
    messages: u64,
}

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

/// A request that is in order, and what it does.
pub struct Accepted {
    call: Call,
    effect: Effect,
}

enum Effect {
    Initialize(Certification),
    Query(Value),
    Open,
}

impl StandIn<Gateway> {
    /// Starts one that knows an application by the public half of [`keys::APP_PRIVATE_PKCS8`].
    pub fn start(app_id: &str) -> Self {
        Self::serve(Gateway {
            app_id: app_id.to_owned(),
            app_key: Key::from_pem(keys::APP_PRIVATE_PKCS8),
            alipay_key: Key::from_pem(keys::ALIPAY_PRIVATE),
            state: Mutex::default(),
        })
    }

    /// The accepted requests for a method, in order.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        let mut calls = locked(&self.provider().state).calls.clone();
        calls.retain(|call| call.method == method);
        calls
    }

    /// The identity checks that were asked for, in order.
    pub fn certifications(&self) -> Vec<Certification> {
        locked(&self.provider().state).certifications.clone()
    }

    /// The next answer that is not a refusal is put together so, the one after it after the next call of
    /// this, then as usual.
    pub fn plan_form(&self, form: Form) {
        locked(&self.provider().state).forms.push_back(form);
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

    /// A message to the application's gateway, as Alipay sends it.
    pub fn message(&self, msg_method: &str, biz_content: &Value) -> Message {
        let number = {
            let mut state = locked(&self.provider().state);
            state.messages += 1;
            state.messages
        };
        let text = |text: &str| text.to_owned();
        Message::new([
            ("notify_id", sha256_hex(format!("{}{number}", self.url()))),
            ("utc_timestamp", self.now_ms().to_string()),
            ("msg_method", text(msg_method)),
            ("app_id", text(&self.provider().app_id)),
            ("version", text("1.1")),
            ("biz_content", biz_content.to_string()),
            ("sign_type", text("RSA2")),
            ("charset", text("UTF-8")),
        ])
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

impl Provider for Gateway {
    type Accepted = Accepted;

    fn check(&self, request: &Request, now_ms: i64) -> Result<Accepted, Refusal> {
        if request.path != "/gateway.do" {
            return Err((404, "path"));
        }
        match request.method.as_str() {
            "GET" => {
                let (call, _) = self.check_link(&request.query, now_ms)?;
                let effect = Effect::Open;
                Ok(Accepted { call, effect })
            }
            "POST" => {
                let call = Call::read(request)?;
                self.check_call(&call, now_ms)?;
                let effect = match call.method.as_str() {
                    "alipay.user.certify.open.initialize" => {
                        Effect::Initialize(self.initialize(&call.biz_content, now_ms)?)
                    }
                    "alipay.user.certify.open.query" => {
                        Effect::Query(self.query(&call.biz_content, now_ms)?)
                    }
                    _ => return Err((200, "isv.invalid-method")),
                };
                Ok(Accepted { call, effect })
            }
            _ => Err((405, "method")),
        }
    }

    fn accept(&self, accepted: Accepted) -> Vec<u8> {
        let method = accepted.call.method.clone();
        let mut state = locked(&self.state);
        state.calls.push(accepted.call);
        let answer = match accepted.effect {
            Effect::Open => return html(200, "<p>请在支付宝中继续</p>"),
            Effect::Query(outcome) => outcome,
            Effect::Initialize(certification) => {
                let certify_id = certification.certify_id.clone();
                state.certifications.push(certification);
                json!({ "code": "10000", "msg": "Success", "certify_id": certify_id })
            }
        };
        let form = state.forms.pop_front();
        html(200, &answer::body(&self.alipay_key, &method, answer, form))
    }

    fn refuse(&self, request: &Request, (status, code): Refusal) -> Vec<u8> {
        if status != 200 {
            return html(
                status,
                &format!("<html><body>{status} {code}</body></html>"),
            );
        }
        let error = answer::error(code);
        match request::method_of(request) {
            Some(method) => html(200, &answer::body(&self.alipay_key, &method, error, None)),
            None => html(200, &json!({ "error_response": error }).to_string()),
        }
    }
}

impl Gateway {
    fn check_call(&self, call: &Call, now_ms: i64) -> Result<(), Refusal> {
        call.check(&self.app_id, now_ms)?;
        if !self
            .app_key
            .verifies(&call.text_to_sign(), call.signature()?)
        {
            return Err((200, "isv.invalid-signature"));
        }
        Ok(())
    }

    fn check_link(&self, query: &str, now_ms: i64) -> Result<(Call, String), Refusal> {
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

    fn initialize(&self, content: &Value, now_ms: i64) -> Result<Certification, Refusal> {
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

    fn query(&self, content: &Value, now_ms: i64) -> Result<Value, Refusal> {
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

/// The gateway calls its JSON `text/html` too.
fn html(status: u16, body: &str) -> Vec<u8> {
    let headers = [("content-type", "text/html;charset=utf-8")];
    response("POST", status, &headers, body.as_bytes())
}

/// The parameters by their names; `None` if there are two of a name.
fn by_name(pairs: Vec<(String, String)>) -> Option<BTreeMap<String, String>> {
    let count = pairs.len();
    let parameters: BTreeMap<_, _> = pairs.into_iter().collect();
    (parameters.len() == count).then_some(parameters)
}
