//! Signatures, ours and WeChat's: `WECHATPAY2-SHA256-RSA2048`, which is SHA256withRSA over lines that each
//! end in a line feed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use rand_core::CryptoRng;
use shared::random;
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::Merchant;

/// How far WeChat's clock and ours may be apart, in seconds: `FiveMinute` of `wechatpay-go`'s
/// `core/consts/const.go`.
const TOLERANCE: u64 = 5 * 60;

/// With this WeChat begins the wrong signatures by which it tests whether merchants verify. They fail like
/// any other; told apart, they raise no alarm.
const SIGN_TEST: &str = "WECHATPAY/SIGNTEST/";

/// The headers in which WeChat signs its answers and notifications; `None` for one that did not come.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    /// `Wechatpay-Timestamp`
    pub timestamp: Option<&'a str>,
    /// `Wechatpay-Nonce`
    pub nonce: Option<&'a str>,
    /// `Wechatpay-Signature`
    pub signature: Option<&'a str>,
    /// `Wechatpay-Serial`
    pub serial: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Those of an exchange. One that comes twice, or is no text, counts as missing: which of the two was
    /// meant cannot be told.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let only = |name| {
            let mut values = headers.get_all(name).iter();
            let value = values.next().filter(|_| values.next().is_none())?;
            value.to_str().ok()
        };
        Self {
            timestamp: only("wechatpay-timestamp"),
            nonce: only("wechatpay-nonce"),
            signature: only("wechatpay-signature"),
            serial: only("wechatpay-serial"),
        }
    }
}

/// Why something cannot be taken for WeChat's.
#[derive(Debug)]
pub enum Unproven {
    /// A header is missing, or is not what it should be.
    Unsigned,
    /// The signature is WeChat's test of whether we verify.
    SignTest,
    /// More than five minutes away from our clock.
    Stale,
    /// Signed with a key that we do not hold.
    UnknownSerial,
    /// The signature is not that key's over this text.
    BadSignature,
    /// The key cannot be used.
    Misconfigured(Misconfigured),
}

impl From<Misconfigured> for Unproven {
    fn from(misconfigured: Misconfigured) -> Self {
        Self::Misconfigured(misconfigured)
    }
}

impl Merchant {
    /// Our signature over `lines`, in base64. `rng` blinds the signing.
    pub(super) fn sign(
        &self,
        lines: &[&str],
        rng: &mut impl CryptoRng,
    ) -> Result<String, Misconfigured> {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let signature = self.private_key.get()?.sign(text.as_bytes(), rng);
        Ok(STANDARD.encode(signature))
    }

    /// Checks that WeChat signed `body`, now.
    pub(super) fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Unproven> {
        let timestamp = required(headers.timestamp)?;
        let nonce = required(headers.nonce)?;
        let signature = required(headers.signature)?;
        let serial = required(headers.serial)?;
        if signature.starts_with(SIGN_TEST) {
            return Err(Unproven::SignTest);
        }
        let signed_at = whole_seconds(timestamp).ok_or(Unproven::Unsigned)?;
        if seconds(now).abs_diff(signed_at) > TOLERANCE {
            return Err(Unproven::Stale);
        }
        let key = self
            .platform_keys
            .get(serial)
            .ok_or(Unproven::UnknownSerial)?
            .get()?;
        let text = [timestamp.as_bytes(), nonce.as_bytes(), body, b""].join(&b'\n');
        STANDARD
            .decode(signature)
            .ok()
            .filter(|signature| key.verify(&text, signature).is_ok())
            .map(|_| ())
            .ok_or(Unproven::BadSignature)
    }
}

/// A line feed in a header would shift the border between the lines that are signed.
fn required(header: Option<&str>) -> Result<&str, Unproven> {
    header
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(Unproven::Unsigned)
}

/// What makes each signature differ: 32 characters, the most that is documented.
pub(super) fn nonce(rng: &mut impl CryptoRng) -> String {
    format!("{:032X}", u128::from_be_bytes(random::bytes(rng)))
}

/// Seconds since 1970, in which WeChat tells the time.
pub(super) fn seconds(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(1000)
}

