//! `/internal/payments`: the orders and refunds of which nobody has told us, and about which nobody has asked.

use shared::http::{Answer, Context, Problem};

use crate::sweep;

/// Looks at some of what is due. Stopped anywhere, the next call goes on.
///
/// # Errors
/// The database failed.
pub fn look(cx: &Context) -> Result<Answer, Problem> {
    Ok(Answer::ok(&sweep::part(cx)?))
}
