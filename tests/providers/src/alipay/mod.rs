//! Alipay's gateway: the identity check `alipay.user.certify.open.*` and the trades of app payment, requests
//! and answers signed with RSA2.
//!
//! - Signing and verifying: <https://opendocs.alipay.com/common/02kf5q> and the official Node SDK
//!   (`alipay-sdk`: `sign`, `getSignStr`, `checkNotifySign`).
//! - The identity check: <https://docs.open.alipay.com/api_2/alipay.user.certify.open.initialize/>; the
//!   answers' fields are those of the official Java SDK's `AlipayUserCertifyOpenQueryResponse`.
//! - What becomes of a `certify_id`: <https://developer.aliyun.com/ask/285734> (23 hours to act, three months
//!   to ask, then `OPEN_CERTIFY_BILL_NOT_EXIST`).
//! - Trades: the official Java SDK's `AlipayTrade*Model` and `AlipayTrade*Response`, and
//!   <https://opendocs.alipay.com/open/204/105301> for notifications.

mod answer;
mod certification;
mod message;
mod order;
mod request;
mod rsa2;
#[cfg(test)]
mod tests;
mod trade;
mod trades;
mod yuan;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use serde_json::{Value, json};

pub use self::answer::Form;
pub use self::certification::Certification;
pub use self::message::Message;
pub use self::order::Order;
pub use self::request::Call;
use self::rsa2::Key;
use self::trade::Operation;
pub use self::trade::SELLER_ID;
use self::trades::Trades;
use crate::encoding::sha256_hex;
use crate::http::{Request, response};
use crate::keys;
use crate::stand_in::{Provider, Refusal, StandIn, locked};

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
    trades: Trades,
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
    /// At this time.
    Trade(Operation, i64),
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

    /// The next answer that is not a refusal is put together so, the one after it after the next call of
    /// this, then as usual.
    pub fn plan_form(&self, form: Form) {
        locked(&self.provider().state).forms.push_back(form);
    }

    /// A message to the application's gateway, as Alipay sends it.
    pub fn message(&self, msg_method: &str, biz_content: &Value) -> Message {
        let text = |text: &str| text.to_owned();
        Message::new([
            ("notify_id", self.notify_id()),
            ("utc_timestamp", self.now_ms().to_string()),
            ("msg_method", text(msg_method)),
            ("app_id", text(&self.provider().app_id)),
            ("version", text("1.1")),
            ("biz_content", biz_content.to_string()),
            ("sign_type", text("RSA2")),
            ("charset", text("UTF-8")),
        ])
    }

    /// A name for one more message or notification.
    fn notify_id(&self) -> String {
        let mut state = locked(&self.provider().state);
        state.messages += 1;
        sha256_hex(format!("{}{}", self.url(), state.messages))
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
                    method => {
                        let operation = Operation::read(method, &call.biz_content)?;
                        Effect::Trade(operation, now_ms)
                    }
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
            Effect::Trade(operation, now_ms) => state.trades.carry_out(&operation, now_ms),
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
