//! Alibaba Cloud's interfaces in the RPC style, signed with ACS3-HMAC-SHA256
//! (<https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature>).

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request};
use sha2::{Digest as _, Sha256};

use crate::crypto::hex;
use crate::http::Problem;
use crate::time::Timestamp;
use crate::variables::{self, Misconfigured};

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const FORM: &str = "application/x-www-form-urlencoded";

/// Who calls, and where.
pub struct Account {
    /// `https://host[:port]`
    endpoint: String,
    access_key_id: String,
    access_key_secret: String,
}

/// One call.
pub struct Call<'a> {
    /// The interface's name.
    pub action: &'a str,
    /// Its version: a date.
    pub version: &'a str,
    /// The parameters, sorted by name as the signature wants them.
    pub parameters: &'a [(&'a str, String)],
    /// Where they stand.
    pub place: Place,
}

/// Where a call's parameters stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the address; the body is empty, and its hash is signed.
    Query,
    /// In the body, as a form: they are in no address that somebody might log.
    Form,
}

impl Account {
    /// The account that the variables name, at the endpoint that the variable `endpoint` holds.
    ///
    /// # Errors
    /// One of the variables is empty.
    pub fn configured(endpoint: &'static str) -> Result<Self, Misconfigured> {
        Ok(Self {
            endpoint: variables::required(endpoint)?,
            access_key_id: variables::required("aliyun_access_key_id")?,
            access_key_secret: variables::required("aliyun_access_key_secret")?,
        })
    }

    /// The signed request of a call. `nonce` is used once.
    ///
    /// # Errors
    /// The endpoint is no address.
    pub fn request(
        &self,
        call: &Call,
        now: Timestamp,
        nonce: &str,
    ) -> Result<Request<Vec<u8>>, Problem> {
        let endpoint = self.endpoint.trim_end_matches('/');
        let host = endpoint
            .split_once("://")
            .map_or(endpoint, |(_, host)| host);
        let date = jiff::Timestamp::from_millisecond(now.as_millis())
            .map_err(|_| Problem::internal())?
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
        let pairs: Vec<_> = call
            .parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let (query, body) = match call.place {
            Place::Query => (pairs.join("&"), String::new()),
            Place::Form => (String::new(), pairs.join("&")),
        };
        let payload_hash = hex(&Sha256::digest(&body));
        let headers = [
            ("content-type", FORM),
            ("host", host),
            ("x-acs-action", call.action),
            ("x-acs-content-sha256", &payload_hash),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-version", call.version),
        ];
        // An empty body has no type.
        let headers = match call.place {
            Place::Query => &headers[1..],
            Place::Form => &headers[..],
        };
        let authorization = self.authorization(&query, headers, &payload_hash);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{endpoint}/{mark}{query}"))
            .header("authorization", authorization)
            .header("accept", "application/json");
        // The host header is the client's to set.
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        request
            .body(body.into_bytes())
            .map_err(|_| Problem::internal())
    }

    fn authorization(&self, query: &str, headers: &[(&str, &str)], payload_hash: &str) -> String {
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{payload_hash}");
        let to_sign = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.access_key_secret.as_bytes())
            .expect("HMAC takes any key length");
        mac.update(to_sign.as_bytes());
        format!(
            "{ALGORITHM} Credential={},SignedHeaders={names},Signature={}",
            self.access_key_id,
            hex(&mac.finalize().into_bytes())
        )
    }
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            endpoint: "https://ecs.cn-shanghai.aliyuncs.com".into(),
            access_key_id: "YourAccessKeyId".into(),
            access_key_secret: "YourAccessKeySecret".into(),
        }
    }

    /// The worked example (固定参数示例) of the signature's documentation.
    #[test]
    fn the_published_example_gives_the_published_signature() {
        let parameters = [
            (
                "ImageId",
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd".to_owned(),
            ),
            ("RegionId", "cn-shanghai".to_owned()),
        ];
        let call = Call {
            action: "RunInstances",
            version: "2014-05-26",
            parameters: &parameters,
            place: Place::Query,
        };
        let now = Timestamp(1_698_315_752_000); // 2023-10-26T10:22:32Z
        let request = account().request(&call, now, "3156853299f313e23d1673dc12e1703d");
        assert_eq!(
            request.unwrap().headers()["authorization"],
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,\
             SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn a_form_stands_in_the_body_and_its_type_is_signed() {
        let call = Call {
            action: "SingleSendMail",
            version: "2015-11-23",
            parameters: &[("Subject", "副本 1".to_owned())],
            place: Place::Form,
        };
        let request = account().request(&call, Timestamp(0), "n").unwrap();
        assert_eq!(request.uri().query(), None);
        assert_eq!(request.body(), b"Subject=%E5%89%AF%E6%9C%AC%201");
        assert_eq!(request.headers()["content-type"], FORM);
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(authorization.contains("SignedHeaders=content-type;host;"));
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("aZ0-_.~"), "aZ0-_.~");
        assert_eq!(encode("创 +*/"), "%E5%88%9B%20%2B%2A%2F");
    }
}
