//! WeChat Pay v3 as one merchant sees it: orders in the app and in pages within WeChat, refunds, signed
//! answers, signed and encrypted notifications.
//!
//! - Orders: <https://pay.weixin.qq.com/docs/merchant/products/in-app-payment/apilist.html>,
//!   <https://pay.weixin.qq.com/doc/v3/merchant/4012525167>; closing and its codes:
//!   <https://pay.weixin.qq.com/doc/v3/merchant/4012556398>.
//! - Refunds: <https://pay.weixin.qq.com/doc/v3/partner/4012709253>, without what only partners send.
//! - Signatures and encryption: the official SDK `wechatpay-apiv3/wechatpay-go` (`core/auth`, `core/notify`).
//!
//! Stricter than WeChat in one thing: a field that the application has no need to send is refused (clause
//! E27). Every answer is signed, refusals too; an unsigned one has to be planned.

mod book;
mod call_up;
mod notification;
mod request;
mod signing;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::{Value, json};

pub use self::book::RefundStatus;
use self::book::{Book, Command};
pub use self::notification::{Notification, Post};
pub use self::request::Call;
pub use self::signing::Form;
use self::signing::Signer;
use crate::encoding::sha256_hex;
use crate::http::{Request, response};
use crate::keys;
use crate::rsa::Key;
use crate::stand_in::{Provider, Refusal, StandIn, locked};

/// The merchant.
pub const MCHID: &str = "1900000109";
/// The merchant's mobile app.
pub const APPID: &str = "wxd678efh567hg6787";
/// The merchant's official account.
pub const JSAPI_APPID: &str = "wx8888888888888888";
/// The serial number of the merchant's certificate.
pub const SERIAL: &str = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C";
/// The key under which notifications are encrypted.
pub const APIV3_KEY: &str = "stand-in-apiv3-key-of-32-bytes-!";
/// The name of [`keys::WECHAT_PUBLIC_KEY`].
pub const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092024";
/// The serial number of the platform certificate with [`keys::WECHAT_CERTIFICATE`].
pub const CERTIFICATE_SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";

/// A running stand-in of WeChat Pay.
pub type WechatPay = StandIn<Api>;

/// The interface, as the one merchant sees it.
pub struct Api {
    merchant_key: Key,
    signer: Signer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    book: Book,
    calls: Vec<Call>,
    forms: VecDeque<Form>,
    /// When the request that is being answered came.
    now_ms: i64,
    nonces: u64,
}

/// A request that is in order, and what it asks for.
pub struct Accepted {
    call: Call,
    command: Command,
}

impl StandIn<Api> {
    /// Starts one that knows the merchant by the public half of [`keys::APP_PRIVATE_PKCS8`].
    pub fn start() -> Self {
        Self::serve(Api {
            merchant_key: Key::from_pem(keys::APP_PRIVATE_PKCS8),
            signer: Signer::new(),
            state: Mutex::default(),
        })
    }

    /// The texts of the application's variables with which it is the merchant here. `notify_url` ends in
    /// `/payment`.
    pub fn variables(&self, notify_url: &str) -> [(&'static str, String); 9] {
        let platform_keys = json!({
            PUBLIC_KEY_ID: keys::WECHAT_PUBLIC_KEY,
            CERTIFICATE_SERIAL: keys::WECHAT_CERTIFICATE,
        });
        [
            ("wechat_pay_base_url", self.url().to_owned()),
            ("wechat_pay_mchid", MCHID.to_owned()),
            ("wechat_pay_appid", APPID.to_owned()),
            ("wechat_pay_jsapi_appid", JSAPI_APPID.to_owned()),
            ("wechat_pay_serial", SERIAL.to_owned()),
            ("wechat_pay_private_key", keys::APP_PRIVATE_PKCS8.to_owned()),
            ("wechat_pay_apiv3_key", APIV3_KEY.to_owned()),
            ("wechat_pay_platform_keys", platform_keys.to_string()),
            ("wechat_pay_notify_url", notify_url.to_owned()),
        ]
    }

    /// The accepted requests, in order.
    pub fn calls(&self) -> Vec<Call> {
        locked(&self.provider().state).calls.clone()
    }

    /// The next answer, refusals included, is signed so, the one after it after the next call of this, then
    /// as usual.
    pub fn plan_form(&self, form: Form) {
        locked(&self.provider().state).forms.push_back(form);
    }

    /// The order's state as a query would tell it, such as `NOTPAY`; `None` if nobody announced it.
    pub fn trade_state(&self, out_trade_no: &str) -> Option<&'static str> {
        locked(&self.provider().state)
            .book
            .trade_state(out_trade_no)
    }

    /// From now on a query tells this state of an order, such as `REVOKED`, or `REFUND` after one in the console.
    ///
    /// # Panics
    /// If nobody announced it.
    pub fn tell_state(&self, out_trade_no: &str, state: &'static str) {
        let mut state_of_all = locked(&self.provider().state);
        let told = state_of_all.book.tell_state(out_trade_no, state);
        drop(state_of_all);
        told.expect("an order that was announced");
    }

    /// The payer pays.
    ///
    /// # Panics
    /// If the order is none that can still be paid.
    pub fn pay(&self, out_trade_no: &str) {
        let now_ms = self.now_ms();
        let paid = locked(&self.provider().state)
            .book
            .pay(out_trade_no, now_ms);
        paid.expect("an order that can be paid");
    }

