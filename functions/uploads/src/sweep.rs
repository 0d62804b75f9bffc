//! Deleting what is discarded, and what nothing referred to for a day (clauses D2, R4).
//!
//! The order: the row is discarded and claimed in one statement, so that nobody can read or refer to it from
//! then on, and one sweep alone deletes it; then its bytes are deleted; then the row, which frees its slot.
//! The claim is what keeps a slower sweep from deleting the bytes of the slot's next upload. Stopped anywhere,
//! the row is still there and still discarded, and when the claim is over the next sweep does the same again.
//! So it is with one whose bytes cannot be deleted: meanwhile it is in nobody's way.

use std::time::Duration;

use shared::http::Context;
use shared::time::Timestamp;
use uuid::Uuid;

use crate::error::Error;
use crate::form;
use crate::rows::{self, Discarded};
use crate::store::Store;

/// After this time whatever was under way has ended: a file's coming after its form's last moment, a sweep
/// after its claim.
const UNDER_WAY: Duration = Duration::from_secs(5 * 60);

/// After so many failures the store is taken to be away.
const MOST_FAILURES: usize = 3;

/// Sweeps at most `limit` uploads of anybody; how many.
///
/// # Errors
/// The store or the database failed, for one or for all; what was not deleted will be by another sweep.
pub fn sweep(cx: &Context, limit: usize) -> Result<usize, Error> {
    let claimed = rows::claim(cx, limit, claimed_until(cx))?;
    let mut failures = Vec::new();
    for upload in &claimed {
        if failures.len() == MOST_FAILURES {
            give_back(cx, upload);
        } else if let Err(error) = remove(cx, upload) {
            failures.push(error);
        }
    }
    failures.pop().map_or(Ok(claimed.len()), Err)
}

/// Discards an upload of this person that nothing refers to, and deletes it; whether there was one. Its
/// discarding stands whether or not its bytes can be deleted now.
///
/// # Errors
/// The database failed.
pub fn discard(cx: &Context, id: Uuid, account_id: Uuid) -> Result<bool, Error> {
    let Some(discarded) = rows::discard(cx, id, account_id, claimed_until(cx))? else {
        return Ok(false);
    };
    if let Err(error) = remove(cx, &discarded) {
        give_back(cx, &discarded);
        error.survived(cx, "upload-not-removed");
    }
    Ok(true)
}

fn claimed_until(cx: &Context) -> Timestamp {
    cx.now().plus(UNDER_WAY)
}

/// Deletes the bytes of a claimed upload and, unless something may still write them, its row.
fn remove(cx: &Context, upload: &Discarded) -> Result<(), Error> {
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

/// Leaves a claimed upload to the next sweep.
fn give_back(cx: &Context, upload: &Discarded) {
    if let Err(error) = rows::wait(cx, upload.id, cx.now()) {
        error.survived(cx, "upload-not-given-back");
    }
}
