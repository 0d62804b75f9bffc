//! Ending sessions from outside.

use uuid::Uuid;

use super::{TokenHash, forget};
use crate::http::{Context, Problem};
use crate::one_time_code;
use crate::sql::{Parameter, Row, Statement, statements};

statements! {
    /// All sessions of an account but one.
    FIND_OTHERS = "SELECT token_hash FROM sessions WHERE account_id = $1 AND id <> $2";
    /// Ends them.
    END_OTHERS = "DELETE FROM sessions WHERE account_id = $1 AND id <> $2 RETURNING token_hash";
    /// Some sessions whose time is over.
    FIND_EXPIRED = "SELECT token_hash FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2";
    /// Deletes them.
    END_EXPIRED = "DELETE FROM sessions WHERE id IN \
                     (SELECT t.id FROM sessions t WHERE t.expires_at <= $1 ORDER BY t.expires_at LIMIT $2) \
                   RETURNING token_hash";
}

/// Ends all sessions of the account but `kept`, at once.
///
/// # Errors
/// The database failed.
pub fn end_all(cx: &Context, account_id: Uuid, kept: Option<Uuid>) -> Result<(), Problem> {
    // No session has the nil identifier.
    let kept = kept.unwrap_or_default();
    let parameters = [Parameter::id(account_id), Parameter::id(kept)];
    one_time_code::void_login(cx, account_id)?;
    end(cx, [&FIND_OTHERS, &END_OTHERS], &parameters)?;
    Ok(())
}

/// Deletes at most `limit` sessions whose time is over; how many. An entry of the cache counts for nothing then, but
/// it names the account, and without its row nobody would find it when the account is deleted.
///
/// # Errors
/// The database failed.
pub fn end_expired(cx: &Context, limit: i64) -> Result<usize, Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::Integer(limit)];
    end(cx, [&FIND_EXPIRED, &END_EXPIRED], &parameters)
}

/// Finds sessions and deletes their rows; how many.
///
/// The cache forgets them before their rows go, for a request that is stopped then could not find them
/// again, and once more after, for it may have been filled in between.
fn end(
    cx: &Context,
    [find, delete]: [&Statement; 2],
    parameters: &[Parameter],
) -> Result<usize, Problem> {
    forget(cx, &hashes(&cx.sql()?.query(find, parameters)?)?)?;
    let ended = hashes(&cx.sql()?.query(delete, parameters)?)?;
    forget(cx, &ended)?;
    Ok(ended.len())
}

fn hashes(rows: &[Row]) -> Result<Vec<TokenHash>, Problem> {
    let mut hashes = Vec::new();
    for row in rows {
        hashes.extend(TokenHash::try_from(row.get::<Vec<u8>>("token_hash")?));
    }
    Ok(hashes)
}