    /// A refund that goes on, or waits for a person, comes to this.
    ///
    /// # Panics
    /// If the refund is none that could.
    pub fn settle_refund(&self, out_refund_no: &str, status: RefundStatus) {
        let now_ms = self.now_ms();
        let mut state = locked(&self.provider().state);
        let settled = state.book.settle_refund(out_refund_no, status, now_ms);
        settled.expect("a refund that is not at its end");
    }

    /// What the mobile SDK does with the parameters that the application gave to the app: the order's
    /// number, if they call up a payment.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check_app_call(&self, parameters: &Value) -> Result<String, &'static str> {
        let prepay_id = call_up::app(parameters, &self.provider().merchant_key)?;
        self.prepaid(&prepay_id, "APP")
    }

    /// What `WeixinJSBridge` does with the parameters that the application gave to the page: the order's
    /// number, if they call up a payment.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check_jsapi_call(&self, parameters: &Value) -> Result<String, &'static str> {
        let prepay_id = call_up::jsapi(parameters, &self.provider().merchant_key)?;
        self.prepaid(&prepay_id, "JSAPI")
    }

    fn prepaid(&self, prepay_id: &str, trade_type: &str) -> Result<String, &'static str> {
        let now_ms = self.now_ms();
        let state = locked(&self.provider().state);
        state.book.prepaid(prepay_id, trade_type, now_ms)
    }

    /// The notification that an order was paid.
    ///
    /// # Panics
    /// If it was not.
    pub fn payment_notification(&self, out_trade_no: &str) -> Notification {
        let state = locked(&self.provider().state);
        let told = state.book.payment_notice(out_trade_no);
        let (url, content) = told.expect("an order that is paid");
        drop(state);
        self.notification("TRANSACTION.SUCCESS", "transaction", &content)
            .to(&url)
    }

    /// The notification of how a refund ended.
    ///
    /// # Panics
    /// If it did not.
    pub fn refund_notification(&self, out_refund_no: &str) -> Notification {
        let state = locked(&self.provider().state);
        let told = state.book.refund_notice(out_refund_no);
        let (url, event_type, content) = told.expect("a refund at its end");
        drop(state);
        self.notification(event_type, "refund", &content).to(&url)
    }

    /// The answer to a question about this order, as bytes on the wire.
    ///
    /// # Panics
    /// If nobody announced it.
    pub fn order_answer(&self, out_trade_no: &str) -> Vec<u8> {
        self.answer_to(&Command::Query(out_trade_no.to_owned()))
    }

    /// The answer to a question about this refund, or to asking for it, as bytes on the wire.
    ///
    /// # Panics
    /// If nobody asked for it.
    pub fn refund_answer(&self, out_refund_no: &str) -> Vec<u8> {
        self.answer_to(&Command::QueryRefund(out_refund_no.to_owned()))
    }

    fn answer_to(&self, question: &Command) -> Vec<u8> {
        let now_ms = self.now_ms();
        let api = self.provider();
        let mut state = locked(&api.state);
        state.now_ms = now_ms;
        let content = state.book.apply(question, now_ms);
        drop(state);
        let content = content.ok().flatten().expect("something that is known");
        api.answer(200, &content.to_string())
    }

    /// Any notification, without an address. The same content makes the same `id`.
    pub fn notification(
        &self,
        event_type: &str,
        original_type: &str,
        content: &Value,
    ) -> Notification {
        let now_ms = self.now_ms();
        let nonce = self.provider().nonce();
        Notification::new(event_type, original_type, content, now_ms, nonce)
    }
}

impl Provider for Api {
    type Accepted = Accepted;

    fn check(&self, request: &Request, now_ms: i64) -> Result<Accepted, Refusal> {
        let mut state = locked(&self.state);
        state.now_ms = now_ms;
        let call = request::check(request, &self.merchant_key, now_ms)?;
        let command = call.command()?;
        state.book.clone().apply(&command, now_ms)?;
        Ok(Accepted { call, command })
    }

    fn accept(&self, accepted: Accepted) -> Vec<u8> {
        let mut state = locked(&self.state);
        state.calls.push(accepted.call);
        let now_ms = state.now_ms;
        let outcome = state.book.apply(&accepted.command, now_ms);
        drop(state);
        match outcome {
            Ok(None) => self.answer(204, ""),
            Ok(Some(content)) => self.answer(200, &content.to_string()),
            Err(refusal) => self.refusal(refusal),
        }
    }

    fn refuse(&self, _: &Request, refusal: Refusal) -> Vec<u8> {
        self.refusal(refusal)
    }
}

impl Api {
    fn refusal(&self, (status, code): Refusal) -> Vec<u8> {
        let body = json!({ "code": code, "message": "拒绝" });
        self.answer(status, &body.to_string())
    }

    fn answer(&self, status: u16, body: &str) -> Vec<u8> {
        let nonce = self.nonce();
        let mut state = locked(&self.state);
        let (now_ms, form) = (state.now_ms, state.forms.pop_front());
        drop(state);
        let signed = self.signer.headers(body, now_ms, &nonce, form);
        let mut headers = vec![("content-type", "application/json; charset=utf-8")];
        headers.extend(signed.iter().map(|(name, value)| (*name, value.as_str())));
        response("POST", status, &headers, body.as_bytes())
    }

    /// 32 characters that did not come before.
    fn nonce(&self) -> String {
        let mut state = locked(&self.state);
        state.nonces += 1;
        sha256_hex(format!("nonce {}", state.nonces))[..32].to_owned()
    }
}
