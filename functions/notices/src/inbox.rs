//! A person's notices.

use shared::http::{Context, PageRequest, Problem};
use shared::sql::{Parameter, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::announcement;
use crate::content::Content;

statements! {
    /// One page of an account's notices, newest first.
    LIST = "SELECT n.announcement_id, n.read_at, a.content, a.created_at FROM notices n \
            JOIN announcements a ON a.id = n.announcement_id \
            WHERE n.account_id = $1 AND n.announcement_id < $2 \
            ORDER BY n.announcement_id DESC LIMIT $3";
    /// The person has read one: the first time counts.
    READ = "UPDATE notices SET read_at = COALESCE(read_at, $1) \
            WHERE account_id = $2 AND announcement_id = $3 RETURNING read_at";
}

/// A notice of one person.
pub struct Notice {
    /// What was announced.
    pub announcement_id: Uuid,
    /// What it says.
    pub content: Content,
    /// When it was announced.
    pub created_at: Timestamp,
    /// When the person read it first.
    pub read_at: Option<Timestamp>,
}

/// One page, newest first, and one more.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, account_id: Uuid, page: PageRequest) -> Result<Vec<Notice>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(account_id),
            Parameter::text(page.before()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    let notices = rows.iter().map(|row| {
        Ok(Notice {
            announcement_id: row.get("announcement_id")?,
            content: announcement::content(row)?,
            created_at: row.get("created_at")?,
            read_at: row.get("read_at")?,
        })
    });
    Ok(notices.collect::<Result<_, SqlError>>()?)
}

/// Notes that the person has read one; whether there is such a notice.
///
/// # Errors
/// The database failed.
pub fn read(cx: &Context, account_id: Uuid, announcement_id: Uuid) -> Result<bool, Problem> {
    let row = cx.sql()?.first(
        &READ,
        &[
            Parameter::time(cx.now()),
            Parameter::id(account_id),
            Parameter::id(announcement_id),
        ],
    )?;
    Ok(row.is_some())
}
