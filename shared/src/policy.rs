//! Which version of the privacy policy is in force, and whose consent is too old (clauses N1, N2).
//!
//! Operators publish versions; the newest is in force. A change of one of the policy's five kinds of major change,
//! or one that narrows people's rights, is major: until they agree, people can only read, take a copy and leave.

use http::StatusCode;

use crate::http::{Context, FromContext, Problem};
use crate::sql::statements;
use crate::time::Timestamp;

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

/// A version's name: its date in China, `YYYY-MM-DD`. In a path, what is none answers 404.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// Reads a version's name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_long = text.len() == "YYYY-MM-DD".len();
        let date = Timestamp::start_of_china_date(text).filter(|_| is_long)?;
        (date.china_date().to_string() == text).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromContext for Version {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        cx.parameter("version")
            .and_then(Self::parse)
            .ok_or_else(Problem::not_found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dates_of_ten_characters() {
        assert_eq!(Version::parse("2023-10-25").unwrap().as_str(), "2023-10-25");
        for text in [
            "",
            "2023-1-5",
            "2023-02-30",
            "2023-10-25 ",
            "+023-10-25",
            "25.10.2023",
            "二〇二",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
