//! Requests and links that carry our signature.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, Uri, header};
use rand_core::CryptoRng;
use serde_json::Value;
use url::form_urlencoded;

use super::{App, GATEWAY_HOST, china_time, signed_text};
use crate::time::Timestamp;
use crate::variables::Misconfigured;

const PATH: &str = "/gateway.do";
const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";
const BIZ_CONTENT: &str = "biz_content";

impl App {
    /// A call of `method` (such as `alipay.user.certify.open.query`). As in Alipay's SDKs, the common
    /// parameters and the signature stand in the query and `biz_content` in the form, so that no gateway's
    /// log of addresses holds personal data. `rng` blinds the signing.
    ///
    /// # Errors
    /// The gateway's host or the private key cannot be used.
    pub fn request(
        &self,
        method: &str,
        biz_content: &Value,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let parameters = self.parameters(method, biz_content, now);
        let mut parameters = self.signed(parameters, rng)?;
        let form: BTreeMap<_, _> = parameters.remove_entry(BIZ_CONTENT).into_iter().collect();
        let mut request = Request::new(encoded(&form).into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.gateway(&parameters)?;
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(FORM));
        Ok(request)
    }

    /// A link that calls `method` when a person opens it: every parameter in the query, as the SDKs'
    /// `pageExecute` with GET makes it. `rng` blinds the signing.
    ///
    /// # Errors
    /// The gateway's host or the private key cannot be used.
    pub fn link(
        &self,
        method: &str,
        biz_content: &Value,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Misconfigured> {
        let parameters = self.signed(self.parameters(method, biz_content, now), rng)?;
        Ok(self.gateway(&parameters)?.to_string())
    }

    /// What our app hands to Alipay's SDK on the phone, which calls `method` with it: every parameter, as
    /// the SDKs' `sdkExecute` makes it (`AlipaySdk.sdkExecute` in `alipay-sdk-nodejs-all/src/alipay.ts`).
    /// What comes of it is told to `notify_url`. `rng` blinds the signing.
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn order_string(
        &self,
        method: &str,
        biz_content: &Value,
        notify_url: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Misconfigured> {
        let mut parameters = self.parameters(method, biz_content, now);
        parameters.insert("notify_url", notify_url.to_owned());
        Ok(encoded(&self.signed(parameters, rng)?))
    }

    /// The common parameters (<https://opendocs.alipay.com/common/057k53>) and `biz_content`.
    fn parameters(
        &self,
        method: &str,
        biz_content: &Value,
        now: Timestamp,
    ) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("app_id", self.id.clone()),
            ("method", method.to_owned()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", china_time::to_text(now)),
            ("version", "1.0".to_owned()),
            (BIZ_CONTENT, biz_content.to_string()),
        ])
    }

    /// `parameters` and `sign` over them. They are encoded only afterwards.
    fn signed(
        &self,
        mut parameters: BTreeMap<&'static str, String>,
        rng: &mut impl CryptoRng,
    ) -> Result<BTreeMap<&'static str, String>, Misconfigured> {
        let text = signed_text(parameters.iter().map(|(name, value)| (*name, &**value)));
        let signature = self.private_key.get()?.sign(text.as_bytes(), rng);
        parameters.insert("sign", STANDARD.encode(signature));
        Ok(parameters)
    }

    fn gateway(&self, query: &BTreeMap<&str, String>) -> Result<Uri, Misconfigured> {
        let host = self.gateway_host.trim_end_matches('/');
        Uri::try_from(format!("{host}{PATH}?{}", encoded(query)))
            .ok()
            .filter(|uri| uri.scheme().is_some() && uri.path() == PATH)
            .ok_or(Misconfigured {
                variable: GATEWAY_HOST,
            })
    }
}

