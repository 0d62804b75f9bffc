//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Problem, Violation};
use shared::log::Level;
use shared::one_time_code;
use shared::policy::Versions;

use crate::phone::NotAPhone;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The number is no mobile number of mainland China.
    NotAPhone,
    /// The code or the password is wrong, used, or too old. It is not told which, nor whether there is
    /// such an account.
    CredentialsInvalid,
    /// The credentials are right, and the account is frozen: it was reported as leaked.
    AccountFrozen,
    /// The account is no longer what it was when the request began: deleted, or frozen once more.
    AccountChanged,
    /// A new account needs consent, or the version consented to is not the current one.
    ConsentRequired(Versions),
    /// The fields have these violations.
    Invalid(Vec<Violation>),
    /// The SMS provider has refused this number for now: its own limit.
    SmsRefusedForNow,
    /// The SMS provider cannot send; people may have to act.
    SmsUnavailable {
        /// What the log says.
        cause: String,
        /// Whether people must act.
        alarm: bool,
    },
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotAPhone => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "phone-invalid",
                "请输入正确的中国大陆手机号",
            ),
            Error::CredentialsInvalid => one_time_code::credentials_invalid(),
            Error::AccountFrozen => Self::new(
                StatusCode::FORBIDDEN,
                "account-frozen",
                "账号因泄露风险已被冻结,请重新设置密码后登录",
            ),
            Error::AccountChanged => Self::new(
                StatusCode::CONFLICT,
                "account-changed",
                "账号状态已变化,请重试",
            ),
            Error::ConsentRequired(versions) => versions.consent_required(),
            Error::Invalid(violations) => Self::invalid_fields(&violations),
            Error::SmsRefusedForNow => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "sms-limit",
                "短信发送太频繁,请稍后再试",
            )
            .retry_after(60),
            Error::SmsUnavailable { cause, alarm } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "sms-unavailable",
                "短信暂时无法发送,请稍后再试",
            )
            .retry_after(60)
            .because(if alarm { Level::Alarm } else { Level::Error }, cause),
            Error::Problem(problem) => problem,
        }
    }
}

impl From<NotAPhone> for Error {
    fn from(NotAPhone: NotAPhone) -> Self {
        Self::NotAPhone
    }
}

shared::http::lift_problems!(Error);
