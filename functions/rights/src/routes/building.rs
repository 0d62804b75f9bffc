//! `/internal/exports`: goes on with the exports that are under way, for whoever calls for the work that is due.

use shared::http::{Answer, Context, Problem};

use crate::export;

/// Builds at most 20 parts and sends at most two mails.
///
/// # Errors
/// The database failed.
pub fn create(cx: &Context) -> Result<Answer, Problem> {
    Ok(Answer::ok(&export::work(cx)?))
}
