//! Requests that carry our signature in `Authorization`, put together as `wechatpay-go` does it
//! (`core/auth/credentials/wechat_pay_credential.go`, `core/consts/const.go`).

use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rand_core::CryptoRng;
use serde_json::Value;
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::signature::{nonce, seconds};
use super::{BASE_URL, Merchant, PLATFORM_KEYS, SERIAL};

/// WeChat refuses requests without one.
const USER_AGENT: &str = concat!("chuangrenmai/", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// RFC 3986's unreserved characters, without the full stop: no number may become a `..` in a path.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

impl Merchant {
    pub(super) fn get(
        &self,
        path: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        self.signed(Method::GET, path, String::new(), now, rng)
    }

    pub(super) fn post(
        &self,
        path: &str,
        body: &Value,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let mut request = self.signed(Method::POST, path, body.to_string(), now, rng)?;
        request.headers_mut().insert(header::CONTENT_TYPE, JSON);
        Ok(request)
    }

    /// `path` is the path and query as they are sent.
    fn signed(
        &self,
        method: Method,
        path: &str,
        body: String,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let timestamp = seconds(now).to_string();
        let nonce = nonce(rng);
        let lines = [method.as_str(), path, &timestamp, &nonce, &body];
        let signature = self.sign(&lines, rng)?;
        let authorization = format!(
            r#"WECHATPAY2-SHA256-RSA2048 mchid="{}",nonce_str="{nonce}",timestamp="{timestamp}",serial_no="{}",signature="{signature}""#,
            self.mchid, self.serial,
        );
        let mut request = Request::new(body.into_bytes());
        *request.method_mut() = method;
        *request.uri_mut() = Uri::try_from(format!("{}{path}", self.base_url))
            .map_err(|_| Misconfigured { variable: BASE_URL })?;
        *request.headers_mut() = HeaderMap::from_iter([
            (header::ACCEPT, JSON),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
            (header::AUTHORIZATION, value(authorization, SERIAL)?),
            (
                header::HeaderName::from_static("wechatpay-serial"),
                value(self.platform_serial().to_owned(), PLATFORM_KEYS)?,
            ),
        ]);
        Ok(request)
    }

    /// The key with which WeChat is asked to sign its answer. The public key, where there is one: platform
    /// certificates end after five years.
    fn platform_serial(&self) -> &str {
        let mut serials = self.platform_keys.keys();
        let public_key = serials.clone().find(|name| name.starts_with("PUB_KEY_ID_"));
        public_key
            .or_else(|| serials.next())
            .map_or("", String::as_str)
    }
}

fn value(text: String, variable: &'static str) -> Result<HeaderValue, Misconfigured> {
    HeaderValue::try_from(text).map_err(|_| Misconfigured { variable })
}

/// Fit to be one segment of a path.
pub(super) fn encoded(number: &str) -> String {
    utf8_percent_encode(number, RESERVED).to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use shared::crypto::rsa::PublicKey;
    use shared::random;

    use super::super::tests::{MERCHANT_PUBLIC, NOW, PLATFORM_SERIAL, configured_with, merchant};
    use super::*;

    /// The pairs in `Authorization`.
    fn authorization(request: &Request<Vec<u8>>) -> BTreeMap<&str, &str> {
        let value = request.headers()["authorization"].to_str().unwrap();
        let pairs = value.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").unwrap();
        pairs
            .split(',')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
                (name, value)
            })
            .collect()
    }

    /// Checks all that requests have in common; the line of the request, and its content.
    pub(in super::super) fn checked(
        request: Result<Request<Vec<u8>>, Misconfigured>,
    ) -> (String, Value) {
        let request = request.unwrap();
        let signed = authorization(&request);
        assert_eq!(signed["mchid"], "1900000001");
        assert_eq!(signed["serial_no"], "7F4FD1A0");
        assert_eq!(signed["timestamp"], "1624523846");
        assert_eq!(signed["nonce_str"].len(), 32);
        let body = std::str::from_utf8(request.body()).unwrap();
        let target = request.uri().path_and_query().unwrap().as_str();
        let text = format!(
            "{}\n{target}\n1624523846\n{}\n{body}\n",
            request.method(),
            signed["nonce_str"]
        );
        let signature = STANDARD.decode(signed["signature"]).unwrap();
        let key = PublicKey::from_text(MERCHANT_PUBLIC).unwrap();
        assert_eq!(key.verify(text.as_bytes(), &signature), Ok(()));

        let headers = request.headers();
        assert_eq!(headers["accept"], "application/json");
        assert_eq!(headers["wechatpay-serial"], PLATFORM_SERIAL);
        assert!(!headers["user-agent"].is_empty());
        let content_type = headers.get("content-type").map(HeaderValue::as_bytes);
        assert_eq!(
            content_type,
            (!body.is_empty()).then_some(&b"application/json"[..])
        );
        assert_eq!(request.uri().scheme_str(), Some("https"));
        assert_eq!(request.uri().host(), Some("api.mch.weixin.qq.com"));
        let content = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(body).unwrap()
        };
        (format!("{} {target}", request.method()), content)
    }

    #[test]
    fn no_number_leaves_its_place_in_the_path() {
        let (line, _) = checked(merchant().query_refund("../x?创", NOW, &mut random::host()));
        assert_eq!(
            line,
            "GET /v3/refund/domestic/refunds/%2E%2E%2Fx%3F%E5%88%9B"
        );
    }

    #[test]
    fn each_request_has_its_own_nonce() {
        let nonces = [(); 2].map(|()| {
            let request = merchant().query_order("123456", NOW, &mut random::host());
            authorization(&request.unwrap())["nonce_str"].to_owned()
        });
        assert_ne!(nonces[0], nonces[1]);
    }

    #[test]
    fn without_a_public_key_a_platform_certificate_is_named() {
        let merchant = configured_with(&[(PLATFORM_KEYS, r#"{"5157F0":"AQID"}"#)]).unwrap();
        let request = merchant.query_order("123456", NOW, &mut random::host());
        assert_eq!(request.unwrap().headers()["wechatpay-serial"], "5157F0");
    }
}
