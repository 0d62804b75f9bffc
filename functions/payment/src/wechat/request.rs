//! Requests that carry our signature in `Authorization`, put together as `wechatpay-go` does it
//! (`core/auth/credentials/wechat_pay_credential.go`, `core/consts/const.go`).

use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rand_core::CryptoRng;
use serde_json::{Value, json};
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::signature::{nonce, seconds};
use super::{BASE_URL, JSAPI_APPID, Merchant, PLATFORM_KEYS, SERIAL};

/// WeChat refuses requests without one.
const USER_AGENT: &str = concat!("chuangrenmai/", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// RFC 3986's unreserved characters, without the full stop: no number may become a `..` in a path.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// An order to be paid. Only this reaches WeChat (clause E27).
#[derive(Clone, Copy, Debug)]
pub struct Prepay<'a> {
    /// Our number of the order: 6 to 32 characters of `0-9A-Za-z_-|*`.
    pub out_trade_no: &'a str,
    /// What the bill says: at most 127 characters.
    pub description: &'a str,
    /// The price in fen.
    pub amount_fen: i64,
    /// Until when it can be paid, to the second. WeChat makes this one minute from now at least.
    pub time_expire: Timestamp,
    /// Where it is paid.
    pub payer: Payer<'a>,
}

/// Where an order is paid.
#[derive(Clone, Copy, Debug)]
pub enum Payer<'a> {
    /// In our mobile app.
    App,
    /// In a web page within WeChat.
    Jsapi {
        /// The person's name under our official account.
        openid: &'a str,
    },
}

/// Money to be given back.
#[derive(Clone, Copy, Debug)]
pub struct RefundOrder<'a> {
    /// The order that was paid.
    pub out_trade_no: &'a str,
    /// Our number of the refund: at most 64 characters of `0-9A-Za-z_-|*@`. Asking again under the same
    /// number does not refund again.
    pub out_refund_no: &'a str,
    /// What is given back, in fen.
    pub refund_fen: i64,
    /// The order's price, in fen.
    pub total_fen: i64,
}

