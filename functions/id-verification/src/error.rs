//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::adult;
use shared::http::{Problem, Violation};
use shared::log::Level;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The fields have these violations.
    Invalid(Vec<Violation>),
    /// The number is a minor's (clause M1). Nothing was stored.
    Underage,
    /// The person is verified already.
    AlreadyVerified,
    /// Somebody else is verified under this number. It is not told who.
    NumberInUse,
    /// The account has a review of this kind that is not decided yet.
    ReviewOpen,
    /// There is nothing to object to: it was passed, decided by a person, or withdrawn.
    NotAppealable,
    /// There is no such verification or review, or none that the asker may know of.
    NotFound,
    /// The review was decided, otherwise than is asked for now.
    AlreadyDecided,
    /// The profile shows another name by now than the one under review.
    NameChanged,
    /// Alipay cannot be asked; people may have to act.
    AlipayUnavailable {
        /// What the log says.
        cause: String,
        /// Whether people must act.
        alarm: bool,
    },
    /// A message that does not come from Alipay, or not to us.
    MessageRefused {
        /// The problem's name.
        name: &'static str,
        /// What the log says.
        cause: &'static str,
    },
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let conflict = |name, title| Self::new(StatusCode::CONFLICT, name, title);
        match error {
            Error::Invalid(violations) => Self::invalid_fields(&violations),
            Error::Underage => adult::required(),
            Error::AlreadyVerified => conflict("already-verified", "您已完成实名认证"),
            Error::NumberInUse => conflict("id-number-in-use", "该证件号码已用于其他账号的认证"),
            Error::ReviewOpen => conflict("review-open", "您已有一项审核正在进行"),
            Error::NotAppealable => conflict("not-appealable", "此认证的结果不能申诉"),
            Error::NotFound => Self::not_found(),
            Error::AlreadyDecided => conflict("already-decided", "此审核已有结果"),
            Error::NameChanged => conflict("name-changed", "该用户的姓名已变化,不能通过"),
            Error::AlipayUnavailable { cause, alarm } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "alipay-unavailable",
                "实名认证服务暂时不可用,请稍后再试",
            )
            .retry_after(30)
            .because(if alarm { Level::Alarm } else { Level::Error }, cause),
            Error::MessageRefused { name, cause } => {
                Self::new(StatusCode::BAD_REQUEST, name, "消息无法接受")
                    .because(Level::Warning, cause)
            }
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
