//! From the request to leave to a closed account, or to none.

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
    let Some(executes_at) = closing::close(cx, account_id, at)? else {
        return Ok(None);
    };
    let is_now = executes_at <= cx.now();
    session::end_all(cx, account_id, asking.filter(|_| is_now))?;
    if is_now && let Some(plan) = plan::begin(cx, account_id)? {
        execution::carry_out(cx, &plan)?;
    }
    Ok(Some(executes_at))
}
