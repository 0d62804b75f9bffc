//! Calls that settled nothing.

use shared::alipay::{AnswerError, Refusal};
use shared::log;
use shared::variables::Misconfigured;

/// Why a call settled nothing. What was asked may have been done all the same: ask again, or query.
#[derive(Debug)]
pub enum Failure {
    /// The answer is none, or says something else than the documentation allows, or is about another trade.
    Malformed,
    /// The answer is not signed by Alipay.
    BadSignature,
    /// A refusal that passes by itself; the codes, fit for a log.
    Passing(String),
    /// A refusal that stays until people act: configuration, a contract, or a state of the trade that
    /// should not be; the codes, fit for a log. One that nobody signed is among these, whatever it claims.
    Lasting(String),
    /// A key or the gateway's host cannot be used.
    Misconfigured(Misconfigured),
}

impl Failure {
    /// What went wrong, fit for a log.
    pub fn cause(&self) -> String {
        match self {
            Self::Malformed => "unreadable answer".to_owned(),
            Self::BadSignature => "answer not signed by Alipay".to_owned(),
            Self::Passing(codes) | Self::Lasting(codes) => codes.clone(),
            Self::Misconfigured(Misconfigured { variable }) => format!("variable {variable}"),
        }
    }

    /// Whether people must act before it can work.
    pub fn needs_people(&self) -> bool {
        match self {
            Self::Malformed | Self::Passing(_) => false,
            Self::BadSignature | Self::Lasting(_) | Self::Misconfigured(_) => true,
        }
    }

    /// A refusal that Alipay signed, and that says nothing certain of the trade.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        if passes(refusal) {
            Self::Passing(codes(refusal))
        } else {
            Self::Lasting(codes(refusal))
        }
    }
}

impl From<AnswerError> for Failure {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Malformed => Self::Malformed,
            AnswerError::BadSignature => Self::BadSignature,
            AnswerError::Refused(refusal) => Self::refused(&refusal),
            AnswerError::Gateway(refusal) if passes(&refusal) => Self::Passing(codes(&refusal)),
            AnswerError::Gateway(refusal) => Self::Lasting(format!("{} unsigned", codes(&refusal))),
            AnswerError::Misconfigured(misconfigured) => Self::Misconfigured(misconfigured),
        }
    }
}

/// 20000 is "unknown", 40005 is "too often" (<https://opendocs.alipay.com/common/02km9f>). After the method's
/// own system error, the documentation of each method asks for the same call again.
fn passes(refusal: &Refusal) -> bool {
    let sub_code = refusal.sub_code.as_deref().unwrap_or_default();
    ["20000", "40005"].contains(&refusal.code.as_str())
        || ["ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR"].contains(&sub_code)
}

fn codes(refusal: &Refusal) -> String {
    let sub_code = refusal.sub_code.as_deref().unwrap_or_default();
    format!("{} {}", log::code(&refusal.code), log::code(sub_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, sub_code: &str) -> Refusal {
        Refusal {
            code: code.to_owned(),
            sub_code: Some(sub_code.to_owned()),
        }
    }

    #[test]
    fn what_passes_is_told_from_what_needs_people() {
        for (code, sub_code, needs_people) in [
            ("20000", "isp.unknow-error", false),
            ("20000", "aop.ACQ.SYSTEM_ERROR", false),
            ("40004", "ACQ.SYSTEM_ERROR", false),
            ("40005", "isv.app-call-limited", false),
            ("40004", "ACQ.ACCESS_FORBIDDEN", true),
            ("40004", "ACQ.INVALID_PARAMETER", true),
            ("40002", "isv.invalid-signature", true),
            ("40006", "isv.insufficient-isv-permissions", true),
        ] {
            for error in [AnswerError::Refused, AnswerError::Gateway] {
                let failure = Failure::from(error(refusal(code, sub_code)));
                assert_eq!(failure.needs_people(), needs_people, "{failure:?}");
                assert!(failure.cause().starts_with(&format!("{code} {sub_code}")));
            }
        }
    }

    #[test]
    fn a_cause_is_fit_for_a_log() {
        let failure = Failure::from(AnswerError::Gateway(refusal("4\n0", "X\"张三")));
        assert_eq!(failure.cause(), "40 X unsigned");
    }
}
