//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Problem, Violation};

use crate::closing::Remaining;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// A field has this violation.
    Invalid(Violation),
    /// The person would lose this, and did not say that it may be lost.
    BalanceRemaining(Remaining),
    /// The deletion is being executed: nothing calls it back.
    Begun,
    /// There is no such account.
    NotFound,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(violation)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violation) => Self::invalid_fields(&[violation]),
            Error::BalanceRemaining(remaining) => Self::new(
                StatusCode::CONFLICT,
                "balance-remaining",
                "账号中还有未使用的金币或未完成的订单,请确认放弃后再注销",
            )
            .with("remaining", remaining.to_json()),
            Error::Begun => Self::new(
                StatusCode::CONFLICT,
                "deletion-begun",
                "注销已开始执行,无法撤销",
            ),
            Error::NotFound => Self::not_found(),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
