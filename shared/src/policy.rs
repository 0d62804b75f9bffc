//! Which version of the privacy policy is in force, and whose consent is too old (clause N1).

use http::StatusCode;

use crate::http::Problem;
use crate::variables::{self, Misconfigured};

/// The version in force, and the last one that changed something major. Versions are dates,
/// `YYYY-MM-DD`, so that the later one is the greater text.
#[derive(Debug)]
pub struct Versions {
    /// The version that is consented to now.
    pub current: String,
    /// A consent to an older version than this must be given again.
    pub major: String,
}

impl Versions {
    /// Reads the variables `policy_version` and `policy_major_version`.
    ///
    /// # Errors
    /// One of them is not set.
    pub fn in_force() -> Result<Self, Misconfigured> {
        Ok(Self {
            current: variables::required("policy_version")?,
            major: major()?,
        })
    }

    /// The problem that asks for consent to the current version.
    pub fn consent_required(&self) -> Problem {
        consent_required(&self.current)
    }
}

/// The last version that changed something major.
pub(crate) fn major() -> Result<String, Misconfigured> {
    variables::required("policy_major_version")
}

/// 403 that names the version to consent to.
pub(crate) fn consent_required(current: &str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "policy-consent-required",
        "请先阅读并同意隐私政策",
    )
    .with("policy_version", current)
}
