//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Problem, Violation};

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The fields have these violations.
    Invalid(Vec<Violation>),
    /// There is no such request, or none that the asker may know of; or no such account.
    NotFound,
    /// The request was decided, otherwise than is asked for now.
    AlreadyDecided,
    /// The person has not asked for the same often enough for a fee.
    FeeNotAllowed,
    /// The request has another fee already, which the person may have been told.
    FeeSet,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let conflict = |name, title| Self::new(StatusCode::CONFLICT, name, title);
        match error {
            Error::Invalid(violations) => Self::invalid_fields(&violations),
            Error::NotFound => Self::not_found(),
            Error::AlreadyDecided => conflict("already-decided", "此请求已处理完毕"),
            Error::FeeNotAllowed => {
                conflict("fee-not-allowed", "一年内同类请求未满三次,不得收取费用")
            }
            Error::FeeSet => conflict("fee-set", "此请求的费用已确定"),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
