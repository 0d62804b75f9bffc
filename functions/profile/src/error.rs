//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::adult;
use shared::http::{Problem, Violation};

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The birthday is of someone under 18 (clause M1). Nothing was stored.
    Underage,
    /// The fields have these violations.
    Invalid(Vec<Violation>),
    /// The profile is not the version that `If-Match` names.
    Changed,
    /// The name was verified: it stays as long as the verification does.
    NameVerified,
    /// `If-Match` is not one entity tag or `*`.
    IfMatchInvalid,
    /// There is no such profile, or none that the asker may know of.
    NotFound,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Underage => adult::required(),
            Error::Invalid(violations) => Self::invalid_fields(&violations),
            Error::Changed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "profile-changed",
                "资料已在别处更新,请刷新后重试",
            ),
            Error::NameVerified => Self::new(
                StatusCode::CONFLICT,
                "real-name-verified",
                "姓名已实名认证;如需修改,请先撤回实名认证的同意",
            ),
            Error::IfMatchInvalid => {
                Self::new(StatusCode::BAD_REQUEST, "if-match-invalid", "If-Match 无效")
            }
            Error::NotFound => Self::not_found(),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
