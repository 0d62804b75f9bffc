//! How the gateway puts an answer together: the response's member, and a signature over its raw text.

use serde_json::{Map, Value, json};

use super::rsa2::Key;
use crate::keys;

/// How the next answer that is not a refusal is put together. Only `Respelled` and `Listed` are answers that
/// Alipay could give; a client must take those two and none of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The same meaning in other characters: white space, escapes, another order, the signature first, and
    /// texts that look like members. Who verifies the raw text does not mind.
    Respelled,
    /// `passed` as the list that the official Java SDK declares it to be.
    Listed,
    /// Without a signature.
    Unsigned,
    /// A signature that is no base64.
    Garbled,
    /// Signed with a key that is not Alipay's.
    OtherKey,
    /// With Alipay's signature of another response.
    OtherText,
    /// Alipay's signed response to another method.
    OtherMethod,
    /// A forged response in front of the signed one, under the same name.
    DoubledFirst,
    /// A forged response behind the signed one, under the same name.
    DoubledLast,
    /// The unsigned `error_response` that the gateway gives where it cannot tell whom to answer.
    ErrorResponse,
}

/// The body for a response to a method.
pub fn body(key: &Key, method: &str, mut response: Value, form: Option<Form>) -> String {
    let name = member(method);
    let other_name = member(match method {
        "alipay.trade.query" => "alipay.trade.close",
        _ => "alipay.trade.query",
    });
    if form == Some(Form::Listed)
        && let Some(passed) = response.get_mut("passed")
    {
        *passed = json!([passed.take()]);
    }
    let text = response.to_string();
    let signature = key.sign(&text);
    let forged = forged(&response);
    match form {
        None | Some(Form::Listed) => signed(&name, &text, &signature),
        Some(Form::Respelled) => respelled(key, &name, &response, &forged),
        Some(Form::Unsigned) => format!(r#"{{"{name}":{text}}}"#),
        Some(Form::Garbled) => signed(&name, &text, "not*base64"),
        Some(Form::OtherKey) => {
            let other = Key::from_pem(keys::OTHER_PRIVATE);
            signed(&name, &text, &other.sign(&text))
        }
        Some(Form::OtherText) => signed(&name, &forged.to_string(), &signature),
        Some(Form::OtherMethod) => signed(&other_name, &text, &signature),
        Some(Form::DoubledFirst) => {
            format!(r#"{{"{name}":{forged},"{name}":{text},"sign":"{signature}"}}"#)
        }
        Some(Form::DoubledLast) => {
            format!(r#"{{"{name}":{text},"{name}":{forged},"sign":"{signature}"}}"#)
        }
        Some(Form::ErrorResponse) => {
            format!(r#"{{"error_response":{}}}"#, error("isp.unknow-error"))
        }
    }
}

/// The response that tells of an error; the gateway's codes are those of
/// <https://opendocs.alipay.com/common/02km9f>.
pub fn error(sub_code: &str) -> Value {
    let (code, msg) = match sub_code {
        _ if sub_code.starts_with("isp.") || sub_code.starts_with("aop.") => {
            ("20000", "Service Currently Unavailable")
        }
        _ if sub_code.starts_with("isv.missing-") => ("40001", "Missing Required Arguments"),
        _ if sub_code.starts_with("isv.insufficient-") => ("40006", "Insufficient Permissions"),
        _ if sub_code.starts_with("isv.") => ("40002", "Invalid Arguments"),
        _ => ("40004", "Business Failed"),
    };
    json!({ "code": code, "msg": msg, "sub_code": sub_code, "sub_msg": "拒绝" })
}

/// The same response, but all went as an application may wish.
fn forged(response: &Value) -> Value {
    let mut forged = response.clone();
    let certify_id = "f".repeat(32);
    for (name, text) in [
        ("code", "10000"),
        ("msg", "Success"),
        ("certify_id", &certify_id),
        ("passed", "T"),
        ("trade_status", "TRADE_SUCCESS"),
        ("fund_change", "Y"),
        ("refund_status", "REFUND_SUCCESS"),
    ] {
        forged[name] = json!(text);
    }
    forged
}

fn member(method: &str) -> String {
    format!("{}_response", method.replace('.', "_"))
}

fn signed(name: &str, text: &str, signature: &str) -> String {
    format!(r#"{{"{name}":{text},"sign":"{signature}"}}"#)
}

fn respelled(key: &Key, name: &str, response: &Value, forged: &Value) -> String {
    let empty = Map::new();
    let mut members: Vec<_> = response
        .as_object()
        .unwrap_or(&empty)
        .iter()
        .map(|(name, value)| format!("{} :\t{}", escaped(name), respelled_value(value)))
        .collect();
    members.reverse();
    members.push(format!(
        r#""note" : {{"sign":"}}],\\\"", "{name}" : {forged}}}"#
    ));
    let text = format!("{{\r\n  {}\n }}", members.join(" ,\n  "));
    let signature = key.sign(&text).replace('/', "\\/");
    let decoy = Value::from(format!(r#""{name}":{forged},"sign":""#));
    format!("{{ \"sign\" : \"{signature}\" ,\n\"note\":{decoy}, \"{name}\"\t:  {text} }}\n")
}

fn respelled_value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), escaped)
}

/// A JSON text in which every character is an escape.
fn escaped(text: &str) -> String {
    let units: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04X}"))
        .collect();
    format!("\"{units}\"")
}
