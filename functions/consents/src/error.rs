//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::consent::Terms;
use shared::http::Problem;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The purpose is part of the policy: it is given with the policy, and withdrawn with the account.
    Basic,
    /// The version is not the one that the person is asked to agree to now.
    VersionOutdated(&'static Terms),
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Basic => Self::new(
                StatusCode::CONFLICT,
                "consent-basic",
                "此项同意是使用服务的基础,随隐私政策给出;撤回须注销账号",
            ),
            Error::VersionOutdated(terms) => Self::new(
                StatusCode::CONFLICT,
                "consent-version-outdated",
                "授权说明已更新,请阅读新版本后再同意",
            )
            .with("purpose", terms.name)
            .with("version", terms.version),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
