//! Blocks in the database.

use serde::Serialize;
use shared::http::{Context, Page, PageRequest, Problem};
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

/// How many people one can block. Requests at the same moment may go a little beyond.
const MOST: i64 = 1000;

statements! {
    /// Blocks, if there are not too many already; one that stands stays as it is.
    BLOCK = "INSERT INTO blocks (account_id, blocked_id, created_at) \
             SELECT $1, $2, CAST($3 AS BIGINT) WHERE $4 > \
               (SELECT COUNT(*) FROM blocks b WHERE b.account_id = $1 AND b.blocked_id <> $2) \
             ON CONFLICT (account_id, blocked_id) DO UPDATE SET created_at = blocks.created_at \
             RETURNING created_at";
    /// Unblocks.
    UNBLOCK = "DELETE FROM blocks WHERE account_id = $1 AND blocked_id = $2";
    /// One page of whom an account blocks, without those whose accounts are about to be deleted.
    LIST = "SELECT b.blocked_id, b.created_at FROM blocks b JOIN accounts a ON a.id = b.blocked_id \
            WHERE b.account_id = $1 AND b.blocked_id < $2 AND a.closes_at IS NULL \
            ORDER BY b.blocked_id DESC LIMIT $3";
}

/// Someone who is blocked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Block {
    /// The account.
    id: Uuid,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Blocks `blocked`. Doing it again changes nothing.
///
/// # Errors
/// [`Error::Oneself`], [`Error::TooMany`], [`Error::NotFound`], or the database failed.
pub fn block(cx: &Context, account_id: Uuid, blocked: Uuid) -> Result<(), Error> {
    if account_id == blocked {
        return Err(Error::Oneself);
    }
    let parameters = [
        Parameter::id(account_id),
        Parameter::id(blocked),
        Parameter::time(cx.now()),
        Parameter::Integer(MOST),
    ];
    match cx.sql()?.first(&BLOCK, &parameters) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Error::TooMany),
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Error::NotFound),
        Err(error) => Err(error.into()),
    }
}

/// Unblocks `blocked`. Doing it again changes nothing.
///
/// # Errors
/// The database failed.
pub fn unblock(cx: &Context, account_id: Uuid, blocked: Uuid) -> Result<(), Problem> {
    let parameters = [Parameter::id(account_id), Parameter::id(blocked)];
    Ok(cx.sql()?.execute(&UNBLOCK, &parameters)?)
}

/// Whom an account blocks, the newest accounts first.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, account_id: Uuid, request: PageRequest) -> Result<Page<Block>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(account_id),
            Parameter::text(request.before()),
            Parameter::Integer(request.rows()),
        ],
    )?;
    let blocks = rows.iter().map(|row| {
        Ok(Block {
            id: row.get("blocked_id")?,
            created_at: row.get("created_at")?,
        })
    });
    let blocks = blocks.collect::<Result<_, SqlError>>()?;
    Ok(request.page(blocks, |block: &Block| block.id))
}
