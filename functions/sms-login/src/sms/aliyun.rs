//! Alibaba Cloud Short Message Service: `SendSms` of Dysmsapi 2017-05-25
//! (<https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms>).

use std::time::Duration;

use http::{Request, Response};
use serde::Deserialize;
use shared::aliyun::{Account, Call, Place};
use shared::basis::Sharing;
use shared::crypto::{KeyedHash, hex};
use shared::disclosure::{self, Disclosure};
use shared::http::{Context, Problem};
use shared::log;
use shared::one_time_code::Code;
use shared::outbound::{self, Failure, Limits};
use shared::random;
use shared::recipient;
use shared::variables;
use uuid::Uuid;

use super::NotSent;
use crate::error::Error;
use crate::phone::Phone;

const ACTION: &str = "SendSms";
const VERSION: &str = "2017-05-25";

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
    disclosure::record_of_number(cx, phone_hash, &CODE_SENT)?;
    exchange(&request)
}

/// Sends a notice to an account's number, after recording that it leaves.
pub(super) fn send_notice(
    cx: &Context,
    phone: &Phone,
    account_id: Uuid,
    reference: &str,
) -> Result<(), NotSent> {
    let message = Message {
        phone: phone.national(),
        sign_name: &variables::required("aliyun_sms_sign_name")?,
        template_code: &variables::required("aliyun_sms_notice_template_code")?,
        content: Content::Notice { reference },
    };
    let request = message.request(cx)?;
    if !disclosure::try_record(cx, account_id, &NOTICE_SENT, Some(reference))? {
        // It is nobody's any more.
        return Err(NotSent::NumberRefused(Problem::unauthenticated().into()));
    }
    exchange(&request)
}

fn exchange(request: &Request<Vec<u8>>) -> Result<(), NotSent> {
    match outbound::send(recipient::ALIYUN_SMS, request, &LIMITS) {
        Ok(answer) => read(&answer),
        Err(failure) => {
            let problem = unavailable(format!("aliyun: {failure}"), failure.is_lasting());
            Err(match failure {
                Failure::Unanswered => NotSent::Unknown(problem),
                Failure::WithoutAgreement | Failure::NotSent => NotSent::Refused(problem),
            })
        }
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
        let call = Call {
            action: ACTION,
            version: VERSION,
            parameters: &self.query(),
            place: Place::Query,
        };
        Account::configured("aliyun_sms_endpoint")?.request(&call, cx.now(), &hex(&nonce))
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
