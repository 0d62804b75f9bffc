//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Problem, Violation};
use shared::time::Timestamp;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The fields have these violations.
    Invalid(Vec<Violation>),
    /// The person has given no location, or it has expired.
    LocationMissing(StatusCode),
    /// Nobody gets that far in the time since the last location.
    TooFast {
        /// When the same move would be slow enough.
        possible_at: Timestamp,
    },
    /// No city was asked for, and the person has given none.
    CityMissing,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => Self::invalid_fields(&violations),
            Error::LocationMissing(status) => {
                Self::new(status, "location-missing", "请先更新您的位置")
            }
            Error::TooFast { possible_at } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "location-too-fast",
                "位置变化过快,请稍后再试",
            )
            .retry_at(Timestamp::now(), possible_at),
            Error::CityMissing => Self::new(
                StatusCode::CONFLICT,
                "city-missing",
                "请先填写所在城市,或选择一个城市",
            ),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
