//! Announcements that were made ([`shared::announcement`]), as they are read.

use shared::http::{Context, PageRequest, Problem};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::content::Content;

statements! {
    /// A page of what is part of the policy, newest first.
    LIST_PUBLIC = "SELECT id, content, purpose, created_at FROM announcements \
                   WHERE is_public = 1 AND id < $1 ORDER BY id DESC LIMIT $2";
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
