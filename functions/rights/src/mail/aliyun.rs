//! Alibaba Cloud DirectMail: `SingleSendMail` of Dm 2015-11-23
//! (<https://help.aliyun.com/zh/direct-mail/singlesendmail>). The parameters stand in the body: an address with the
//! link in it would be in every log on its way.

use std::time::Duration;

use http::Response;
use serde::Deserialize;
use shared::aliyun::{Account, Call, Place};
use shared::basis::Sharing;
use shared::crypto::{Key, Purpose, hex};
use shared::disclosure::{self, Disclosure};
use shared::http::{Context, Problem};
use shared::log::{self, Level};
use shared::outbound::{self, Limits};
use shared::variables::Misconfigured;
use shared::{random, recipient, variables};
use uuid::Uuid;

use super::{Mail, NotSent};

const ACTION: &str = "SingleSendMail";
const VERSION: &str = "2015-11-23";
const LIMITS: Limits = Limits::small(Duration::from_secs(8));

const DISCLOSURE: Disclosure = Disclosure {
    recipient: recipient::ALIYUN_MAIL,
    purpose: "sending the link to a copy of one's data",
    data: "e-mail address",
    basis: Sharing::Consent,
};

/// Sends a mail, after recording that the address leaves.
pub(super) fn send(cx: &Context, mail: &Mail) -> Result<(), NotSent> {
    let account = Account::configured("aliyun_mail_endpoint")?;
    let sender = variables::required("aliyun_mail_account")?;
    let nonce: [u8; 16] = random::bytes(&mut random::host());
    let call = Call {
        action: ACTION,
        version: VERSION,
        parameters: &parameters(mail, &sender),
        place: Place::Form,
    };
    let request = account.request(&call, cx.now(), &hex(&nonce))?;
    let (id, reference) = (disclosure_id(mail)?, mail.export_id.to_string());
    disclosure::record_as(cx, id, mail.account_id, &DISCLOSURE, Some(&reference))?;
    match outbound::send(recipient::ALIYUN_MAIL, &request, &LIMITS) {
        Ok(answer) => read(&answer),
        Err(failure) => {
            let level = if failure.is_lasting() {
                Level::Alarm
            } else {
                Level::Error
            };
            Err(unavailable(&format!("aliyun: {failure}"), level))
        }
    }
}

/// One for an export and an address, however often its mail is tried.
fn disclosure_id(mail: &Mail) -> Result<Uuid, Misconfigured> {
    let key = Key::for_purpose(Purpose::RequestKey)?;
    let hash = key.hash(&[mail.export_id.as_bytes(), mail.to.as_bytes()]);
    Ok(random::hashed_id(mail.created_at, &hash))
}

/// Sorted by name, as the signature wants them.
fn parameters(mail: &Mail, sender: &str) -> [(&'static str, String); 7] {
    let text = format!(
        "您好:\n\n您申请的个人信息副本已准备好,请在 24 小时内打开以下链接,在页面上点击下载:\n\n{}\n\n\
         副本只能下载一次,请勿转发链接。如非本人申请,请忽略本邮件并检查账号安全。\n\n创人脉\n",
        mail.link
    );
    [
        ("AccountName", sender.to_owned()),
        // The sender's address, not a random one.
        ("AddressType", "1".to_owned()),
        // A link that is counted on its way would be somebody else's link.
        ("ClickTrace", "0".to_owned()),
        ("ReplyToAddress", "false".to_owned()),
        ("Subject", "您的个人信息副本已准备好".to_owned()),
        ("TextBody", text),
        ("ToAddress", mail.to.to_owned()),
    ]
}

/// What the codes mean is listed at <https://developer.aliyun.com/ask/278330>.
///
/// A mail that was accepted has an `EnvId`; every failure names a `Code`. What says neither says nothing about whether
/// the mail is on its way.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMailAnswer {
    env_id: Option<String>,
    code: Option<String>,
}

fn read(answer: &Response<Vec<u8>>) -> Result<(), NotSent> {
    let status = answer.status();
    let answer = serde_json::from_slice(answer.body()).unwrap_or(SendMailAnswer {
        env_id: None,
        code: None,
    });
    match (answer.env_id, answer.code.as_deref()) {
        (Some(_), None) if status.is_success() => Ok(()),
        // Malformed, known to take no mail, not there.
        (_, Some("InvalidToAddress" | "InvalidToAddress.Spam" | "InvalidReceiver.NotFound")) => {
            Err(NotSent::Address)
        }
        // Theirs, and passing.
        (
            _,
            Some(
                code @ ("ServiceUnavailable" | "InternalError" | "Throttling" | "Throttling.User"
                | "Throttling.Api"),
            ),
        ) => Err(unavailable(&named(code), Level::Error)),
        // Configuration, money or a contract: it stays until people act.
        (_, Some(code)) => Err(unavailable(&named(code), Level::Alarm)),
        (_, None) => {
            let cause = format!("aliyun: unreadable answer, status {}", status.as_u16());
            Err(unavailable(&cause, Level::Error))
        }
    }
}

/// The code for the log.
fn named(code: &str) -> String {
    format!("aliyun: {}", log::code(code))
}

fn unavailable(cause: &str, level: Level) -> NotSent {
    NotSent::Problem(Problem::unavailable().because(level, cause))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use shared::time::Timestamp;

    use super::*;

    #[test]
    fn parameters_are_sorted_and_hold_the_link_once() {
        let mail = Mail {
            to: "a@b.cn",
            link: "https://x/v1/exports/1?token=T",
            export_id: Uuid::nil(),
            created_at: Timestamp(0),
            account_id: Uuid::nil(),
        };
        let parameters = parameters(&mail, "service@example.cn");
        assert!(parameters.is_sorted());
        let holding = |text: &str| {
            let values = parameters.iter().filter(|(_, value)| value.contains(text));
            values.map(|(name, _)| *name).collect::<Vec<_>>()
        };
        assert_eq!(holding("token=T"), ["TextBody"]);
        assert_eq!(holding("a@b.cn"), ["ToAddress"]);
    }

    fn outcome(status: u16, body: &str) -> &'static str {
        let mut answer = Response::new(body.as_bytes().to_vec());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        match read(&answer) {
            Ok(()) => "sent",
            Err(NotSent::Address) => "address",
            Err(NotSent::Problem(_)) => "again",
        }
    }

    #[test]
    fn each_answer_has_its_meaning() {
        for (status, body, meaning) in [
            (200, r#"{"EnvId":"6","RequestId":"r"}"#, "sent"),
            (200, r#"{"RequestId":"r"}"#, "again"),
            (200, "<html>", "again"),
            (200, "", "again"),
            (500, r#"{"EnvId":"6"}"#, "again"),
            (400, r#"{"Code":"InvalidToAddress"}"#, "address"),
            (400, r#"{"Code":"InvalidToAddress.Spam"}"#, "address"),
            (404, r#"{"Code":"InvalidReceiver.NotFound"}"#, "address"),
            (400, r#"{"Code":"InvalidSendMail.Spam"}"#, "again"),
            (400, r#"{"Code":"InvalidMailAddress.NotFound"}"#, "again"),
            (503, r#"{"Code":"ServiceUnavailable"}"#, "again"),
            (200, r#"{"EnvId":"6","Code":"Throttling"}"#, "again"),
        ] {
            assert_eq!(outcome(status, body), meaning, "{status} {body}");
        }
    }
}
