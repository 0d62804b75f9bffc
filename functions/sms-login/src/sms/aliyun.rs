//! Alibaba Cloud Short Message Service: `SendSms` of Dysmsapi 2017-05-25
//! (<https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms>), signed with
//! ACS3-HMAC-SHA256
//! (<https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature>).

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request, Response};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use shared::basis::Sharing;
use shared::crypto::{KeyedHash, hex};
use shared::disclosure::{self, Disclosure};
use shared::http::{Context, Problem};
use shared::log;
use shared::one_time_code::Code;
use shared::outbound::{self, Failure, Limits};
use shared::random;
use shared::recipient;
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};

use super::NotSent;
use crate::error::Error;
use crate::phone::Phone;

const ACTION: &str = "SendSms";
const VERSION: &str = "2017-05-25";
const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// The person waits for this answer, and a code lives five minutes.
const LIMITS: Limits = Limits::small(Duration::from_secs(8));

const CODE_SENT: Disclosure = Disclosure {
    recipient: recipient::ALIYUN_SMS,
    purpose: "sending a one-time code",
    data: "phone number,one-time code",
    basis: Sharing::Consent,
};

const NOTICE_SENT: Disclosure = Disclosure {
    recipient: recipient::ALIYUN_SMS,
    purpose: "telling of a personal information security incident",
    data: "phone number",
    basis: Sharing::Law,
};

/// Sends `code`, after recording that the number leaves.
pub(super) fn send(
    cx: &Context,
    phone: &Phone,
    phone_hash: &KeyedHash,
    code: &Code,
) -> Result<(), NotSent> {
    let message = Message {
        phone: phone.national(),
        sign_name: &variables::required("aliyun_sms_sign_name")?,
        template_code: &variables::required("aliyun_sms_template_code")?,
        content: Content::Code(code.digits()),
    };
    let request = message.request(cx)?;
    disclosure::record(cx, phone_hash, &CODE_SENT, None)?;
    exchange(&request)
}

/// Sends a notice, after recording that the number leaves.
pub(super) fn send_notice(
    cx: &Context,
    phone: &Phone,
    phone_hash: &KeyedHash,
    reference: &str,
) -> Result<(), NotSent> {
    let message = Message {
        phone: phone.national(),
        sign_name: &variables::required("aliyun_sms_sign_name")?,
        template_code: &variables::required("aliyun_sms_notice_template_code")?,
        content: Content::Notice { reference },
    };
    let request = message.request(cx)?;
    disclosure::record(cx, phone_hash, &NOTICE_SENT, Some(reference))?;
    exchange(&request)
}

fn exchange(request: &Request<Vec<u8>>) -> Result<(), NotSent> {
    match outbound::send(request, &LIMITS) {
        Ok(answer) => read(&answer),
        Err(Failure::NotSent) => Err(NotSent::Refused(unavailable("aliyun: not reached", false))),
        Err(Failure::Unanswered) => Err(NotSent::Unknown(unavailable("aliyun: no answer", false))),
    }
}

/// One SMS of an approved template.
struct Message<'a> {
    phone: &'a str,
    sign_name: &'a str,
    template_code: &'a str,
    content: Content<'a>,
}

