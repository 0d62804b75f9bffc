//! Alipay's identity verification (clauses E6, T2, V4): `alipay.user.certify.open.initialize`
//! (<https://docs.open.alipay.com/api_2/alipay.user.certify.open.initialize/>), `.certify` and `.query`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use shared::alipay::{AnswerError, App, Refusal};
use shared::http::Context;
use shared::log;
use shared::outbound::{self, Limits};
use shared::random;
use shared::recipient;
use shared::variables::Misconfigured;
use uuid::Uuid;

use crate::error::Error;
use crate::id_number::IdNumber;

const INITIALIZE: &str = "alipay.user.certify.open.initialize";
const CERTIFY: &str = "alipay.user.certify.open.certify";
const QUERY: &str = "alipay.user.certify.open.query";

/// The person waits for this answer.
const LIMITS: Limits = Limits::small(Duration::from_secs(8));

/// What Alipay knows the verification `id` by.
pub fn order_number(id: Uuid) -> String {
    id.simple().to_string()
}

/// Whose face is to be looked at, and where the person goes then.
pub struct Start<'a> {
    /// The claim, from which the order's number is made.
    pub id: Uuid,
    /// The person's name.
    pub name: &'a str,
    /// The person's number: this is the only place that it goes to.
    pub number: &'a IdNumber,
    /// Where Alipay sends the person.
    pub return_url: &'a str,
}

impl Start<'_> {
    /// `face_reserve_strategy` is `never`, for by default Alipay keeps the picture.
    fn content(&self) -> Value {
        json!({
            "outer_order_no": order_number(self.id),
            "biz_code": "FACE",
            "identity_param": {
                "identity_type": "CERT_INFO",
                "cert_type": "IDENTITY_CARD",
                "cert_name": self.name,
                "cert_no": self.number.as_str(),
            },
            "merchant_config": {
                "return_url": self.return_url,
                "face_reserve_strategy": "never",
            },
        })
    }
}

#[derive(Deserialize)]
struct Initialized {
    certify_id: String,
}

#[derive(Deserialize)]
struct Queried {
    passed: Flag,
    fail_reason: Option<String>,
}

/// The documentation and real answers have a text, the Java SDK declares a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    One(String),
    List(Vec<String>),
}

impl Flag {
    fn text(&self) -> &str {
        match self {
            Self::One(text) => text,
            Self::List(list) => match list.as_slice() {
                [text] => text,
                _ => "",
            },
        }
    }
}

/// What Alipay says of a certify_id.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// It is the person.
    Passed,
    /// The person has tried, and it was not; Alipay's code for why.
    Failed(String),
    /// Nothing yet.
    Open,
}

/// Our application at Alipay.
///
/// # Errors
/// [`Error::AlipayUnavailable`]: the variables are not set, so nobody can be verified by face here.
pub fn app() -> Result<App, Error> {
    App::configured().map_err(|Misconfigured { variable }| {
        unavailable(format!("alipay: variable {variable} is not set"), true)
    })
}

/// Announces a verification and answers its certify_id.
///
/// # Errors
/// [`Error::AlipayUnavailable`].
pub fn initialize(cx: &Context, app: &App, start: &Start) -> Result<String, Error> {
    let initialized: Initialized = call(cx, app, INITIALIZE, &start.content())?;
    // It goes into a link and a column: what does not look like one is not taken.
    let id = initialized.certify_id;
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if id.is_empty() || id.len() > 64 || !is_plain {
        return Err(unavailable("alipay: unusable certify_id", false));
    }
    Ok(id)
}

/// The page on which the person shows the face. The link is signed, so nobody can change it.
///
/// # Errors
/// The variables are unusable.
pub fn link(cx: &Context, app: &App, certify_id: &str) -> Result<String, Error> {
    let content = json!({ "certify_id": certify_id });
    Ok(app.link(CERTIFY, &content, cx.now(), &mut random::host())?)
}

/// Asks how a verification stands.
///
/// # Errors
/// [`Error::AlipayUnavailable`]: no answer, or none that proves anything.
pub fn query(cx: &Context, app: &App, certify_id: &str) -> Result<Outcome, Error> {
    let queried: Queried = call(cx, app, QUERY, &json!({ "certify_id": certify_id }))?;
    outcome(queried)
}

