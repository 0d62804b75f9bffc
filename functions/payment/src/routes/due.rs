//! `/internal/payments`: the orders and refunds of which nobody has told us, and about which nobody has asked.

use serde::Serialize;
use shared::http::{Answer, Context, Problem};

use crate::sweep;

/// What was done, and whether to call again at once.
#[derive(Serialize)]
struct Part {
    done: usize,
    more: bool,
}

/// Looks at some of what is due. Stopped anywhere, the next call goes on.
///
/// # Errors
/// The database failed.
pub fn look(cx: &Context) -> Result<Answer, Problem> {
    let (done, more) = sweep::part(cx)?;
    Ok(Answer::ok(&Part { done, more }))
}
