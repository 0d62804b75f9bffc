//! WeChat's signatures, and forgeries of them.

use super::{CERTIFICATE_SERIAL, PUBLIC_KEY_ID};
use crate::keys;
use crate::rsa::Key;

/// How an answer or a notification is signed otherwise than with WeChat's public key of today. A client must
/// take `Certificate` and none of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With the platform certificate, which goes on while a merchant moves away from it.
    Certificate,
    /// Without any of the headers.
    Unsigned,
    /// Without one header.
    Without(&'static str),
    /// With one header twice.
    Doubled(&'static str),
    /// With a key that is not WeChat's, under the name of one that is.
    OtherKey,
    /// With a key that is not WeChat's, under a name of its own.
    UnknownSerial,
    /// With WeChat's signature of another body.
    OtherText,
    /// Rightly, six minutes ago: beyond the five that are allowed, however long the call itself took.
    Stale,
    /// As WeChat does to see whether merchants verify.
    SignTest,
    /// A signature that is no base64.
    Garbled,
}

/// Signs as WeChat does.
pub struct Signer {
    public_key: Key,
    certificate: Key,
}

impl Signer {
    /// One with both of WeChat's keys.
    pub fn new() -> Self {
        Self {
            public_key: Key::from_pem(keys::WECHAT_PUBLIC_KEY_PRIVATE),
            certificate: Key::from_pem(keys::WECHAT_CERTIFICATE_PRIVATE),
        }
    }

    /// The headers that go with a body.
    pub fn headers(
        &self,
        body: &str,
        now_ms: i64,
        nonce: &str,
        form: Option<Form>,
    ) -> Vec<(&'static str, String)> {
        let age = if form == Some(Form::Stale) { 360 } else { 0 };
        let timestamp = (now_ms.div_euclid(1000) - age).to_string();
        let text = match form {
            Some(Form::OtherText) => format!("{timestamp}\n{nonce}\n{body} \n"),
            _ => format!("{timestamp}\n{nonce}\n{body}\n"),
        };
        let other_key = || Key::from_pem(keys::OTHER_PRIVATE);
        let (serial, signature) = match form {
            Some(Form::Certificate) => (CERTIFICATE_SERIAL, self.certificate.sign(&text)),
            Some(Form::OtherKey) => (PUBLIC_KEY_ID, other_key().sign(&text)),
            Some(Form::UnknownSerial) => ("PUB_KEY_ID_0119000001092099", other_key().sign(&text)),
            Some(Form::SignTest) => {
                let signature = self.public_key.sign(&text);
                (PUBLIC_KEY_ID, format!("WECHATPAY/SIGNTEST/{signature}"))
            }
            Some(Form::Garbled) => (PUBLIC_KEY_ID, "not*base64".to_owned()),
            _ => (PUBLIC_KEY_ID, self.public_key.sign(&text)),
        };
        let mut headers = vec![
            ("wechatpay-timestamp", timestamp),
            ("wechatpay-nonce", nonce.to_owned()),
            ("wechatpay-serial", serial.to_owned()),
            ("wechatpay-signature", signature),
            (
                "wechatpay-signature-type",
                "WECHATPAY2-SHA256-RSA2048".to_owned(),
            ),
        ];
        match form {
            Some(Form::Unsigned) => headers.clear(),
            Some(Form::Without(left_out)) => headers.retain(|(name, _)| *name != left_out),
            Some(Form::Doubled(doubled)) => {
                let again = headers.iter().find(|(name, _)| *name == doubled).cloned();
                headers.extend(again);
            }
            _ => {}
        }
        headers
    }
}