/// `F` means "not passed", which is also "not done yet": only with a reason has somebody tried.
fn outcome(queried: Queried) -> Result<Outcome, Error> {
    let reason = queried.fail_reason.filter(|reason| !reason.is_empty());
    match (queried.passed.text(), reason) {
        ("T", _) => Ok(Outcome::Passed),
        ("F", Some(reason)) => Ok(Outcome::Failed(log::code(&reason))),
        ("F", None) => Ok(Outcome::Open),
        _ => Err(unavailable("alipay: neither passed nor not", false)),
    }
}

fn call<T: serde::de::DeserializeOwned>(
    cx: &Context,
    app: &App,
    method: &str,
    content: &Value,
) -> Result<T, Error> {
    let request = app.request(method, content, cx.now(), &mut random::host())?;
    let answer = outbound::send(recipient::ALIPAY, &request, &LIMITS)
        .map_err(|failure| unavailable(format!("alipay: {failure}"), failure.is_lasting()))?;
    app.answer(method, answer.body()).map_err(failed)
}

fn failed(error: AnswerError) -> Error {
    match error {
        AnswerError::Malformed => unavailable("alipay: unreadable answer", false),
        AnswerError::BadSignature => unavailable("alipay: answer not signed by Alipay", true),
        AnswerError::Gateway(refusal) | AnswerError::Refused(refusal) => refused(&refusal),
        AnswerError::Misconfigured(misconfigured) => misconfigured.into(),
    }
}

/// 20000 and the system's errors pass; the rest is configuration, money or a contract, and stays until
/// people act (<https://opendocs.alipay.com/common/02km9f>).
fn refused(refusal: &Refusal) -> Error {
    let sub_code = refusal.sub_code.as_deref().unwrap_or_default();
    let passes = refusal.code == "20000"
        || [
            "SYSTEM_ERROR",
            "aop.ACQ.SYSTEM_ERROR",
            "OPEN_CERTIFY_BILL_NOT_EXIST",
        ]
        .contains(&sub_code);
    let cause = format!(
        "alipay: {} {}",
        log::code(&refusal.code),
        log::code(sub_code)
    );
    unavailable(cause, !passes)
}

fn unavailable(cause: impl Into<String>, alarm: bool) -> Error {
    Error::AlipayUnavailable {
        cause: cause.into(),
        alarm,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn said(passed: &str, fail_reason: Option<&str>) -> Option<Outcome> {
        let queried = Queried {
            passed: Flag::One(passed.to_owned()),
            fail_reason: fail_reason.map(str::to_owned),
        };
        outcome(queried).ok()
    }

    #[test]
    fn not_passed_alone_is_not_failed() {
        assert_eq!(said("T", None), Some(Outcome::Passed));
        assert_eq!(said("T", Some("Z1147")), Some(Outcome::Passed));
        assert_eq!(said("F", None), Some(Outcome::Open));
        assert_eq!(said("F", Some("")), Some(Outcome::Open));
        assert_eq!(
            said("F", Some("Z5128")),
            Some(Outcome::Failed("Z5128".into()))
        );
        for passed in ["", "t", "true"] {
            assert_eq!(said(passed, None), None, "{passed}");
        }
    }

    #[test]
    fn a_list_of_one_is_that_one() {
        for (json, is_passed) in [
            (r#"{"passed":["T"]}"#, true),
            (r#"{"passed":["T","F"]}"#, false),
            (r#"{"passed":[]}"#, false),
        ] {
            let read = outcome(serde_json::from_str(json).unwrap());
            assert_eq!(read.is_ok(), is_passed, "{json}");
        }
    }

    // clause T2
    #[test]
    fn alipay_is_told_not_to_keep_the_face() {
        let number = IdNumber::parse("11010519491231002X", date(2026, 11, 23));
        let start = Start {
            id: Uuid::from_u128(7),
            name: "林小满",
            number: &number.unwrap(),
            return_url: "chuangrenmai://verification",
        };
        let content = start.content();
        assert_eq!(content["merchant_config"]["face_reserve_strategy"], "never");
        assert_eq!(
            content["outer_order_no"],
            "00000000000000000000000000000007"
        );
    }
}
