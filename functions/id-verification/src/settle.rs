//! From Alipay's word to the claim. A hint, a poll and a late message all come here: the truth is what
//! Alipay answers when we ask.

use shared::alipay::App;
use shared::http::Context;
use uuid::Uuid;

use crate::alipay::{self, Outcome};
use crate::claim;
use crate::error::Error;

/// Asks Alipay about the claim `id` and lets the claim say the same. However often and however many at once
/// do this, the claim changes once.
///
/// # Errors
/// [`Error::AlipayUnavailable`]; then nothing has changed.
pub fn settle(cx: &Context, app: &App, id: Uuid, certify_id: &str) -> Result<(), Error> {
    match alipay::query(cx, app, certify_id)? {
        Outcome::Passed => claim::pass(cx, id)?,
        Outcome::Failed(reason) => claim::fail(cx, id, &reason)?,
        Outcome::Open => {}
    }
    Ok(())
}
