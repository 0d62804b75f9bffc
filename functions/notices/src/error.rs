//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Problem, Violation};

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The fields have these violations.
    Invalid(Vec<Violation>),
    /// There is no such notice, or none that the asker may know of.
    NotFound,
    /// The version is published, and says something else.
    VersionPublished,
    /// The version is not later than this one, the newest.
    VersionNotNewer(String),
    /// A transfer to a lower standard needs people's consent, and this version, the last major one, does not ask
    /// for it.
    TransferNeedsConsent(String),
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let conflict = |name, title| Self::new(StatusCode::CONFLICT, name, title);
        match error {
            Error::Invalid(violations) => Self::invalid_fields(&violations),
            Error::NotFound => Self::not_found(),
            Error::VersionPublished => {
                conflict("policy-version-published", "该版本已经发布,内容不能再更改")
            }
            Error::VersionNotNewer(newest) => {
                conflict("policy-version-not-newer", "新版本的日期必须晚于现有版本")
                    .with("newest_version", newest)
            }
            Error::TransferNeedsConsent(major) => conflict(
                "transfer-needs-consent",
                "接收方的保护标准低于本政策时,须先发布需要重新同意的政策版本",
            )
            .with("major_version", major),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
