//! Deleting what is discarded, and what nothing referred to for a day (clauses D2, R4).
//!
//! The order: the row is discarded in one statement, so that nobody can read or refer to it from then on;
//! then its bytes are deleted; then the row. Stopped anywhere, the row is still there and still discarded,
//! and the next sweep does the same again. Each row is done for itself, because its bytes are.

use std::time::Duration;

use shared::http::Context;

use crate::error::Error;
use crate::form;
use crate::rows::{self, Discarded};
use crate::store::Store;

/// After a form's last moment: what was under way then has ended.
const UNDER_WAY: Duration = Duration::from_secs(5 * 60);

/// Sweeps at most `limit` uploads of anybody; how many.
///
/// # Errors
/// The store or the database failed; what was not deleted will be by another sweep.
pub fn sweep(cx: &Context, limit: usize) -> Result<usize, Error> {
    let discarded = rows::discarded(cx, limit)?;
    for upload in &discarded {
        remove(cx, upload)?;
    }
    let expired = rows::expire(cx, limit - discarded.len())?;
    for upload in &expired {
        remove(cx, upload)?;
    }
    Ok(discarded.len() + expired.len())
}

/// Deletes the bytes of a discarded upload and, unless something may still write them, its row.
///
/// # Errors
/// See [`sweep`].
pub fn remove(cx: &Context, upload: &Discarded) -> Result<(), Error> {
    let store = Store::of(upload.slot)?;
    store.delete(cx, upload.id, upload.slot)?;
    let quiet_from = upload.created_at.plus(form::LIFETIME).plus(UNDER_WAY);
    // A row that went before its form ends would leave what comes by that form to nobody.
    if cx.now() < quiet_from && store.can_still_receive(upload) {
        rows::wait(cx, upload.id, quiet_from)
    } else {
        rows::delete(cx, upload.id)
    }
}

/// As [`remove`], for a request whose own effect stands whether or not this succeeds.
pub fn try_remove(cx: &Context, upload: &Discarded) {
    if let Err(error) = remove(cx, upload) {
        error.survived(cx, "upload-not-removed");
    }
}
