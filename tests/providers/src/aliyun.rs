//! The gateway of Alibaba Cloud's interfaces in the RPC style: it checks ACS3-HMAC-SHA256
//! (<https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature>), and knows one key.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::encoding::{form_pairs, hex, hmac_sha256, percent_encoded, sha256_hex};
use crate::http::{Request, response};
use crate::stand_in::{Refusal, locked};

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// How far a request's date may be off.
const TOLERANCE_MS: i64 = 15 * 60 * 1000;
/// What must be signed besides `host`, and `content-type` where there is one.
const SIGNED: [&str; 5] = [
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

/// The gateway in front of one interface.
pub struct Gateway {
    access_key_id: String,
    access_key_secret: String,
    action: &'static str,
    version: &'static str,
    nonces: Mutex<HashSet<String>>,
}

impl Gateway {
    /// One that knows this key and this interface.
    pub fn new(
        access_key_id: &str,
        access_key_secret: &str,
        action: &'static str,
        version: &'static str,
    ) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            access_key_secret: access_key_secret.to_owned(),
            action,
            version,
            nonces: Mutex::default(),
        }
    }

    /// Checks a request in the gateway's order.
    pub fn check(&self, request: &Request, now_ms: i64) -> Result<(), Refusal> {
        if request.method != "POST" || request.path != "/" {
            return Err((403, "UnsupportedHTTPMethod"));
        }
        let header = |name: &str| request.header(name).ok_or((400, "MissingParameter"));
        if header("x-acs-version")? != self.version {
            return Err((404, "InvalidVersion"));
        }
        if header("x-acs-action")? != self.action {
            return Err((404, "InvalidAction.NotFound"));
        }
        check_date(header("x-acs-date")?, now_ms)?;
        self.check_signature(request)?;
        if !locked(&self.nonces).insert(header("x-acs-signature-nonce")?.to_owned()) {
            return Err((400, "SignatureNonceUsed"));
        }
        Ok(())
    }

    fn check_signature(&self, request: &Request) -> Result<(), Refusal> {
        let authorization = request
            .header("authorization")
            .ok_or((400, "IncompleteSignature"))?;
        let given = Authorization::parse(authorization).ok_or((400, "IncompleteSignature"))?;
        if given.credential != self.access_key_id {
            return Err((404, "InvalidAccessKeyId.NotFound"));
        }
        let names: Vec<_> = given.signed_headers.split(';').collect();
        let has_all = SIGNED
            .iter()
            .chain(&["host"])
            .all(|name| names.contains(name));
        let type_is_signed =
            request.header("content-type").is_none() || names.contains(&"content-type");
        if !names.is_sorted() || !has_all || !type_is_signed {
            return Err((400, "IncompleteSignature"));
        }
        let payload_hash = sha256_hex(&request.body);
        if request.header("x-acs-content-sha256") != Some(&payload_hash) {
            return Err((400, "SignatureDoesNotMatch"));
        }
        let signature = self.signature(request, &names, &payload_hash);
        if signature.as_deref() != Some(given.signature) {
            return Err((400, "SignatureDoesNotMatch"));
        }
        Ok(())
    }

    /// The signature of what came; `None` if a signed header did not.
    fn signature(&self, request: &Request, names: &[&str], payload_hash: &str) -> Option<String> {
        let mut lines = String::new();
        for name in names {
            lines += &format!("{name}:{}\n", request.header(name)?);
        }
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{}\n{payload_hash}",
            request.method,
            request.path,
            canonical_query(&request.query)?,
            names.join(";"),
        );
        let to_sign = format!("{ALGORITHM}\n{}", sha256_hex(canonical));
        Some(hex(&hmac_sha256(
            self.access_key_secret.as_bytes(),
            &to_sign,
        )))
    }
}

struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?.split(',');
        let authorization = Self {
            credential: parts.next()?.strip_prefix("Credential=")?,
            signed_headers: parts.next()?.strip_prefix("SignedHeaders=")?,
            signature: parts.next()?.strip_prefix("Signature=")?,
        };
        parts.next().is_none().then_some(authorization)
    }
}

/// The parameters of a query or a form.
pub fn parameters(encoded: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let pairs = form_pairs(encoded).ok_or((400, "InvalidParameter"))?;
    Ok(pairs.into_iter().collect())
}

fn check_date(text: &str, now_ms: i64) -> Result<(), Refusal> {
    let format = "%Y-%m-%dT%H:%M:%SZ";
    let date: Option<jiff::Timestamp> = text.parse().ok();
    let date = date.filter(|date| date.strftime(format).to_string() == text);
    let date = date.ok_or((400, "InvalidTimeStamp.Format"))?;
    if (now_ms - date.as_millisecond()).abs() > TOLERANCE_MS {
        return Err((400, "InvalidTimeStamp.Expired"));
    }
    Ok(())
}

fn canonical_query(query: &str) -> Option<String> {
    let mut pairs = form_pairs(query)?;
    pairs.sort();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)))
        .collect();
    Some(pairs.join("&"))
}

/// What a refusal looks like.
pub fn refusal(code: &str) -> Value {
    json!({
        "Message": "refused",
        "RequestId": "C0A0BE93-B44F-4350-BCC8-B677F78C3802",
        "Code": code,
    })
}

/// An answer as it goes over the wire.
pub fn answer(status: u16, body: &Value) -> Vec<u8> {
    let headers = [("content-type", "application/json;charset=utf-8")];
    response("POST", status, &headers, body.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example (固定参数示例) of the signature's documentation.
    #[test]
    fn the_published_example_has_the_published_signature() {
        let gateway = Gateway::new("YourAccessKeyId", "YourAccessKeySecret", "", "");
        let payload_hash = sha256_hex([]);
        let headers = [
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", &payload_hash),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ];
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query:
                "RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
                    .into(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: Vec::new(),
        };
        let names = headers.map(|(name, _)| name);
        assert_eq!(
            gateway
                .signature(&request, &names, &payload_hash)
                .as_deref(),
            Some("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")
        );
    }

    #[test]
    fn an_encoded_plus_and_a_plus_are_different_texts() {
        assert_eq!(
            canonical_query("a=b%2Bc&A=%20+").as_deref(),
            Some("A=%20%20&a=b%2Bc")
        );
    }
}
