//! Messages that Alipay sends to an application's gateway: a form that is signed with RSA2 over all its
//! parameters but `sign` and `sign_type` (official Node SDK: `checkNotifySign`).

use std::collections::BTreeMap;

use super::rsa2::{Key, text_to_sign};
use crate::encoding::percent_encoded;
use crate::keys;

/// A message to be sent; anything about it can be changed first.
#[must_use]
pub struct Message {
    parameters: BTreeMap<String, String>,
    changed_afterwards: BTreeMap<String, String>,
    key: &'static str,
    left_out: &'static [&'static str],
}

impl Message {
    pub(super) fn new<const N: usize>(parameters: [(&str, String); N]) -> Self {
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
        Self {
            parameters: parameters.into(),
            changed_afterwards: BTreeMap::new(),
            key: keys::ALIPAY_PRIVATE,
            left_out: &["sign", "sign_type"],
        }
    }

    /// Sets a parameter before the message is signed.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves a parameter out before the message is signed.
    pub fn without(mut self, name: &str) -> Self {
        self.parameters.remove(name);
        self
    }

    /// Sets a parameter after the message was signed, `sign` included.
    pub fn tampered(mut self, name: &str, value: &str) -> Self {
        self.changed_afterwards
            .insert(name.to_owned(), value.to_owned());
        self
    }

    /// Signs it with a key that is not Alipay's.
    pub fn by_other_key(mut self) -> Self {
        self.key = keys::OTHER_PRIVATE;
        self
    }

    /// Signs `sign_type` too. The official Node SDK (`checkNotifySign`) takes a signature either way.
    pub fn with_signed_sign_type(mut self) -> Self {
        self.left_out = &["sign"];
        self
    }

    /// The body of the POST, `application/x-www-form-urlencoded`.
    pub fn form(&self) -> String {
        let mut parameters = self.parameters.clone();
        let signature = Key::from_pem(self.key).sign(&text_to_sign(&parameters, self.left_out));
        parameters.insert("sign".to_owned(), signature);
        parameters.extend(self.changed_afterwards.clone());
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
            .collect();
        pairs.join("&")
    }
}
