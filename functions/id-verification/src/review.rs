//! What waits for an operator.

use shared::http::{Context, PageRequest, Problem};
use shared::rate_limit::{self, Limit, Taken};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use shared::variables;
use uuid::Uuid;

use crate::claim::Kind;
use crate::error::Error;

statements! {
    /// The open reviews, oldest first.
    LIST = "SELECT c.id, c.kind, c.opened_at FROM verification_claims c \
            JOIN verifications v ON v.id = c.id \
            WHERE c.status = 'in_review' AND c.id > $1 ORDER BY c.id LIMIT $2";
    /// A review, open or decided.
    FIND = "SELECT c.id, c.kind, c.status, c.reason, c.opened_at, c.account_id, c.summary, a.person_key_id \
            FROM verification_claims c JOIN verifications v ON v.id = c.id \
            JOIN accounts a ON a.id = c.account_id \
            WHERE c.id = $1 AND c.opened_at IS NOT NULL";
}

/// An open review in the list.
pub struct Waiting {
    /// The verification.
    pub id: Uuid,
    /// What is to be verified.
    pub kind: Kind,
    /// Since when it waits.
    pub opened_at: Timestamp,
}

/// One review.
pub struct Review {
    /// What the list shows of it.
    pub waiting: Waiting,
    /// `in_review`, or the decision.
    pub status: String,
    /// The decision's reason.
    pub reason: Option<String>,
    /// The sealed summary.
    pub summary: Vec<u8>,
    /// Under which key.
    pub person_key_id: Uuid,
}

impl Waiting {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        let kind: String = row.get("kind")?;
        Ok(Self {
            id: row.get("id")?,
            kind: Kind::named(&kind).ok_or(SqlError::Mismatch { column: "kind" })?,
            opened_at: row.get("opened_at")?,
        })
    }
}

/// Counts a review that a person asks for: each is an operator's time.
///
/// # Errors
/// 429 `rate-limited`; or the database failed.
pub fn take_limit(cx: &Context, account_id: Uuid, kind: Kind) -> Result<Taken, Problem> {
    let subject = [kind.name().as_bytes(), account_id.as_bytes()].concat();
    let allowed = variables::parsed("reviews_per_day")?;
    rate_limit::take(cx, [Limit::per_day("review", &subject, allowed)])
}

/// One page of the open reviews.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, page: PageRequest) -> Result<Vec<Waiting>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::text(page.after()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    Ok(rows
        .iter()
        .map(Waiting::from_row)
        .collect::<Result<_, _>>()?)
}

/// A review, open or decided.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find(cx: &Context, id: Uuid) -> Result<Review, Error> {
    let row = cx
        .sql()?
        .first(&FIND, &[Parameter::id(id)])?
        .ok_or(Error::NotFound)?;
    Ok(Review {
        waiting: Waiting::from_row(&row)?,
        status: row.get("status")?,
        reason: row.get("reason")?,
        summary: row.get("summary")?,
        person_key_id: row.get("person_key_id")?,
    })
}
