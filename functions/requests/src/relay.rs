//! The interface that passes notices on to recipients: a POST of JSON, signed after the Standard Webhooks
//! specification 1.0.0 (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request, header};
use serde_json::json;
use sha2::Sha256;
use shared::outbound::{self, Limits};
use shared::recipient::{self, DELETION_RELAY};
use shared::recipient_notice::Content;
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};
use uuid::Uuid;

/// The specification recommends more for one message; several are sent while another component waits.
const LIMITS: Limits = Limits::small(Duration::from_secs(4));

/// The least secret that the specification allows, in bytes.
const LEAST_SECRET: usize = 24;

/// The recipients that the interface reaches.
pub struct Reached(Vec<String>);

impl Reached {
    /// Reads the variable `deletion_notice_recipients`: names of recipients, separated by commas.
    ///
    /// # Errors
    /// One is no recipient.
    pub fn configured() -> Result<Self, Misconfigured> {
        const VARIABLE: &str = "deletion_notice_recipients";
        let listed = variables::text(VARIABLE)?;
        let names = listed.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        let known = names.map(|name| recipient::named(name).map(|_| name.to_owned()));
        known
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(Misconfigured { variable: VARIABLE })
    }

    /// Whether it reaches nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names as one text, a comma before and behind each, in which a statement looks for a name.
    pub fn searchable(&self) -> String {
        format!(",{},", self.0.join(","))
    }
}

/// The interface.
pub struct Relay {
    url: String,
    secret: Vec<u8>,
}

/// A notice, as it is sent.
pub struct Message<'a> {
    /// The same with each try, so that who gets it twice knows.
    pub id: Uuid,
    /// When it was queued.
    pub created_at: Timestamp,
    /// What it says.
    pub content: &'a Content,
}

impl Relay {
    /// Where it is, from the variables.
    ///
    /// # Errors
    /// They are not set, or the secret is none of the specification's.
    pub fn configured() -> Result<Self, Misconfigured> {
        const SECRET: &str = "deletion_notice_secret";
        let host = variables::required("deletion_notice_host")?;
        let path = variables::text("deletion_notice_path")?;
        let secret = variables::required(SECRET)?;
        Ok(Self {
            url: format!("{}{path}", host.trim_end_matches('/')),
            secret: secret_bytes(&secret).ok_or(Misconfigured { variable: SECRET })?,
        })
    }

    /// Sends a notice; whether it was acknowledged: by any status from 200 to 299, and by nothing else.
    ///
    /// # Errors
    /// The variables make no address.
    pub fn send(&self, message: &Message, now: Timestamp) -> Result<bool, Misconfigured> {
        let body = json!({
            "type": "personal_data.deletion",
            "timestamp": message.created_at,
            "data": message.content,
        })
        .to_string();
        let id = message.id.to_string();
        let seconds = now.as_millis() / 1000;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", sign(&self.secret, &id, seconds, &body))
            .body(body.into_bytes())
            .map_err(|_| Misconfigured {
                variable: "deletion_notice_path",
            })?;
        let answer = outbound::send(DELETION_RELAY, &request, &LIMITS);
        Ok(answer.is_ok_and(|answer| answer.status().is_success()))
    }
}

/// The secret's bytes: base64, usually with `whsec_` before it.
fn secret_bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let bytes = STANDARD
        .decode(text.strip_prefix("whsec_").unwrap_or(text))
        .ok()?;
    (bytes.len() >= LEAST_SECRET).then_some(bytes)
}

/// The symmetric signature over identifier, seconds and body.
fn sign(secret: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes any key length");
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Clause R3. The example of the libraries' tests
    // (https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries).
    #[test]
    fn a_signature_is_the_specifications() {
        let secret = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let signature = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_short_secret_is_none() {
        assert!(secret_bytes("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_some());
        for broken in ["", "whsec_", "whsec_c2hvcnQ=", "not base64 at all!"] {
            assert!(secret_bytes(broken).is_none(), "{broken}");
        }
    }
}
