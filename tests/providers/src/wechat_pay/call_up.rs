//! The parameters with which an app or a page calls a payment up, as the fields of the official SDK's
//! `services/payments/app` and `services/payments/jsapi`.

use serde_json::Value;

use super::{APPID, JSAPI_APPID, MCHID};
use crate::rsa::Key;

/// The `prepay_id` in the parameters for the mobile SDK.
pub fn app(parameters: &Value, merchant_key: &Key) -> Result<String, &'static str> {
    let text = |name| text(parameters, name);
    let prepay_id = text("prepayid")?;
    is(text("appid")? == APPID, "appid")?;
    is(text("partnerid")? == MCHID, "partnerid")?;
    is(text("package")? == "Sign=WXPay", "package")?;
    let lines = [APPID, text("timestamp")?, text("noncestr")?, prepay_id];
    check_sign(lines, text("sign")?, merchant_key)?;
    is_complete(parameters, 7)?;
    Ok(prepay_id.to_owned())
}

/// The `prepay_id` in the parameters for `WeixinJSBridge`.
pub fn jsapi(parameters: &Value, merchant_key: &Key) -> Result<String, &'static str> {
    let text = |name| text(parameters, name);
    let package = text("package")?;
    let prepay_id = package.strip_prefix("prepay_id=").ok_or("package")?;
    is(text("appId")? == JSAPI_APPID, "appId")?;
    is(text("signType")? == "RSA", "signType")?;
    let lines = [JSAPI_APPID, text("timeStamp")?, text("nonceStr")?, package];
    check_sign(lines, text("paySign")?, merchant_key)?;
    is_complete(parameters, 6)?;
    Ok(prepay_id.to_owned())
}

fn text<'a>(parameters: &'a Value, name: &'static str) -> Result<&'a str, &'static str> {
    let text = parameters[name].as_str().filter(|text| !text.is_empty());
    text.ok_or(name)
}

fn is(is_met: bool, what: &'static str) -> Result<(), &'static str> {
    is_met.then_some(()).ok_or(what)
}

/// The time is in seconds and the nonce has 32 characters at most.
fn check_sign(lines: [&str; 4], sign: &str, merchant_key: &Key) -> Result<(), &'static str> {
    let [_, timestamp, nonce, _] = lines;
    let is_time = timestamp.len() == 10 && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    is(is_time, "timestamp")?;
    is(nonce.len() <= 32, "nonce")?;
    let text = format!("{}\n", lines.join("\n"));
    is(merchant_key.verifies(&text, sign), "sign")
}

fn is_complete(parameters: &Value, count: usize) -> Result<(), &'static str> {
    let members = parameters.as_object().map(serde_json::Map::len);
    is(members == Some(count), "other parameters")
}
