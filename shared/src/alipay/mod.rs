//! Alipay's open platform: signed requests, verified answers, verified notifications.
//!
//! Pure but for [`App::configured`]: sending is [`crate::outbound`]'s. The signature is RSA2, which is
//! SHA256withRSA, over text that is put together as
//! <https://opendocs.alipay.com/common/057k53> (requests) and
//! <https://opendocs.alipay.com/common/02mse7> (answers and notifications) say. Where these leave a choice,
//! it is made as Alipay's own SDKs make it (`alipay/alipay-sdk-java-all`, `alipay/alipay-sdk-nodejs-all`).

mod answer;
pub mod china_time;
mod notification;
mod request;

pub use answer::{AnswerError, Refusal};
pub use notification::{Notification, NotificationError};

use crate::crypto::rsa::{LazyKey, PrivateKey, PublicKey};
use crate::variables::{self, Misconfigured};

const GATEWAY_HOST: &str = "alipay_gateway_host";
const APP_ID: &str = "alipay_app_id";
const APP_PRIVATE_KEY: &str = "alipay_app_private_key";
const ALIPAY_PUBLIC_KEY: &str = "alipay_public_key";

/// Our application at Alipay.
pub struct App {
    /// `https://host[:port]`
    gateway_host: String,
    id: String,
    private_key: LazyKey<PrivateKey>,
    /// Alipay's, not the application's own.
    alipay_public_key: LazyKey<PublicKey>,
}

impl App {
    /// The application as the variables `alipay_gateway_host`, `alipay_app_id`,
    /// `alipay_app_private_key` and `alipay_public_key` describe it.
    ///
    /// # Errors
    /// One of them is not declared, or empty.
    pub fn configured() -> Result<Self, Misconfigured> {
        Ok(Self::new(
            variables::required(GATEWAY_HOST)?,
            variables::required(APP_ID)?,
            variables::required(APP_PRIVATE_KEY)?,
            variables::required(ALIPAY_PUBLIC_KEY)?,
        ))
    }

    /// The application that these texts describe: the gateway (`https://host[:port]`), the application's id,
    /// its own private key, Alipay's public key. They are read where they are needed and not before.
    pub fn new(
        gateway_host: String,
        id: String,
        app_private_key: String,
        alipay_public_key: String,
    ) -> Self {
        Self {
            gateway_host,
            id,
            private_key: LazyKey::private(APP_PRIVATE_KEY, app_private_key),
            alipay_public_key: LazyKey::public(ALIPAY_PUBLIC_KEY, alipay_public_key),
        }
    }
}

/// What is signed: `name=value` joined by `&`, the values as they are. `parameters` come sorted by name.
fn signed_text<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<_> = parameters
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::random;

    pub(super) const APP_ID: &str = "2021000000000000";

    pub(super) fn app() -> App {
        App::new(
            "https://openapi.alipay.com".to_owned(),
            APP_ID.to_owned(),
            include_str!("../../testdata/rsa/key-pkcs8.pem").to_owned(),
            include_str!("../../testdata/rsa/other-public-spki.pem").to_owned(),
        )
    }

    /// A signature by the key that plays Alipay's.
    pub(super) fn signed_by_alipay(text: &str) -> String {
        let key = include_str!("../../testdata/rsa/other-key-pkcs8.pem");
        let key = PrivateKey::from_text(key).unwrap();
        STANDARD.encode(key.sign(text.as_bytes(), &mut random::host()))
    }
}
