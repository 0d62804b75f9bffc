//! RSA2, which is Alipay's name for RSASSA-PKCS1-v1_5 with SHA-256, written as base64
//! (<https://opendocs.alipay.com/common/02kf5q>).

use std::collections::BTreeMap;

pub use crate::rsa::Key;

/// The text that is signed: sorted by name, raw values, without what is left out.
pub fn text_to_sign(parameters: &BTreeMap<String, String>, left_out: &[&str]) -> String {
    let signed = parameters
        .iter()
        .filter(|(name, _)| !left_out.contains(&name.as_str()));
    let pairs: Vec<_> = signed
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}
