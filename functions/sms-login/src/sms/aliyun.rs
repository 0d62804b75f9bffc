//! Alibaba Cloud Short Message Service: `SendSms` of Dysmsapi 2017-05-25
//! (<https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms>).

use std::time::Duration;

use http::Response;
use serde::Deserialize;
use shared::aliyun::{Account, Call, Place};
use shared::basis::Sharing;
use shared::crypto::{KeyedHash, hex};
use shared::disclosure::{self, Disclosure};
use shared::http::Context;
use shared::log;
use shared::one_time_code::Code;
use shared::outbound::{self, Failure, Limits};
use shared::random;
use shared::recipient;
use shared::variables;

use super::NotSent;
use crate::error::Error;
use crate::phone::Phone;

const ACTION: &str = "SendSms";
const VERSION: &str = "2017-05-25";

/// The person waits for this answer, and a code lives five minutes.
const LIMITS: Limits = Limits::small(Duration::from_secs(8));

const DISCLOSURE: Disclosure = Disclosure {
    recipient: recipient::ALIYUN_SMS,
    purpose: "sending a one-time code",
    data: "phone number,one-time code",
    basis: Sharing::Consent,
};

/// Sends `code`, after recording that the number leaves.
pub(super) fn send(
    cx: &Context,
    phone: &Phone,
    phone_hash: &KeyedHash,
    code: &Code,
) -> Result<(), NotSent> {
    let account = Account::configured("aliyun_sms_endpoint")?;
    let message = Message {
        phone: phone.national(),
        sign_name: &variables::required("aliyun_sms_sign_name")?,
        template_code: &variables::required("aliyun_sms_template_code")?,
        code: code.digits(),
    };
    let nonce: [u8; 16] = random::bytes(&mut random::host());
    let call = Call {
        action: ACTION,
        version: VERSION,
        parameters: &message.query(),
        place: Place::Query,
    };
    let request = account.request(&call, cx.now(), &hex(&nonce))?;
    disclosure::record(cx, phone_hash, &DISCLOSURE, None)?;
    match outbound::send(&request, &LIMITS) {
        Ok(answer) => read(&answer),
        Err(Failure::NotSent) => Err(NotSent::Refused(unavailable("aliyun: not reached", false))),
        Err(Failure::Unanswered) => Err(NotSent::Unknown(unavailable("aliyun: no answer", false))),
    }
}

/// One SMS of an approved template that has the one variable `code`.
struct Message<'a> {
    phone: &'a str,
    sign_name: &'a str,
    template_code: &'a str,
    code: &'a str,
}

impl Message<'_> {
    /// The parameters, sorted by name as the signature wants them.
    fn query(&self) -> [(&'static str, String); 4] {
        // The template's values must be strings, or the answer is isv.INVALID_JSON_PARAM.
        let parameters = serde_json::json!({ "code": self.code });
        [
            ("PhoneNumbers", self.phone.to_owned()),
            ("SignName", self.sign_name.to_owned()),
            ("TemplateCode", self.template_code.to_owned()),
            ("TemplateParam", parameters.to_string()),
        ]
    }
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
        "isv.MOBILE_NUMBER_ILLEGAL" => Err(NotSent::Refused(Error::NotAPhone)),
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

    #[test]
    fn parameters_are_sorted_and_template_values_are_strings() {
        let query = Message {
            phone: "13800138000",
            sign_name: "创人脉",
            template_code: "SMS_1",
            code: "012345",
        }
        .query();
        assert!(query.is_sorted());
        assert_eq!(query[3].1, r#"{"code":"012345"}"#);
    }

    fn outcome(status: u16, body: &str) -> &'static str {
        let mut answer = Response::new(body.as_bytes().to_vec());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        match read(&answer) {
            Ok(()) => "sent",
            Err(NotSent::Unknown(_)) => "unknown",
            Err(NotSent::Refused(Error::SmsRefusedForNow)) => "later",
            Err(NotSent::Refused(Error::NotAPhone)) => "number",
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
