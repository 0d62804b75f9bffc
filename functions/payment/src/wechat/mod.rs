//! WeChat Pay v3 (clause V2): signed requests, verified answers, verified and decrypted notifications, and
//! the parameters with which the app and the web page call the payment up.
//!
//! Pure but for [`Merchant::configured`]: sending is [`shared::outbound`]'s. Facts are those of the
//! documentation for merchants (<https://pay.weixin.qq.com/doc/v3/merchant/4013070356> and its neighbours);
//! what it leaves open is done as WeChat's own SDKs do it (`wechatpay-apiv3/wechatpay-go`,
//! `wechatpay-apiv3/wechatpay-java`).

mod answer;
mod client;
mod notification;
mod order;
mod refund;
mod request;
mod resource;
mod signature;
mod trade;

pub use answer::{AnswerError, Code, Refusal};
pub use client::{AppParameters, JsapiParameters};
pub use notification::{Event, Named, Notification, NotificationError};
pub use order::{Payer, Prepay};
pub use refund::RefundOrder;
pub use signature::{Headers, Unproven};
pub use trade::{
    Amount, Payment, Prepaid, Refund, RefundAmount, RefundNotice, RefundStatus, TradeState,
    Transaction,
};

use std::collections::BTreeMap;

use http::Uri;
use shared::crypto::rsa::{LazyKey, PrivateKey, PublicKey};
use shared::variables::{self, Misconfigured};

const BASE_URL: &str = "wechat_pay_base_url";
const MCHID: &str = "wechat_pay_mchid";
const APPID: &str = "wechat_pay_appid";
const JSAPI_APPID: &str = "wechat_pay_jsapi_appid";
const SERIAL: &str = "wechat_pay_serial";
const PRIVATE_KEY: &str = "wechat_pay_private_key";
const APIV3_KEY: &str = "wechat_pay_apiv3_key";
const PLATFORM_KEYS: &str = "wechat_pay_platform_keys";
const NOTIFY_URL: &str = "wechat_pay_notify_url";

/// The documented limit of a `notify_url`.
const MAX_NOTIFY_URL: usize = 255;

/// We, as a merchant of WeChat Pay.
pub struct Merchant {
    /// `https://host[:port]`
    base_url: String,
    mchid: String,
    appid: String,
    jsapi_appid: Option<String>,
    /// The serial number of our certificate.
    serial: String,
    private_key: LazyKey<PrivateKey>,
    apiv3_key: [u8; 32],
    /// WeChat's keys by the name that `Wechatpay-Serial` gives them. While a merchant moves from platform
    /// certificates to a public key, WeChat signs with either.
    platform_keys: BTreeMap<String, LazyKey<PublicKey>>,
    payment_notify_url: String,
    refund_notify_url: String,
}

impl Merchant {
    /// The merchant as variables describe it:
    ///
    /// - `wechat_pay_base_url`: `https://host[:port]`, which is `https://api.mch.weixin.qq.com` but in tests;
    /// - `wechat_pay_mchid`, `wechat_pay_appid`: the merchant and its mobile app;
    /// - `wechat_pay_jsapi_appid`: the official account, needed for orders of [`Payer::Jsapi`] only;
    /// - `wechat_pay_serial`, `wechat_pay_private_key`: our certificate's serial number and its key;
    /// - `wechat_pay_apiv3_key`: 32 bytes as they are typed into WeChat's console;
    /// - `wechat_pay_platform_keys`: a JSON object from `PUB_KEY_ID_…`, or a platform certificate's serial
    ///   number in upper case, to a public key as PEM. Of a certificate, that is what
    ///   `openssl x509 -pubkey -noout` prints;
    /// - `wechat_pay_notify_url`: where payments are notified, ending in `/payment`; refunds are notified
    ///   at the same address ending in `/refund`.
    ///
    /// Keys are not looked into before they are used.
    ///
    /// # Errors
    /// A variable is not declared, or cannot be used.
    pub fn configured() -> Result<Self, Misconfigured> {
        Self::from_variables(variables::text)
    }

