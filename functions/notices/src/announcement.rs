//! Announcements: made once a cause, delivered afterwards ([`crate::deliver`]).

use shared::http::{Context, PageRequest, Problem};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::audience::Audience;
use crate::content::Content;

statements! {
    /// An announcement; a cause has one.
    MAKE = "INSERT INTO announcements (id, cause, kind, content, purpose, is_public, audience, step, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8) ON CONFLICT (cause) DO NOTHING";
    /// The one that a cause has.
    OF_CAUSE = "SELECT id, created_at FROM announcements WHERE cause = $1";
    /// A page of what is part of the policy, newest first.
    LIST_PUBLIC = "SELECT id, content, purpose, created_at FROM announcements \
                   WHERE is_public = 1 AND id < $1 ORDER BY id DESC LIMIT $2";
}

/// What is announced, and to whom.
pub struct Announcement<'a> {
    /// What brought it about: the same cause makes no second one.
    pub cause: &'a str,
    /// What it says.
    pub content: &'a Content,
    /// The purpose that it asks consent for.
    pub purpose: Option<&'a str>,
    /// Whether everybody can read it, as part of the policy.
    pub is_public: bool,
    /// Whom it is for.
    pub audience: &'a Audience,
}

/// One that was made.
pub struct Made {
    /// The announcement.
    pub id: Uuid,
    /// When it was made first.
    pub created_at: Timestamp,
}

impl Announcement<'_> {
    /// Makes it, unless its cause has made it before, and answers the one that there is.
    ///
    /// # Errors
    /// The database failed.
    pub fn make(&self, cx: &Context) -> Result<Made, Problem> {
        let content = serde_json::to_string(self.content).expect("contents are plain data");
        cx.sql()?.execute(
            &MAKE,
            &[
                Parameter::id(cx.new_id()),
                Parameter::text(self.cause),
                Parameter::text(self.content.kind()),
                Parameter::text(content),
                Parameter::optional(self.purpose.map(Parameter::text)),
                Parameter::flag(self.is_public),
                Parameter::text(self.audience.to_text()),
                Parameter::time(cx.now()),
            ],
        )?;
        let row = cx.sql()?.first(&OF_CAUSE, &[Parameter::text(self.cause)])?;
        let row = row.ok_or_else(Problem::internal)?;
        Ok(Made {
            id: row.get("id")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// One that everybody can read.
pub struct Public {
    /// The announcement.
    pub id: Uuid,
    /// What it says.
    pub content: Content,
    /// The name of the purpose that it asks consent for.
    pub purpose: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One page of what everybody can read, newest first, and one more.
///
/// # Errors
/// The database failed.
pub fn list_public(cx: &Context, page: PageRequest) -> Result<Vec<Public>, Problem> {
    let parameters = [
        Parameter::text(page.before()),
        Parameter::Integer(page.rows()),
    ];
    let rows = cx.sql()?.query(&LIST_PUBLIC, &parameters)?;
    let public = rows.iter().map(|row| {
        Ok(Public {
            id: row.get("id")?,
            content: content(row)?,
            purpose: row.get("purpose")?,
            created_at: row.get("created_at")?,
        })
    });
    Ok(public.collect::<Result<_, SqlError>>()?)
}

/// The column `content` of an announcement.
///
/// # Errors
/// It is not what was written there.
pub fn content(row: &Row) -> Result<Content, SqlError> {
    let mismatch = SqlError::Mismatch { column: "content" };
    serde_json::from_str(&row.get::<String>("content")?).map_err(|_| mismatch)
}
