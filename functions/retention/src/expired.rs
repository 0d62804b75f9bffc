//! Deleting the rows whose time is over, table by table, as the data map says. One table that fails stops no other:
//! its rows are still due at the next call.

use shared::data_map::{Holding, TABLES};
use shared::http::{Context, Problem};

use crate::work::Part;

/// The most rows that one call deletes of a table: a statement of milliseconds, whatever has piled up.
const MOST: i64 = 500;

/// Deletes some rows of every table that has rows to delete.
pub fn delete(cx: &Context) -> Vec<Part> {
    let parts = TABLES
        .iter()
        .filter_map(|table| delete_some(cx, table).transpose().map(|done| (table, done)));
    let parts = parts.map(|(table, done)| match done {
        Ok(done) => Part::done(table.name, done, done == MOST),
        Err(problem) => Part::failed(cx, table.name, problem.status()),
    });
    parts.collect()
}

/// How many rows were deleted; `None` for a table whose rows have no end of their own.
fn delete_some(cx: &Context, table: &Holding) -> Result<Option<i64>, Problem> {
    let (Some(sweep), Some(moment)) = (&table.sweep, table.over_since(cx.now())) else {
        return Ok(None);
    };
    let gone = cx
        .sql()?
        .query(sweep.statement(), &sweep.until(moment, MOST))?;
    Ok(Some(i64::try_from(gone.len()).unwrap_or(i64::MAX)))
}
