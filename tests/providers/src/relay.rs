//! The interface that takes notices of deletions: checks each as the Standard Webhooks specification 1.0.0 has a
//! receiver do (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>,
//! "Verifying signatures"), and keeps what it acknowledged.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::encoding::hmac_sha256;
use crate::http::{Request, response};
use crate::stand_in::{Provider, Refusal, StandIn, locked};

/// The secret that both sides know.
pub const SECRET: &str = "whsec_c3RhbmQtaW4tcmVsYXktc2VjcmV0LTAxMjM0NTY3ODk=";
/// Where it takes notices.
pub const PATH: &str = "/deletion-notices";

/// How far a timestamp may be from the clock, in seconds: what the specification's libraries allow.
const TOLERANCE: i64 = 5 * 60;

/// A running relay. It compares timestamps with `set_clock`.
pub type Relay = StandIn<Receiver>;

/// A notice as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The message's identifier, the same with each try.
    pub id: String,
    /// The body.
    pub body: Value,
}

/// What was acknowledged.
#[derive(Default)]
pub struct Receiver {
    notices: Mutex<Vec<Notice>>,
}

impl StandIn<Receiver> {
    /// Starts one.
    pub fn start() -> Self {
        Self::serve(Receiver::default())
    }

    /// Every notice that was carried out, in order; one that came twice is here twice.
    pub fn notices(&self) -> Vec<Notice> {
        locked(&self.provider().notices).clone()
    }
}

impl Provider for Receiver {
    type Accepted = Notice;

    fn check(&self, request: &Request, now_ms: i64) -> Result<Notice, Refusal> {
        if (request.method.as_str(), request.path.as_str()) != ("POST", PATH) {
            return Err((404, "path"));
        }
        if request.header("content-type") != Some("application/json") {
            return Err((415, "content-type"));
        }
        let header = |name| request.header(name).filter(|value| !value.is_empty());
        let id = header("webhook-id").ok_or((400, "id"))?;
        let timestamp = header("webhook-timestamp").ok_or((400, "timestamp"))?;
        let seconds: i64 = timestamp.parse().map_err(|_| (400, "timestamp"))?;
        if (now_ms / 1000 - seconds).abs() > TOLERANCE {
            return Err((401, "too-old-or-new"));
        }
        let body = std::str::from_utf8(&request.body).map_err(|_| (400, "body"))?;
        let signatures = header("webhook-signature").ok_or((401, "unsigned"))?;
        let wanted = signature(&format!("{id}.{timestamp}.{body}"));
        if !signatures.split(' ').any(|given| given == wanted) {
            return Err((401, "signature"));
        }
        let body: Value = serde_json::from_str(body).map_err(|_| (400, "body"))?;
        if !["type", "timestamp"]
            .iter()
            .all(|member| body[member].is_string())
        {
            return Err((400, "payload"));
        }
        Ok(Notice {
            id: id.to_owned(),
            body,
        })
    }

    fn accept(&self, notice: Notice) -> Vec<u8> {
        locked(&self.notices).push(notice);
        response("POST", 204, &[], b"")
    }

    fn refuse(&self, request: &Request, (status, code): Refusal) -> Vec<u8> {
        let headers = [("content-type", "text/plain")];
        response(&request.method, status, &headers, code.as_bytes())
    }
}

fn signature(content: &str) -> String {
    let (_, secret) = SECRET.split_once('_').expect("it has a prefix");
    let key = STANDARD.decode(secret).expect("it is base64");
    format!("v1,{}", STANDARD.encode(hmac_sha256(&key, content)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::exchange;

    const NOW: i64 = 1_790_000_000;
    const BODY: &str = r#"{"type":"t","timestamp":"2026-09-21T14:13:20Z","data":{}}"#;

    fn post(relay: &Relay, id: &str, seconds: i64, signature: &str, body: &str) -> u16 {
        let length = body.len();
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nwebhook-id: {id}\r\n\
             webhook-timestamp: {seconds}\r\nwebhook-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        exchange(relay.url(), request.as_bytes()).0
    }

    #[test]
    fn only_what_is_signed_and_fresh_is_taken() {
        let relay = Relay::start();
        relay.set_clock(NOW * 1000);
        let signed = |id: &str, seconds: i64| signature(&format!("{id}.{seconds}.{BODY}"));
        assert_eq!(post(&relay, "a", NOW, &signed("a", NOW), BODY), 204);
        let rotated = format!("v1,b3RoZXI= {}", signed("b", NOW));
        assert_eq!(post(&relay, "b", NOW, &rotated, BODY), 204);
        let old = NOW - TOLERANCE - 1;
        assert_eq!(post(&relay, "a", old, &signed("a", old), BODY), 401);
        assert_eq!(post(&relay, "a", NOW, &signed("b", NOW), BODY), 401);
        assert_eq!(post(&relay, "a", NOW, &signed("a", NOW), "{}"), 401);
        assert_eq!(post(&relay, "a", NOW, "", BODY), 401);
        assert_eq!(post(&relay, "", NOW, &signed("", NOW), BODY), 400);
        let ids: Vec<_> = relay
            .notices()
            .into_iter()
            .map(|notice| notice.id)
            .collect();
        assert_eq!(ids, ["a", "b"]);
    }
}
