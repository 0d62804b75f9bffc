//! Which version of the privacy policy is in force, and whose consent is too old (clauses N1, N2).
//!
//! Operators publish versions; the newest is in force. A change of one of the policy's five kinds of major change,
//! or one that narrows people's rights, is major: until they agree, people can only read, take a copy and leave.

use http::StatusCode;

use crate::http::{Context, Problem};
use crate::sql::statements;

statements! {
    /// The newest version, and the newest of those that changed something major.
    FIND = "SELECT v.version, (SELECT m.version FROM policy_versions m WHERE m.is_major = 1 \
              ORDER BY m.version DESC LIMIT 1) AS major_version \
            FROM policy_versions v ORDER BY v.version DESC LIMIT 1";
}

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
    /// Looks them up.
    ///
    /// # Errors
    /// The database failed.
    pub fn in_force(cx: &Context) -> Result<Self, Problem> {
        let row = cx.sql()?.first(&FIND, &[])?;
        let row = row.ok_or_else(Problem::internal)?;
        Ok(Self {
            current: row.get("version")?,
            major: row.get("major_version")?,
        })
    }

    /// The problem that asks for consent to the current version: 403 that names it.
    pub fn consent_required(&self) -> Problem {
        Problem::new(
            StatusCode::FORBIDDEN,
            "policy-consent-required",
            "请先阅读并同意隐私政策",
        )
        .with("policy_version", self.current.as_str())
    }
}
