//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::Problem;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// Nobody can block themselves.
    Oneself,
    /// The person has blocked as many as can be.
    TooMany,
    /// There is no such account.
    NotFound,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Oneself => Self::new(StatusCode::CONFLICT, "block-self", "不能拉黑自己"),
            Error::TooMany => Self::new(
                StatusCode::CONFLICT,
                "too-many-blocks",
                "黑名单已满,请先移除部分用户",
            ),
            Error::NotFound => Self::not_found(),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
