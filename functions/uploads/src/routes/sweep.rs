//! `/internal/sweep`: deletes what is discarded or expired, for other components that have just discarded
//! something.

use shared::chain::Part;
use shared::http::{Answer, Context};

use crate::error::Error;
use crate::sweep;

/// The most that one call deletes.
const MOST: usize = 50;

/// Deletes some of what is due.
///
/// # Errors
/// A store failed; what was not deleted is still due.
pub fn create(cx: &Context) -> Result<Answer, Error> {
    let done = sweep::sweep(cx, MOST)?;
    Ok(Answer::ok(&Part {
        done,
        more: done == MOST,
    }))
}