    fn from_variables(
        text: impl Fn(&'static str) -> Result<String, Misconfigured>,
    ) -> Result<Self, Misconfigured> {
        let valid = |variable, is_valid: fn(&str) -> bool| {
            let text = text(variable)?;
            let found = is_valid(&text).then_some(text);
            found.ok_or(Misconfigured { variable })
        };
        let not_empty: fn(&str) -> bool = |text| !text.is_empty();
        let notify_url = valid(NOTIFY_URL, is_notify_url)?;
        let parent = notify_url.strip_suffix("/payment").ok_or(Misconfigured {
            variable: NOTIFY_URL,
        })?;
        Ok(Self {
            base_url: valid(BASE_URL, is_origin)?.trim_end_matches('/').to_owned(),
            mchid: valid(MCHID, is_plain)?,
            appid: valid(APPID, not_empty)?,
            jsapi_appid: Some(text(JSAPI_APPID)?).filter(|appid| !appid.is_empty()),
            serial: valid(SERIAL, is_plain)?,
            private_key: LazyKey::private(PRIVATE_KEY, valid(PRIVATE_KEY, not_empty)?),
            apiv3_key: <[u8; 32]>::try_from(text(APIV3_KEY)?.as_bytes()).map_err(|_| {
                Misconfigured {
                    variable: APIV3_KEY,
                }
            })?,
            platform_keys: platform_keys(&text(PLATFORM_KEYS)?).ok_or(Misconfigured {
                variable: PLATFORM_KEYS,
            })?,
            refund_notify_url: format!("{parent}/refund"),
            payment_notify_url: notify_url,
        })
    }

    /// Whether a transaction is one of ours, and not another merchant's or another app's.
    pub fn owns_transaction(&self, transaction: &Transaction) -> bool {
        let appid = &transaction.appid;
        let is_our_app = self.appid == *appid || self.jsapi_appid.as_ref() == Some(appid);
        is_our_app && self.mchid == transaction.mchid
    }

    /// Whether a refund is one of ours, and not another merchant's.
    pub fn owns_refund(&self, notice: &RefundNotice) -> bool {
        self.mchid == notice.mchid
    }
}

/// Fit to stand in quotes in a header.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_origin(text: &str) -> bool {
    web_address(text).is_some_and(|uri| uri.path() == "/" && uri.query().is_none())
}

fn is_notify_url(text: &str) -> bool {
    web_address(text).is_some_and(|uri| uri.query().is_none()) && text.len() <= MAX_NOTIFY_URL
}

/// Without a fragment, which [`Uri`] would drop in silence.
fn web_address(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_web = matches!(uri.scheme_str(), Some("https" | "http"));
    (is_web && !text.contains('#')).then_some(uri)
}

