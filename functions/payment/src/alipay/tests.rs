//! What the tests of these files share: an application, and Alipay's side of it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::{Value, json};
use shared::alipay::App;
use shared::crypto::rsa::PrivateKey;
use shared::time::Timestamp;
use url::form_urlencoded;

/// 2019-08-15 15:56:25 in China.
pub const NOW: Timestamp = Timestamp(1_565_855_785_000);

pub fn app() -> App {
    App::new(
        "https://openapi.alipay.com".to_owned(),
        "2019073166072302".to_owned(),
        include_str!("../../../../shared/testdata/rsa/key-pkcs8.pem").to_owned(),
        include_str!("../../../../shared/testdata/rsa/other-public-spki.pem").to_owned(),
    )
}

/// A signature by the key that plays Alipay's.
fn signed_by_alipay(text: &str) -> String {
    let key = include_str!("../../../../shared/testdata/rsa/other-key-pkcs8.pem");
    let key = PrivateKey::from_text(key).unwrap();
    STANDARD.encode(key.sign(text.as_bytes(), &mut shared::random::host()))
}

/// The gateway's body around the response `content` to `method`.
pub fn signed_answer(method: &str, content: &Value) -> Vec<u8> {
    let name = response_name(method);
    let sign = signed_by_alipay(&content.to_string());
    format!(r#"{{"{name}":{content},"sign":"{sign}"}}"#).into_bytes()
}

/// A response that refuses.
pub fn refused(sub_code: &str) -> Value {
    let code = match sub_code {
        "ACQ.SYSTEM_ERROR" => "20000",
        _ => "40004",
    };
    json!({ "code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "拒绝" })
}

/// The bodies of refusals that prove nothing.
pub fn unsigned_refusal(method: &str, sub_code: &str) -> [String; 2] {
    let (name, content) = (response_name(method), refused(sub_code));
    let sign = signed_by_alipay(&content.to_string());
    [
        format!(r#"{{"{name}":{content}}}"#),
        format!(r#"{{"error_response":{content},"sign":"{sign}"}}"#),
    ]
}

fn response_name(method: &str) -> String {
    format!("{}_response", method.replace('.', "_"))
}

pub fn form(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

/// A notification's body.
pub fn signed_form(parameters: &[(&str, &str)]) -> String {
    let sorted: BTreeMap<_, _> = parameters.iter().copied().collect();
    let text: Vec<_> = sorted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let sign = signed_by_alipay(&text.join("&"));
    let end = form(&[("sign", &sign), ("sign_type", "RSA2")]);
    format!("{}&{end}", form(parameters))
}

pub fn decoded(form: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(form.as_bytes())
        .into_owned()
        .collect()
}

/// The request calls `method` with exactly `content`, and keeps it out of the address.
pub fn assert_call(request: &Request<Vec<u8>>, method: &str, content: &Value) {
    let query = decoded(request.uri().query().unwrap());
    assert_eq!(query["method"], method);
    let form = decoded(std::str::from_utf8(request.body()).unwrap());
    let sent: Value = serde_json::from_str(&form["biz_content"]).unwrap();
    assert_eq!(&sent, content);
    assert!(!query.contains_key("biz_content"));
}