/// Digits only: a sign is no part of it.
fn whole_seconds(text: &str) -> Option<i64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::super::tests::{NOW, PLATFORM_SERIAL, configured_with, merchant, signed_by_wechat};
    use super::super::{PLATFORM_KEYS, PRIVATE_KEY};
    use super::*;

    const BODY: &[u8] = b"{\"a\":1}";
    const TIMESTAMP: &str = "1624523846";

    fn signed_at(timestamp: &str) -> String {
        signed_by_wechat(format!("{timestamp}\nn0nce\n{{\"a\":1}}\n").as_bytes())
    }

    fn headers(signature: &str) -> Headers<'_> {
        Headers {
            timestamp: Some(TIMESTAMP),
            nonce: Some("n0nce"),
            signature: Some(signature),
            serial: Some(PLATFORM_SERIAL),
        }
    }

    macro_rules! assert_unproven {
        ($headers:expr, $reason:ident) => {
            let result = merchant().verify(&$headers, BODY, NOW);
            assert!(matches!(result, Err(Unproven::$reason)), "{result:?}");
        };
    }

    #[test]
    fn wechat_s_signature_holds_over_the_body_as_it_came() {
        let signature = signed_at(TIMESTAMP);
        let verify = |body: &[u8]| merchant().verify(&headers(&signature), body, NOW);
        assert!(verify(BODY).is_ok());
        for changed in [&b"{\"a\": 1}"[..], b"{\"a\":1}\n", b"{\"a\":2}", b""] {
            assert!(matches!(verify(changed), Err(Unproven::BadSignature)));
        }
    }

    /// The notification in `wechatpay-go`'s `core/notify/notify_test.go`, whose certificate's key is the one
    /// in `core/auth/verifiers/sha256withrsa_pubkey_verifier_test.go`.
    #[test]
    fn the_sdk_s_example_verifies() {
        let keys = serde_json::json!({ "D7CE59D1F522D701": include_str!("../../testdata/wechatpay-go-public.pem") });
        let merchant = configured_with(&[(PLATFORM_KEYS, &keys.to_string())]).unwrap();
        let body = include_bytes!("../../testdata/wechatpay-go-notification.json");
        let signature = include_str!("../../testdata/wechatpay-go-notification.sig");
        let headers = Headers {
            timestamp: Some("1624523846"),
            nonce: Some("EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz"),
            signature: Some(signature.trim_end()),
            serial: Some("D7CE59D1F522D701"),
        };
        let result = merchant.verify(&headers, body, NOW);
        assert!(result.is_ok(), "{result:?}");
    }

    #[test]
    fn lines_are_signed_as_openssl_signs_them() {
        let signature = merchant()
            .sign(
                &["GET", "/v3/certificates", "1", "n", ""],
                &mut random::host(),
            )
            .unwrap();
        assert_eq!(
            signature,
            include_str!("../../testdata/wechat-request.sig").trim_end()
        );
    }

    #[test]
    fn a_missing_or_unreadable_header_is_no_signature() {
        let signature = signed_at(TIMESTAMP);
        let good = headers(&signature);
        for absent in [None, Some(""), Some("a b"), Some("a\nb"), Some("创")] {
            assert_unproven!(
                Headers {
                    timestamp: absent,
                    ..good
                },
                Unsigned
            );
            assert_unproven!(
                Headers {
                    nonce: absent,
                    ..good
                },
                Unsigned
            );
            assert_unproven!(
                Headers {
                    signature: absent,
                    ..good
                },
                Unsigned
            );
            assert_unproven!(
                Headers {
                    serial: absent,
                    ..good
                },
                Unsigned
            );
        }
        for timestamp in ["+1624523846", "-1", "1624523846.0", "99999999999999999999"] {
            assert_unproven!(
                Headers {
                    timestamp: Some(timestamp),
                    ..good
                },
                Unsigned
            );
        }
    }

    #[test]
    fn five_minutes_of_clock_are_allowed_either_way() {
        for (timestamp, is_timely) in [
            ("1624523546", true),
            ("1624524146", true),
            ("1624523545", false),
            ("1624524147", false),
            ("0", false),
            ("9223372036854775807", false),
        ] {
            let signature = signed_at(timestamp);
            let headers = Headers {
                timestamp: Some(timestamp),
                ..headers(&signature)
            };
            let result = merchant().verify(&headers, BODY, NOW);
            assert_eq!(result.is_ok(), is_timely, "{timestamp}");
            assert!(is_timely || matches!(result, Err(Unproven::Stale)));
        }
    }

    #[test]
    fn each_forgery_is_told() {
        let signature = signed_at(TIMESTAMP);
        let good = headers(&signature);
        assert_unproven!(
            Headers {
                serial: Some("PUB_KEY_ID_0"),
                ..good
            },
            UnknownSerial
        );
        assert_unproven!(
            Headers {
                nonce: Some("nonce"),
                ..good
            },
            BadSignature
        );
        let test = format!("{SIGN_TEST}{signature}");
        assert_unproven!(headers(&test), SignTest);
        for forged in ["AAAA", "?", &signature[1..], &format!("{signature}=")] {
            assert_unproven!(headers(forged), BadSignature);
        }
    }

    #[test]
    fn a_header_that_comes_twice_counts_as_missing() {
        let mut map = HeaderMap::new();
        map.insert("Wechatpay-Nonce", HeaderValue::from_static("a"));
        map.insert("Wechatpay-Serial", HeaderValue::from_static("b"));
        map.append("wechatpay-serial", HeaderValue::from_static("b"));
        let headers = Headers::of(&map);
        assert_eq!((headers.nonce, headers.serial), (Some("a"), None));
    }

    #[test]
    fn keys_that_cannot_be_used_are_named() {
        let merchant = configured_with(&[
            (PLATFORM_KEYS, r#"{"PUB_KEY_ID_0119000000012024":"AQID"}"#),
            (PRIVATE_KEY, "AQID"),
        ])
        .unwrap();
        let result = merchant.verify(&headers("AAAA"), BODY, NOW);
        assert!(matches!(result, Err(Unproven::Misconfigured(it)) if it.variable == PLATFORM_KEYS));
        let error = merchant.sign(&[], &mut random::host()).unwrap_err();
        assert_eq!(error.variable, PRIVATE_KEY);
    }
}