fn encoded(parameters: &BTreeMap<&str, String>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

#[cfg(test)]
mod tests {
    use rsa::pkcs8::DecodePublicKey as _;
    use serde_json::json;
    use sha2::Sha256;

    use super::super::APP_PRIVATE_KEY;
    use super::super::tests::app;
    use super::*;
    use crate::crypto::rsa::LazyKey;
    use crate::random;

    const NOW: Timestamp = Timestamp(1_698_163_199_999);

    type Parameters = BTreeMap<String, String>;

    fn decoded(form: &str) -> Parameters {
        form_urlencoded::parse(form.as_bytes())
            .into_owned()
            .collect()
    }

    /// Takes `sign` out and lets another implementation verify it.
    fn verify(mut parameters: Parameters) -> Parameters {
        let sign = STANDARD.decode(parameters.remove("sign").unwrap()).unwrap();
        let text: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let key = include_str!("../../testdata/rsa/public-spki.pem");
        rsa::PublicKey::from_public_key_pem(key)
            .unwrap()
            .pkcs1v15_verify::<Sha256>(text.join("&").as_bytes(), &sign)
            .unwrap();
        parameters
    }

    fn expected(method: &str, biz_content: &str) -> Parameters {
        [
            ("app_id", super::super::tests::APP_ID),
            ("biz_content", biz_content),
            ("charset", "utf-8"),
            ("format", "JSON"),
            ("method", method),
            ("sign_type", "RSA2"),
            ("timestamp", "2023-10-24 23:59:59"),
            ("version", "1.0"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    #[test]
    fn a_request_is_signed_and_keeps_its_content_out_of_the_address() {
        let content = json!({ "name": "创&人 =脉+%" });
        let request = app()
            .request("alipay.x", &content, NOW, &mut random::host())
            .unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.headers()["content-type"], FORM);
        let uri = request.uri();
        assert_eq!(uri.host(), Some("openapi.alipay.com"));
        assert_eq!(uri.path(), "/gateway.do");
        let mut parameters = decoded(uri.query().unwrap());
        let form = decoded(std::str::from_utf8(request.body()).unwrap());
        assert_eq!(form.keys().collect::<Vec<_>>(), ["biz_content"]);
        assert!(!parameters.contains_key("biz_content"));
        parameters.extend(form);
        assert_eq!(
            verify(parameters),
            expected("alipay.x", &content.to_string())
        );
    }

    #[test]
    fn a_link_carries_everything_in_its_query() {
        let content = json!({ "certify_id": "a b" });
        let link = app()
            .link("alipay.y", &content, NOW, &mut random::host())
            .unwrap();
        let query = link
            .strip_prefix("https://openapi.alipay.com/gateway.do?")
            .unwrap();
        assert_eq!(
            verify(decoded(query)),
            expected("alipay.y", r#"{"certify_id":"a b"}"#)
        );
    }

    #[test]
    fn an_order_string_is_encoded_after_it_was_signed() {
        let content = json!({ "subject": "创 人+脉" });
        let notify_url = "https://x.example/notify?a=1&b=2";
        let text = app()
            .order_string("alipay.z", &content, notify_url, NOW, &mut random::host())
            .unwrap();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%&*+-._=".contains(&byte);
        assert!(text.bytes().all(is_plain), "{text}");
        let mut parameters = expected("alipay.z", &content.to_string());
        parameters.insert("notify_url".to_owned(), notify_url.to_owned());
        assert_eq!(verify(decoded(&text)), parameters);
    }

    #[test]
    fn what_is_misconfigured_is_named() {
        let variable = |app: App| {
            app.link("m", &json!({}), NOW, &mut random::host())
                .unwrap_err()
                .variable
        };
        for host in ["", "openapi.alipay.com", "https://x/path", "https://x?q=1"] {
            let gateway_host = host.to_owned();
            assert_eq!(
                variable(App {
                    gateway_host,
                    ..app()
                }),
                "alipay_gateway_host"
            );
        }
        let private_key = LazyKey::private(APP_PRIVATE_KEY, "AQID".to_owned());
        assert_eq!(
            variable(App {
                private_key,
                ..app()
            }),
            "alipay_app_private_key"
        );
    }
}