impl Merchant {
    /// Announces an order; the answer is [`super::Prepaid`]. Announcing it again with the same content gives
    /// a new `prepay_id`; with another it is refused. `rng` makes the nonce and blinds the signing.
    ///
    /// <https://pay.weixin.qq.com/docs/merchant/products/in-app-payment/apilist.html>,
    /// <https://pay.weixin.qq.com/doc/v3/merchant/4012525167>
    ///
    /// # Errors
    /// The private key cannot be used, or there is no official account for a [`Payer::Jsapi`].
    pub fn prepay(
        &self,
        order: &Prepay<'_>,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let (path, appid) = match order.payer {
            Payer::App => ("/v3/pay/transactions/app", self.appid.as_str()),
            Payer::Jsapi { .. } => ("/v3/pay/transactions/jsapi", self.jsapi_appid()?),
        };
        let mut body = json!({
            "appid": appid,
            "mchid": self.mchid,
            "description": order.description,
            "out_trade_no": order.out_trade_no,
            "time_expire": china_time(order.time_expire),
            "notify_url": self.payment_notify_url,
            "amount": { "total": order.amount_fen, "currency": "CNY" },
        });
        if let Payer::Jsapi { openid } = order.payer {
            body["payer"] = json!({ "openid": openid });
        }
        self.post(path, &body, now, rng)
    }

    /// Asks what became of an order; the answer is [`super::Transaction`].
    ///
    /// <https://pay.weixin.qq.com/doc/v3/merchant/4013070356>
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn query_order(
        &self,
        out_trade_no: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let path = format!("{}?mchid={}", order_path(out_trade_no), self.mchid);
        self.get(&path, now, rng)
    }

    /// Closes an order, so that it cannot be paid any more; the answer is `()`.
    ///
    /// <https://pay.weixin.qq.com/doc/v3/merchant/4012556398>
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn close_order(
        &self,
        out_trade_no: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let path = format!("{}/close", order_path(out_trade_no));
        self.post(&path, &json!({ "mchid": self.mchid }), now, rng)
    }

    /// Gives money back; the answer is [`super::Refund`], which says that the refund was taken on and no
    /// more. How it ends, a notification or [`Merchant::query_refund`] tells.
    ///
    /// The fields are those of `wechatpay-go`'s `services/refunddomestic`.
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn refund(
        &self,
        refund: &RefundOrder<'_>,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let body = json!({
            "out_trade_no": refund.out_trade_no,
            "out_refund_no": refund.out_refund_no,
            "notify_url": self.refund_notify_url,
            "amount": {
                "refund": refund.refund_fen,
                "total": refund.total_fen,
                "currency": "CNY",
            },
        });
        self.post("/v3/refund/domestic/refunds", &body, now, rng)
    }

    /// Asks what became of a refund; the answer is [`super::Refund`].
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn query_refund(
        &self,
        out_refund_no: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let path = format!("/v3/refund/domestic/refunds/{}", encoded(out_refund_no));
        self.get(&path, now, rng)
    }

    pub(super) fn jsapi_appid(&self) -> Result<&str, Misconfigured> {
        self.jsapi_appid.as_deref().ok_or(Misconfigured {
            variable: JSAPI_APPID,
        })
    }

    fn get(
        &self,
        path: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        self.signed(Method::GET, path, String::new(), now, rng)
    }

    fn post(
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

fn order_path(out_trade_no: &str) -> String {
    format!(
        "/v3/pay/transactions/out-trade-no/{}",
        encoded(out_trade_no)
    )
}

fn encoded(number: &str) -> String {
    utf8_percent_encode(number, RESERVED).to_string()
}

/// `yyyy-MM-DDTHH:mm:ss+08:00`: RFC 3339 in China's time, as in the documentation's examples.
fn china_time(time: Timestamp) -> String {
    let moment =
        jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or(jiff::Timestamp::MAX);
    let there = jiff::tz::offset(8).to_datetime(moment);
    there.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use shared::crypto::rsa::PublicKey;
    use shared::random;

    use super::super::tests::{MERCHANT_PUBLIC, NOW, PLATFORM_SERIAL, configured_with, merchant};
    use super::*;

    type Signed = Result<Request<Vec<u8>>, Misconfigured>;

    const ORDER: Prepay<'_> = Prepay {
        out_trade_no: "1217752501201407033233368018",
        description: "人脉币 \"60\"",
        amount_fen: 600,
        time_expire: Timestamp(1_624_525_046_999),
        payer: Payer::App,
    };

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
    fn checked(request: Signed) -> (String, Value) {
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
    fn an_order_in_the_app_tells_number_and_amount_only() {
        let (line, content) = checked(merchant().prepay(&ORDER, NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/pay/transactions/app");
        let expected = json!({
            "appid": "wx8888888888888888",
            "mchid": "1900000001",
            "description": "人脉币 \"60\"",
            "out_trade_no": "1217752501201407033233368018",
            "time_expire": "2021-06-24T16:57:26+08:00",
            "notify_url": "https://api.example.cn/wechat/payment",
            "amount": { "total": 600, "currency": "CNY" },
        });
        assert_eq!(content, expected);
    }

    #[test]
    fn an_order_in_a_page_names_the_payer_under_the_official_account() {
        let order = Prepay {
            payer: Payer::Jsapi { openid: "oUpF8" },
            ..ORDER
        };
        let (line, content) = checked(merchant().prepay(&order, NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/pay/transactions/jsapi");
        assert_eq!(content["appid"], "wxd678efh567hg6787");
        assert_eq!(content["payer"], json!({ "openid": "oUpF8" }));

        let without = configured_with(&[(JSAPI_APPID, "")]).unwrap();
        let error = without
            .prepay(&order, NOW, &mut random::host())
            .unwrap_err();
        assert_eq!(error.variable, JSAPI_APPID);
        assert!(without.prepay(&ORDER, NOW, &mut random::host()).is_ok());
    }

    #[test]
    fn an_order_is_asked_for_and_closed() {
        let (line, content) = checked(merchant().query_order("A1_-|*", NOW, &mut random::host()));
        let expected = "GET /v3/pay/transactions/out-trade-no/A1_-%7C%2A?mchid=1900000001";
        assert_eq!((line.as_str(), content), (expected, Value::Null));
        let (line, content) = checked(merchant().close_order("123456", NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/pay/transactions/out-trade-no/123456/close");
        assert_eq!(content, json!({ "mchid": "1900000001" }));
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
    fn a_refund_is_ordered_and_asked_for() {
        let refund = RefundOrder {
            out_trade_no: "123456",
            out_refund_no: "r1",
            refund_fen: 100,
            total_fen: 600,
        };
        let (line, content) = checked(merchant().refund(&refund, NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/refund/domestic/refunds");
        let expected = json!({
            "out_trade_no": "123456",
            "out_refund_no": "r1",
            "notify_url": "https://api.example.cn/wechat/refund",
            "amount": { "refund": 100, "total": 600, "currency": "CNY" },
        });
        assert_eq!(content, expected);
        let (line, content) = checked(merchant().query_refund("r1", NOW, &mut random::host()));
        let expected = "GET /v3/refund/domestic/refunds/r1";
        assert_eq!((line.as_str(), content), (expected, Value::Null));
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