fn platform_keys(json: &str) -> Option<BTreeMap<String, LazyKey<PublicKey>>> {
    let texts: BTreeMap<String, String> = serde_json::from_str(json).ok()?;
    let is_name = |name: &String| {
        let name = name.strip_prefix("PUB_KEY_ID_").unwrap_or(name);
        is_plain(name)
    };
    if texts.is_empty() || !texts.keys().all(is_name) {
        return None;
    }
    let keys = texts
        .into_iter()
        .map(|(name, text)| (name, LazyKey::public(PLATFORM_KEYS, text)));
    Some(keys.collect())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;
    use shared::random;
    use shared::time::Timestamp;

    use super::*;

    pub(super) const MERCHANT_PUBLIC: &str =
        include_str!("../../../../shared/testdata/rsa/public-spki.pem");
    const MERCHANT_PRIVATE: &str = include_str!("../../../../shared/testdata/rsa/key-pkcs8.pem");
    const PLATFORM_PUBLIC: &str =
        include_str!("../../../../shared/testdata/rsa/other-public-spki.pem");
    const PLATFORM_PRIVATE: &str =
        include_str!("../../../../shared/testdata/rsa/other-key-pkcs8.pem");

    /// The key of the AES-GCM example in `wechatpay-java`'s `AeadAesCipherTest` (`TestConfig`).
    pub(super) const TEST_APIV3_KEY: &str = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";
    pub(super) const PLATFORM_SERIAL: &str = "PUB_KEY_ID_0119000000012024";
    /// 2021-06-24T16:37:26+08:00
    pub(super) const NOW: Timestamp = Timestamp(1_624_523_846_789);

    /// The merchant of the tests with some variables changed.
    pub(super) fn configured_with(
        changes: &[(&'static str, &str)],
    ) -> Result<Merchant, Misconfigured> {
        let platform_keys = json!({ "5157F09EFDC096DE15EBE81A47057A7232F1B8E1": PLATFORM_PUBLIC, PLATFORM_SERIAL: PLATFORM_PUBLIC });
        let mut texts = BTreeMap::from([
            (BASE_URL, "https://api.mch.weixin.qq.com".to_owned()),
            (MCHID, "1900000001".to_owned()),
            (APPID, "wx8888888888888888".to_owned()),
            (JSAPI_APPID, "wxd678efh567hg6787".to_owned()),
            (SERIAL, "7F4FD1A0".to_owned()),
            (PRIVATE_KEY, MERCHANT_PRIVATE.to_owned()),
            (APIV3_KEY, TEST_APIV3_KEY.to_owned()),
            (PLATFORM_KEYS, platform_keys.to_string()),
            (
                NOTIFY_URL,
                "https://api.example.cn/wechat/payment".to_owned(),
            ),
        ]);
        texts.extend(
            changes
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned())),
        );
        Merchant::from_variables(|name| {
            texts
                .get(name)
                .cloned()
                .ok_or(Misconfigured { variable: name })
        })
    }

    pub(super) fn merchant() -> Merchant {
        configured_with(&[]).unwrap()
    }

    /// A signature by the key that plays WeChat's.
    pub(super) fn signed_by_wechat(text: &[u8]) -> String {
        let key = PrivateKey::from_text(PLATFORM_PRIVATE).unwrap();
        STANDARD.encode(key.sign(text, &mut random::host()))
    }

    #[test]
    fn refunds_are_notified_beside_payments() {
        let merchant = merchant();
        assert_eq!(
            merchant.refund_notify_url,
            "https://api.example.cn/wechat/refund"
        );
        assert_eq!(
            merchant.payment_notify_url,
            "https://api.example.cn/wechat/payment"
        );
    }

    #[test]
    fn what_is_misconfigured_is_named() {
        let long = format!("https://{}/payment", "a".repeat(240));
        for (variable, text) in [
            (BASE_URL, ""),
            (BASE_URL, "api.mch.weixin.qq.com"),
            (BASE_URL, "ftp://api.mch.weixin.qq.com"),
            (BASE_URL, "https://api.mch.weixin.qq.com/v3"),
            (BASE_URL, "https://api.mch.weixin.qq.com?q=1"),
            (BASE_URL, "https://api.mch.weixin.qq.com#f"),
            (MCHID, ""),
            (MCHID, "1900000001\""),
            (APPID, ""),
            (SERIAL, ""),
            (SERIAL, "7F,4F"),
            (PRIVATE_KEY, ""),
            (APIV3_KEY, ""),
            (APIV3_KEY, "0123456789abcdef0123456789abcde"),
            (APIV3_KEY, "0123456789abcdef0123456789abcdef0"),
            (PLATFORM_KEYS, ""),
            (PLATFORM_KEYS, "{}"),
            (PLATFORM_KEYS, "[]"),
            (PLATFORM_KEYS, r#"{"A":1}"#),
            (PLATFORM_KEYS, r#"{"":"key"}"#),
            (PLATFORM_KEYS, r#"{"A B":"key"}"#),
            (NOTIFY_URL, ""),
            (NOTIFY_URL, "/payment"),
            (NOTIFY_URL, "https://api.example.cn/pay"),
            (NOTIFY_URL, "https://api.example.cn/payment/"),
            (NOTIFY_URL, "https://api.example.cn/?to=/payment"),
            (NOTIFY_URL, "https://api.example.cn/#/payment"),
            (NOTIFY_URL, &long),
        ] {
            let error = configured_with(&[(variable, text)]).err();
            assert_eq!(error.map(|it| it.variable), Some(variable), "{text}");
        }
    }

    #[test]
    fn a_merchant_without_an_official_account_is_one() {
        assert!(configured_with(&[(JSAPI_APPID, "")]).is_ok());
    }

    #[test]
    fn transactions_and_refunds_of_others_are_told_apart() {
        let transaction = |mchid: &str, appid: &str| -> Transaction {
            serde_json::from_value(json!({
                "mchid": mchid, "appid": appid, "out_trade_no": "123456", "trade_state": "NOTPAY",
            }))
            .unwrap()
        };
        let merchant = merchant();
        let owns = |mchid, appid| merchant.owns_transaction(&transaction(mchid, appid));
        assert!(owns("1900000001", "wx8888888888888888"));
        assert!(owns("1900000001", "wxd678efh567hg6787"));
        assert!(!owns("1900000001", "wx0000000000000000"));
        assert!(!owns("1900000002", "wx8888888888888888"));
        let without = configured_with(&[(JSAPI_APPID, "")]).unwrap();
        assert!(!without.owns_transaction(&transaction("1900000001", "")));
    }
}