enum Content<'a> {
    /// The template has the one variable `code`.
    Code(&'a str),
    /// The template has no variables. `OutId` is ours, and comes back in the provider's reports.
    Notice { reference: &'a str },
}

impl Message<'_> {
    fn request(&self, cx: &Context) -> Result<Request<Vec<u8>>, Problem> {
        let nonce: [u8; 16] = random::bytes(&mut random::host());
        let account = Account::configured()?;
        account.request(ACTION, VERSION, &self.query(), cx.now(), &hex(&nonce))
    }

    /// The parameters, sorted by name as the signature wants them.
    fn query(&self) -> [(&'static str, String); 4] {
        let phone = ("PhoneNumbers", self.phone.to_owned());
        let sign_name = ("SignName", self.sign_name.to_owned());
        let template_code = ("TemplateCode", self.template_code.to_owned());
        match self.content {
            Content::Code(code) => {
                // The template's values must be strings, or the answer is isv.INVALID_JSON_PARAM.
                let parameters = serde_json::json!({ "code": code }).to_string();
                let parameters = ("TemplateParam", parameters);
                [phone, sign_name, template_code, parameters]
            }
            Content::Notice { reference } => {
                let out_id = ("OutId", reference.to_owned());
                [out_id, phone, sign_name, template_code]
            }
        }
    }
}

/// Who calls, and where.
struct Account {
    /// `https://host[:port]`
    endpoint: String,
    access_key_id: String,
    access_key_secret: String,
}

impl Account {
    fn configured() -> Result<Self, Misconfigured> {
        Ok(Self {
            endpoint: variables::required("aliyun_sms_endpoint")?,
            access_key_id: variables::required("aliyun_access_key_id")?,
            access_key_secret: variables::required("aliyun_access_key_secret")?,
        })
    }

    /// A signed call in the RPC style: all parameters stand in the query, sorted by name; the body is
    /// empty, and its hash is signed.
    fn request(
        &self,
        action: &str,
        version: &str,
        parameters: &[(&str, String)],
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
        let payload_hash = hex(&Sha256::digest([]));
        let headers = [
            ("host", host),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &payload_hash),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-version", version),
        ];
        let query: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let query = query.join("&");
        let authorization = self.authorization(&query, &headers, &payload_hash);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{endpoint}/?{query}"))
            .header("authorization", authorization)
            .header("accept", "application/json");
        // The host header is the client's to set.
        for (name, value) in headers.into_iter().skip(1) {
            request = request.header(name, value);
        }
        request.body(Vec::new()).map_err(|_| Problem::internal())
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendSmsAnswer {
    code: String,
}

/// Business failures come with HTTP 200, the gateway's with 4xx and 5xx; both name a `Code`
/// (<https://help.aliyun.com/zh/sms/developer-reference/api-error-codes>). An answer without one says
/// nothing about whether the message left.
fn read(answer: &Response<Vec<u8>>) -> Result<(), NotSent> {
    let Ok(SendSmsAnswer { code }) = serde_json::from_slice(answer.body()) else {
        let cause = format!(
            "aliyun: unreadable answer, status {}",
            answer.status().as_u16()
        );
        return Err(NotSent::Unknown(unavailable(cause, false)));
    };
    match code.as_str() {
        "OK" if answer.status().is_success() => Ok(()),
        "isv.BUSINESS_LIMIT_CONTROL" => Err(NotSent::Refused(Error::SmsRefusedForNow)),
        "isv.MOBILE_NUMBER_ILLEGAL" => Err(NotSent::NumberRefused(Error::NotAPhone)),
        // The person has told the carrier to refuse such messages.
        "isv.CUSTOMER_REFUSED" => Err(NotSent::NumberRefused(unavailable(named(&code), true))),
        // Theirs, and passing.
        "isp.SYSTEM_ERROR" | "isp.GATEWAY_ERROR" | "ServiceUnavailable" | "InternalError"
        | "Throttling" | "Throttling.User" | "Throttling.Api" => {
            Err(NotSent::Refused(unavailable(named(&code), false)))
        }
        // Configuration, money or a contract: it stays until people act.
        _ => Err(NotSent::Refused(unavailable(named(&code), true))),
    }
}

/// The code for the log.
fn named(code: &str) -> String {
    format!("aliyun: {}", log::code(code))
}

fn unavailable(cause: impl Into<String>, alarm: bool) -> Error {
    Error::SmsUnavailable {
        cause: cause.into(),
        alarm,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    /// The worked example (固定参数示例) of the signature's documentation.
    #[test]
    fn the_published_example_gives_the_published_signature() {
        let account = Account {
            endpoint: "https://ecs.cn-shanghai.aliyuncs.com".into(),
            access_key_id: "YourAccessKeyId".into(),
            access_key_secret: "YourAccessKeySecret".into(),
        };
        let parameters = [
            (
                "ImageId",
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd".to_owned(),
            ),
            ("RegionId", "cn-shanghai".to_owned()),
        ];
        let request = account
            .request(
                "RunInstances",
                "2014-05-26",
                &parameters,
                Timestamp(1_698_315_752_000), // 2023-10-26T10:22:32Z
                "3156853299f313e23d1673dc12e1703d",
            )
            .unwrap();
        assert_eq!(
            request.headers()["authorization"],
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,\
             SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("aZ0-_.~"), "aZ0-_.~");
        assert_eq!(encode("创 +*/"), "%E5%88%9B%20%2B%2A%2F");
    }

    #[test]
    fn parameters_are_sorted_and_template_values_are_strings() {
        let query = Message {
            phone: "13800138000",
            sign_name: "创人脉",
            template_code: "SMS_1",
            content: Content::Code("012345"),
        }
        .query();
        assert!(query.is_sorted());
        assert_eq!(query[3].1, r#"{"code":"012345"}"#);
        let query = Message {
            phone: "13800138000",
            sign_name: "创人脉",
            template_code: "SMS_2",
            content: Content::Notice { reference: "r" },
        }
        .query();
        assert!(query.is_sorted());
        assert_eq!(query[0], ("OutId", "r".to_owned()));
    }

    fn outcome(status: u16, body: &str) -> &'static str {
        let mut answer = Response::new(body.as_bytes().to_vec());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        match read(&answer) {
            Ok(()) => "sent",
            Err(NotSent::Unknown(_)) => "unknown",
            Err(NotSent::Refused(Error::SmsRefusedForNow)) => "later",
            Err(NotSent::NumberRefused(_)) => "number",
            Err(NotSent::Refused(Error::SmsUnavailable { alarm: false, .. })) => "unavailable",
            Err(NotSent::Refused(Error::SmsUnavailable { alarm: true, .. })) => "alarm",
            Err(NotSent::Refused(_)) => "other",
        }
    }

    #[test]
    fn each_answer_has_its_meaning() {
        for (status, code, meaning) in [
            (200, "OK", "sent"),
            (200, "isv.BUSINESS_LIMIT_CONTROL", "later"),
            (200, "isv.MOBILE_NUMBER_ILLEGAL", "number"),
            (200, "isv.CUSTOMER_REFUSED", "number"),
            (200, "isp.SYSTEM_ERROR", "unavailable"),
            (503, "ServiceUnavailable", "unavailable"),
            (200, "isv.DAY_LIMIT_CONTROL", "alarm"),
            (200, "isv.AMOUNT_NOT_ENOUGH", "alarm"),
            (200, "isv.DENY_IP_RANGE", "alarm"),
            (403, "isp.RAM_PERMISSION_DENY", "alarm"),
            (400, "SignatureDoesNotMatch", "alarm"),
            (500, "OK", "alarm"),
        ] {
            let body = serde_json::json!({ "Code": code, "Message": "m" }).to_string();
            assert_eq!(outcome(status, &body), meaning, "{status} {code}");
        }
        for body in ["", "{}", "[]", "<html>", r#"{"Code":1}"#] {
            assert_eq!(outcome(200, body), "unknown", "{body}");
            assert_eq!(outcome(502, body), "unknown", "{body}");
        }
    }

    #[test]
    fn a_lying_code_cannot_fill_the_log() {
        assert_eq!(named("a\nb{13800138000}"), "aliyun: ab13800138000");
        assert_eq!(named(&"x".repeat(1000)).len(), "aliyun: ".len() + 64);
    }
}
