mod trades;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rsa2::{Key, text_to_sign};
use super::{Alipay, Form, by_name};
use crate::Behaviour;
use crate::encoding::{form_pairs, percent_encoded};
use crate::http::exchange;
use crate::keys;

const APP: &str = "2014072300007148";
const INITIALIZE: &str = "alipay.user.certify.open.initialize";
const CERTIFY: &str = "alipay.user.certify.open.certify";
const QUERY: &str = "alipay.user.certify.open.query";
/// 2018-09-25 22:47:33 in China.
const NOW_MS: i64 = 1_537_886_853_000;
const HOUR_MS: i64 = 60 * 60 * 1000;

fn start() -> Alipay {
    let alipay = Alipay::start(APP);
    alipay.set_clock(NOW_MS);
    alipay
}

fn parameters(method: &str, content: &Value) -> BTreeMap<String, String> {
    let content = content.to_string();
    let parameters = [
        ("app_id", APP),
        ("biz_content", &content),
        ("charset", "utf-8"),
        ("method", method),
        ("sign_type", "RSA2"),
        ("timestamp", "2018-09-25 22:47:33"),
        ("version", "1.0"),
    ];
    parameters
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn sign(parameters: &mut BTreeMap<String, String>) {
    let key = Key::from_pem(keys::APP_PRIVATE_PKCS8);
    let signature = key.sign(&text_to_sign(parameters, &["sign"]));
    parameters.insert("sign".to_owned(), signature);
}

fn encoded(parameters: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect();
    pairs.join("&")
}

/// Sends it as the official SDKs do; the answer's body.
fn send(alipay: &Alipay, mut parameters: BTreeMap<String, String>) -> String {
    let content = parameters.remove("biz_content").unwrap_or_default();
    let body = format!("biz_content={}", percent_encoded(&content));
    let request = format!(
        "POST /gateway.do?{} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        encoded(&parameters),
        body.len()
    );
    let (_, answer) = exchange(alipay.url(), request.as_bytes());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    body.to_owned()
}

fn call(alipay: &Alipay, method: &str, content: &Value) -> String {
    let mut parameters = parameters(method, content);
    sign(&mut parameters);
    send(alipay, parameters)
}

fn response(body: &str, method: &str) -> Value {
    let body: Value = serde_json::from_str(body).expect("JSON");
    body[format!("{}_response", method.replace('.', "_"))].clone()
}

fn identity() -> Value {
    json!({
        "outer_order_no": "ZGYD201809132323000001234",
        "biz_code": "FACE",
        "identity_param": {
            "identity_type": "CERT_INFO",
            "cert_type": "IDENTITY_CARD",
            "cert_name": "张三",
            "cert_no": "260104197909275964",
        },
        "merchant_config": { "return_url": "app://back", "face_reserve_strategy": "never" },
    })
}

fn initialized(alipay: &Alipay) -> String {
    let answer = response(&call(alipay, INITIALIZE, &identity()), INITIALIZE);
    answer["certify_id"].as_str().expect("a name").to_owned()
}

fn ask(alipay: &Alipay, certify_id: &str) -> Value {
    let answer = call(alipay, QUERY, &json!({ "certify_id": certify_id }));
    response(&answer, QUERY)
}

fn is_alipays(text: &str, signature: &str) -> bool {
    Key::from_pem(keys::ALIPAY_PRIVATE).verifies(text, signature)
}

#[test]
fn a_person_is_certified() {
    let alipay = start();
    let certify_id = initialized(&alipay);
    assert_eq!(certify_id.len(), 32);
    assert_eq!(alipay.certifications()[0].cert_name, "张三");

    let mut link = parameters(CERTIFY, &json!({ "certify_id": certify_id }));
    sign(&mut link);
    let url = |link: &_| format!("{}/gateway.do?{}", alipay.url(), encoded(link));
    assert_eq!(alipay.check_link(&url(&link)), Ok(certify_id.clone()));
    link.insert("timestamp".to_owned(), "2018-09-25 22:47:34".to_owned());
    assert_eq!(alipay.check_link(&url(&link)), Err("isv.invalid-signature"));

    assert_eq!(ask(&alipay, &certify_id)["passed"], "F");
    alipay.pass(&certify_id);
    assert_eq!(ask(&alipay, &certify_id)["passed"], "T");
    assert_eq!((alipay.calls(QUERY).len(), alipay.refusals().len()), (2, 0));
}

#[test]
fn a_certify_id_ends_unless_the_person_acted() {
    let alipay = start();
    let certify_id = initialized(&alipay);
    // The requests' own timestamp stays within its day.
    alipay.set_clock(NOW_MS + 23 * HOUR_MS);
    assert_eq!(
        ask(&alipay, &certify_id)["sub_code"],
        "OPEN_CERTIFY_BILL_NOT_EXIST"
    );
    alipay.set_clock(NOW_MS + 23 * HOUR_MS - 1);
    alipay.fail(&certify_id, "Z1147");
    alipay.set_clock(NOW_MS + 23 * HOUR_MS);
    assert_eq!(ask(&alipay, &certify_id)["fail_reason"], "Z1147");
}

#[test]
fn what_is_not_in_order_is_refused_with_a_signed_answer() {
    let alipay = start();
    for (name, value, code) in [
        ("app_id", "1", "isv.invalid-app-id"),
        ("charset", "GBK", "isv.invalid-charset"),
        ("method", "alipay.other", "isv.invalid-method"),
        ("sign_type", "RSA", "isv.invalid-signature-type"),
        ("timestamp", "2018-09-24 22:47:32", "isv.invalid-timestamp"),
        ("biz_content", "{}", "INVALID_PARAMETER"),
    ] {
        let mut changed = parameters(INITIALIZE, &identity());
        changed.insert(name.to_owned(), value.to_owned());
        sign(&mut changed);
        let method = changed["method"].clone();
        let answer = send(&alipay, changed);
        let raw = answer.split_once(':').expect("a member").1;
        let (raw, signature) = raw.split_once(r#","sign":""#).expect("a signature");
        assert!(is_alipays(raw, signature.trim_end_matches("\"}")), "{name}");
        assert_eq!(response(&answer, &method)["sub_code"], code);
    }
    initialized(&alipay);
    call(&alipay, INITIALIZE, &identity());
    assert_eq!(
        alipay.refusals().last(),
        Some(&"INVALID_PARAMETER"),
        "the same order again"
    );
    assert_eq!(alipay.calls(INITIALIZE).len(), 1);
}

#[test]
fn a_planned_refusal_has_no_effect() {
    let alipay = start();
    alipay.plan(Behaviour::Refuse(200, "SYSTEM_ERROR"));
    let answer = response(&call(&alipay, INITIALIZE, &identity()), INITIALIZE);
    assert_eq!(
        (&answer["code"], &answer["sub_code"]),
        (&json!("40004"), &json!("SYSTEM_ERROR"))
    );
    alipay.plan(Behaviour::Refuse(500, "broken"));
    assert!(call(&alipay, INITIALIZE, &identity()).starts_with("<html>"));
    assert!(alipay.certifications().is_empty());
}

#[test]
fn a_respelled_answer_verifies_over_its_raw_text() {
    let alipay = start();
    let certify_id = initialized(&alipay);
    alipay.plan_form(Form::Respelled);
    let answer = call(&alipay, QUERY, &json!({ "certify_id": certify_id }));
    assert_eq!(response(&answer, QUERY)["passed"], "F");
    let parsed: Value = serde_json::from_str(&answer).expect("JSON");
    let raw = answer.rsplit_once("\"\t:  ").expect("the member").1;
    let raw = raw.strip_suffix(" }\n").expect("the end");
    assert!(is_alipays(
        raw,
        parsed["sign"].as_str().expect("a signature")
    ));
}

#[test]
fn messages_are_signed_with_or_without_the_type_and_can_be_spoilt() {
    let alipay = start();
    let message = || alipay.message("some.method", &json!({ "certify_id": "张+/=&" }));
    let verifies = |form: String, left_out: &[&str]| {
        let pairs = form_pairs(&form).expect("a form");
        let parameters = by_name(pairs).expect("one of each");
        is_alipays(&text_to_sign(&parameters, left_out), &parameters["sign"])
    };
    let usual = ["sign", "sign_type"];
    assert!(verifies(message().form(), &usual));
    assert!(verifies(message().with("empty", "").form(), &usual));
    assert!(verifies(
        message().with_signed_sign_type().form(),
        &["sign"]
    ));
    assert!(!verifies(message().by_other_key().form(), &usual));
    assert!(!verifies(message().tampered("app_id", "1").form(), &usual));
    let ids = [message().form(), message().form()].map(|form| form_pairs(&form).expect("a form"));
    assert_ne!(ids[0], ids[1], "each message has an id of its own");
}
