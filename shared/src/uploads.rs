//! Asking the function `uploads` to clean up, for whoever has just discarded an upload: its row says
//! `account_id = NULL`, so nobody can read it any more, but its bytes are still there.

use serde_json::json;

use crate::chain::{self, Part, Unanswered};
use crate::http::Context;
use crate::log::Level;

/// Each sweep does a bounded part; a backlog larger than this many is not this request's to clear.
const MOST_SWEEPS: usize = 3;

/// Deletes the bytes and rows of what was discarded. Where that fails, the next sweep does it.
pub fn sweep(cx: &Context) {
    for _ in 0..MOST_SWEEPS {
        match chain::ask("uploads", "/internal/sweep", &json!({})) {
            Ok(Part { more: true, .. }) => {}
            Ok(Part { more: false, .. }) => return,
            Err(Unanswered) => {
                cx.log(Level::Error, "uploads-not-swept", &[]);
                return;
            }
        }
    }
}
