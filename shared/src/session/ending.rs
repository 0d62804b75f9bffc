//! Ending sessions from outside.

use uuid::Uuid;

use super::forget;
use crate::http::{Context, Problem};
use crate::one_time_code;
use crate::sql::{Parameter, statements};

statements! {
    /// All sessions of an account but one.
    FIND_OTHERS = "SELECT token_hash FROM sessions WHERE account_id = $1 AND id <> $2";
    /// Ends them.
    END_OTHERS = "DELETE FROM sessions WHERE account_id = $1 AND id <> $2 RETURNING token_hash";
}

/// Ends all sessions of the account but `kept`, at once.
///
/// The cache forgets them before their rows go, for a request that is stopped then could not find them
/// again, and once more after, for it may have been filled in between.
///
/// # Errors
/// The database failed.
pub fn end_all(cx: &Context, account_id: Uuid, kept: Option<Uuid>) -> Result<(), Problem> {
    // No session has the nil identifier.
    let kept = kept.unwrap_or_default();
    let parameters = [Parameter::id(account_id), Parameter::id(kept)];
    one_time_code::void_login(cx, account_id)?;
    for statement in [&FIND_OTHERS, &END_OTHERS] {
        let mut ended = Vec::new();
        for row in cx.sql()?.query(statement, &parameters)? {
            let token_hash: Vec<u8> = row.get("token_hash")?;
            ended.extend(<[u8; 32]>::try_from(token_hash));
        }
        forget(cx, &ended)?;
    }
    Ok(())
}
