//! The policy's versions in the database (clauses N1, N2).

use shared::announcement::{Announcement, Audience};
use shared::http::{Context, Problem};
use shared::policy::Version;
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;

use crate::change::Change;
use crate::content::{Content, PolicyNotice};
use crate::error::Error;

/// The first version's text, which is as old as the application and so is part of it.
pub const FIRST_TEXT: &str = include_str!("../../documents/privacy-policy.zh.txt");

statements! {
    /// A new version, later than all before. Of two that come at once, the earlier one may come first or not at all.
    PUBLISH = "INSERT INTO policy_versions \
                 (version, change, is_major, narrows, summary, text, published_at) \
               SELECT $1, $2, CAST($3 AS BIGINT), CAST($4 AS BIGINT), $5, $6, CAST($7 AS BIGINT) \
               WHERE NOT EXISTS (SELECT 1 FROM policy_versions v WHERE v.version >= $1) \
               ON CONFLICT (version) DO NOTHING";
    /// One version.
    FIND = "SELECT version, change, narrows, summary, text, published_at FROM policy_versions WHERE version = $1";
    /// The newest.
    NEWEST = "SELECT version FROM policy_versions ORDER BY version DESC LIMIT 1";
    /// All of them without their texts, newest first. There are as many as the policy had changes.
    LIST = "SELECT version, change, narrows, summary, NULL AS text, published_at FROM policy_versions \
            ORDER BY version DESC";
    /// The oldest that nobody was told of.
    UNANNOUNCED = "SELECT version, change, narrows, summary, NULL AS text, published_at FROM policy_versions \
                   WHERE announced_at IS NULL ORDER BY version LIMIT 1";
    /// Its announcement is there.
    ANNOUNCED = "UPDATE policy_versions SET announced_at = $1 WHERE version = $2 AND announced_at IS NULL";
    /// What a major version changed.
    CHANGE_OF = "SELECT change FROM policy_versions WHERE version = $1 AND is_major = 1";
}

/// A version as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its date.
    pub version: String,
    /// The name of its kind of change; the first version's is `first`.
    pub change: String,
    /// Whether it narrows people's rights.
    pub narrows: bool,
    /// What changed.
    pub summary: String,
    /// All of it, where it was asked for; the first version's stands in [`FIRST_TEXT`].
    pub text: Option<String>,
}

impl PolicyVersion {
    fn from_row(row: &Row) -> Result<(Self, Timestamp), SqlError> {
        let version = Self {
            version: row.get("version")?,
            change: row.get("change")?,
            narrows: row.get("narrows")?,
            summary: row.get("summary")?,
            text: row.get("text")?,
        };
        Ok((version, row.get("published_at")?))
    }
}

/// Publishes a version: from then on it is in force. The same one again changes nothing. When it was published.
///
/// # Errors
/// [`Error::VersionPublished`], [`Error::VersionNotNewer`], or the database failed.
pub fn publish(cx: &Context, version: &PolicyVersion, is_major: bool) -> Result<Timestamp, Error> {
    cx.sql()?.execute(
        &PUBLISH,
        &[
            Parameter::text(&version.version),
            Parameter::text(&version.change),
            Parameter::flag(is_major),
            Parameter::flag(version.narrows),
            Parameter::text(&version.summary),
            Parameter::optional(version.text.as_ref().map(Parameter::text)),
            Parameter::time(cx.now()),
        ],
    )?;
    match find(cx, &version.version)? {
        Some((published, at)) if published == *version => Ok(at),
        Some(_) => Err(Error::VersionPublished),
        None => {
            let row = cx.sql()?.first(&NEWEST, &[])?;
            let row = row.ok_or_else(Problem::internal)?;
            Err(Error::VersionNotNewer(row.get("version")?))
        }
    }
}

/// Makes the announcement of a version that was published, which a version has once, and notes that it is there. The
/// note comes last: it outlives the announcement, which goes after its time and is not made again then.
///
/// # Errors
/// The database failed; what is left is done by [`announce_next`].
pub fn announce(cx: &Context, version: &PolicyVersion) -> Result<(), Problem> {
    let content = Content::of_version(PolicyNotice {
        version: version.version.clone(),
        change: Change::named(&version.change).ok_or_else(Problem::internal)?,
        narrows: version.narrows,
        summary: version.summary.clone(),
    });
    let announcement = Announcement {
        cause: &format!("policy-version:{}", version.version),
        kind: content.kind(),
        content: &content,
        purpose: None,
        is_public: false,
        audience: &Audience::Everybody,
    };
    announcement.make(cx)?;
    let noted = [Parameter::time(cx.now()), Parameter::text(&version.version)];
    Ok(cx.sql()?.execute(&ANNOUNCED, &noted)?)
}

/// Announces the oldest version whose publishing was stopped before; whether there was one.
///
/// # Errors
/// The database failed.
pub fn announce_next(cx: &Context) -> Result<bool, Problem> {
    let Some(row) = cx.sql()?.first(&UNANNOUNCED, &[])? else {
        return Ok(false);
    };
    let (version, _) = PolicyVersion::from_row(&row)?;
    announce(cx, &version)?;
    Ok(true)
}

fn find(cx: &Context, version: &str) -> Result<Option<(PolicyVersion, Timestamp)>, Problem> {
    let row = cx.sql()?.first(&FIND, &[Parameter::text(version)])?;
    Ok(row.as_ref().map(PolicyVersion::from_row).transpose()?)
}

/// The text of a version; `None` if there is no such version.
///
/// # Errors
/// The database failed.
pub fn text(cx: &Context, version: &Version) -> Result<Option<String>, Problem> {
    let found = find(cx, version.as_str())?;
    Ok(found.map(|(version, _)| version.text.unwrap_or_else(|| FIRST_TEXT.to_owned())))
}

/// Every version without its text, newest first, and when it was published.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context) -> Result<Vec<(PolicyVersion, Timestamp)>, Problem> {
    let rows = cx.sql()?.query(&LIST, &[])?;
    Ok(rows
        .iter()
        .map(PolicyVersion::from_row)
        .collect::<Result<_, _>>()?)
}

/// The name of what a major version changed; `None` if there is no such version, or it is a minor one.
///
/// # Errors
/// The database failed.
pub fn change_of_major(cx: &Context, version: &str) -> Result<Option<String>, Problem> {
    let row = cx.sql()?.first(&CHANGE_OF, &[Parameter::text(version)])?;
    Ok(row.map(|row| row.get("change")).transpose()?)
}
