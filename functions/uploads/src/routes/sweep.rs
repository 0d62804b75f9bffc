//! `/internal/sweep`: deletes what is discarded or expired, for other components that have just discarded
//! something.

use serde::Serialize;
use shared::http::{Answer, Context};

use crate::error::Error;
use crate::sweep;

/// The most that one call deletes.
const MOST: usize = 50;

#[derive(Serialize)]
struct Swept {
    done: usize,
    /// There may be others.
    more: bool,
}

/// Deletes some of what is due.
///
/// # Errors
/// A store failed; what was not deleted is still due.
pub fn create(cx: &Context) -> Result<Answer, Error> {
    let swept = sweep::sweep(cx, MOST)?;
    Ok(Answer::ok(&Swept {
        done: swept,
        more: swept == MOST,
    }))
}
