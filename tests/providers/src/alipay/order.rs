//! Order strings, as Alipay's app on the payer's phone reads them (official Node SDK: `sdkExecute`; official
//! Java SDK: `AlipayTradeAppPayModel`).

use serde_json::Value;

use super::request::{Call, in_china};
use super::{Gateway, yuan};

/// An order as its string says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// The application's number.
    pub out_trade_no: String,
    /// What the payer reads.
    pub subject: String,
    /// The amount.
    pub total_fen: i64,
    /// From then on it cannot be paid.
    pub expires_at_ms: i64,
    /// Where notifications go.
    pub notify_url: String,
    /// All that Alipay is told of the order.
    pub biz_content: Value,
}

impl Gateway {
    /// Checks an order string.
    pub(super) fn order(&self, text: &str, now_ms: i64) -> Result<Order, &'static str> {
        // What the phone does not find encoded, it does not take apart as it was put together.
        let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"%&*+-._~=".contains(&byte);
        if !text.bytes().all(is_encoded) {
            return Err("order-string-not-encoded");
        }
        let call = Call::read_link(text).map_err(|(_, code)| code)?;
        self.check_call(&call, now_ms).map_err(|(_, code)| code)?;
        if call.method != "alipay.trade.app.pay" {
            return Err("isv.invalid-method");
        }
        read(&call, now_ms)
    }
}

fn read(call: &Call, now_ms: i64) -> Result<Order, &'static str> {
    const INVALID: &str = "ACQ.INVALID_PARAMETER";
    let content = |name: &str| call.biz_content[name].as_str().ok_or(INVALID);
    let out_trade_no = content("out_trade_no")?;
    let subject = content("subject")?;
    let notify_url = call.parameters.get("notify_url").ok_or(INVALID)?;
    let is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| notify_url.starts_with(scheme));
    let is_in_order = is_number(out_trade_no)
        && matches!(subject.chars().count(), 1..=256)
        && !subject.contains(['/', '=', '&'])
        && content("product_code")? == "QUICK_MSECURITY_PAY"
        && is_web
        && notify_url.len() <= 256;
    if !is_in_order {
        return Err(INVALID);
    }
    let total_fen = yuan::read(content("total_amount")?).ok_or(INVALID)?;
    let expires_at_ms = in_china(content("time_expire")?).ok_or(INVALID)?;
    if expires_at_ms <= now_ms {
        return Err("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR");
    }
    Ok(Order {
        out_trade_no: out_trade_no.to_owned(),
        subject: subject.to_owned(),
        total_fen,
        expires_at_ms,
        notify_url: notify_url.clone(),
        biz_content: call.biz_content.clone(),
    })
}

/// A merchant's number: 1 to 64 letters, digits and underscores.
pub fn is_number(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    matches!(text.len(), 1..=64) && text.bytes().all(is_plain)
}
