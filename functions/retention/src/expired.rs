//! Deleting the rows whose time is over, table by table, as the data map says. One table that fails stops no other:
//! its rows are still due at the next call.

use shared::data_map::{Holding, TABLES};
use shared::http::{Context, Problem};
use shared::session;

use crate::work::Part;

/// The most rows that one call deletes of a table: a statement of milliseconds, whatever has piled up.
const MOST: i64 = 500;
/// The most sessions: each costs two calls to the key-value store.
const MOST_SESSIONS: i64 = 100;

/// Deletes some rows of every table that has rows to delete.
pub fn delete(cx: &Context) -> Vec<Part> {
    let sessions = session::end_expired(cx, MOST_SESSIONS);
    let mut parts = vec![part(cx, "sessions", sessions.map(count), MOST_SESSIONS)];
    for table in TABLES {
        if let Some(done) = delete_some(cx, table).transpose() {
            parts.push(part(cx, table.name, done, MOST));
        }
    }
    parts
}

fn part(cx: &Context, name: &'static str, done: Result<i64, Problem>, most: i64) -> Part {
    match done {
        Ok(done) => Part::done(name, done, done == most),
        Err(problem) => Part::failed(cx, name, problem.status()),
    }
}

/// How many rows were deleted; `None` for a table whose rows have no end of their own.
fn delete_some(cx: &Context, table: &Holding) -> Result<Option<i64>, Problem> {
    let (Some(sweep), Some(moment)) = (&table.sweep, table.over_since(cx.now())) else {
        return Ok(None);
    };
    let gone = cx
        .sql()?
        .query(sweep.statement(), &sweep.until(moment, MOST))?;
    Ok(Some(count(gone.len())))
}

fn count(some: usize) -> i64 {
    i64::try_from(some).unwrap_or(i64::MAX)
}
