//! From the request to leave to a closed account, or to none.

use shared::erasure::{self, What};
use shared::http::{Context, Problem};
use shared::session;
use shared::time::Timestamp;
use uuid::Uuid;

use crate::{closing, execution, plan};

/// Closes the account `at` a moment and ends its sessions; if that is now, it is deleted at once. When it is;
/// `None` if there is no such account.
///
/// The session that asks, `asking`, is the last to go: whoever is stopped before can ask again with it. What is
/// stopped after it is finished by `/internal/execute`.
///
/// # Errors
/// A store failed; doing it again goes on.
pub fn leave(
    cx: &Context,
    account_id: Uuid,
    at: Timestamp,
    asking: Option<Uuid>,
) -> Result<Option<Timestamp>, Problem> {
    let Some(closes_at) = closing::close(cx, account_id, at)? else {
        return Ok(None);
    };
    erasure::note(cx, account_id, &What::Closing(Some(closes_at)))?;
    finish(cx, account_id, closes_at, asking)?;
    Ok(Some(closes_at.max(cx.now())))
}

/// The same of what is noted already: whoever does it again after a backup was restored notes it when all is done.
///
/// # Errors
/// A store failed; doing it again goes on.
pub fn leave_noted(cx: &Context, account_id: Uuid, at: Timestamp) -> Result<(), Problem> {
    match closing::close(cx, account_id, at)? {
        Some(closes_at) => finish(cx, account_id, closes_at, None),
        None => Ok(()),
    }
}

fn finish(
    cx: &Context,
    account_id: Uuid,
    closes_at: Timestamp,
    asking: Option<Uuid>,
) -> Result<(), Problem> {
    let is_now = closes_at <= cx.now();
    session::end_all(cx, account_id, asking.filter(|_| is_now))?;
    if is_now && let Some(plan) = plan::begin(cx, account_id)? {
        execution::carry_out(cx, &plan)?;
    }
    Ok(())
}
