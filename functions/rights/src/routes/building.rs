//! `/internal/exports`: goes on with the exports that are under way, for whoever calls for the work that is due.

use serde::Serialize;
use shared::http::{Answer, Context, Problem};

use crate::export;

#[derive(Serialize)]
struct Built {
    done: usize,
    /// There is more to do at once.
    more: bool,
}

/// Builds at most 20 parts and sends at most two mails.
///
/// # Errors
/// The database failed.
pub fn create(cx: &Context) -> Result<Answer, Problem> {
    let worked = export::work(cx)?;
    Ok(Answer::ok(&Built {
        done: worked.done,
        more: worked.more,
    }))
}
