//! Telling people that something became of their request: a notice in their inbox (clause R7). It says which request
//! and what became of it, and no text: that lies under the person's key, and stands in the request.

use serde::Serialize;
use shared::announcement::{Announcement, Audience, RequestNews, RequestNotice};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::kind::Status;

/// How many requests one call sees to.
const AT_ONCE: i64 = 10;

statements! {
    /// The requests of which something is to be told to an account that is still there, the longest first.
    FIND_UNTOLD = "SELECT id, account_id, kind, status, fee_fen, untold_since FROM requests \
                   WHERE untold_since IS NOT NULL AND account_id IS NOT NULL ORDER BY untold_since LIMIT $1";
    /// It was told, unless more has become of it since.
    TOLD = "UPDATE requests SET untold_since = NULL WHERE id = $1 AND untold_since = $2 AND status = $3";
}

/// As the function `notices` reads it.
#[derive(Serialize)]
#[serde(tag = "kind", content = "content", rename_all = "kebab-case")]
enum Content {
    Request(RequestNotice),
}

struct Untold {
    id: Uuid,
    account_id: Uuid,
    kind: String,
    status: String,
    is_charged: bool,
    since: Timestamp,
}

impl Untold {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.get("id")?,
            account_id: row.get("account_id")?,
            kind: row.get("kind")?,
            status: row.get("status")?,
            is_charged: row.get::<Option<i64>>("fee_fen")?.is_some(),
            since: row.get("untold_since")?,
        })
    }

    /// Each thing that became of it, with the cause that makes its announcement one.
    fn news(&self) -> Vec<(String, RequestNews)> {
        let decision = match Status::named(&self.status) {
            Some(Status::Answered) => Some(RequestNews::Answered),
            Some(Status::Refused) => Some(RequestNews::Refused),
            Some(Status::Open) | None => None,
        };
        let fee = self.is_charged.then_some(RequestNews::Charged);
        let fee = fee.map(|news| (format!("fee:{}", self.id), news));
        let decision = decision.map(|news| (format!("decision:{}", self.id), news));
        fee.into_iter().chain(decision).collect()
    }

    fn announce(&self, cx: &Context, cause: &str, status: RequestNews) -> Result<(), Problem> {
        let announcement = Announcement {
            cause,
            kind: "request",
            content: &Content::Request(RequestNotice {
                id: self.id,
                kind: self.kind.clone(),
                status,
            }),
            purpose: None,
            is_public: false,
            audience: &Audience::accounts(vec![self.account_id]),
        };
        announcement.make(cx).map(drop)
    }
}

/// Tells what became of at most [`AT_ONCE`] requests; of how many. The note comes after the announcements: a stop in
/// between makes them again, which a cause has once.
///
/// # Errors
/// The database failed.
pub fn tell(cx: &Context) -> Result<usize, Problem> {
    let rows = cx
        .sql()?
        .query(&FIND_UNTOLD, &[Parameter::Integer(AT_ONCE)])?;
    for row in &rows {
        let untold = Untold::from_row(row)?;
        for (cause, status) in untold.news() {
            untold.announce(cx, &cause, status)?;
        }
        cx.sql()?.execute(
            &TOLD,
            &[
                Parameter::id(untold.id),
                Parameter::time(untold.since),
                Parameter::text(untold.status),
            ],
        )?;
    }
    Ok(rows.len())
}
