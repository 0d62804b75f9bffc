//! Asking the function `uploads` to clean up, for whoever has just discarded an upload: its row says
//! `account_id = NULL`, so nobody can read it any more, but its bytes are still there.

use std::time::Duration;

use http::{Method, Request};
use serde::Deserialize;

use crate::http::Context;
use crate::log::Level;
use crate::outbound::{self, Limits};

/// Through Spin's service chaining: no route from outside leads there.
const SWEEP: &str = "http://uploads.spin.internal/internal/sweep";
const LIMITS: Limits = Limits::small(Duration::from_secs(8));
/// Each sweep does a bounded part; a backlog larger than this many is not this request's to clear.
const MOST_SWEEPS: usize = 3;

#[derive(Deserialize)]
struct Swept {
    more: bool,
}

/// Deletes the bytes and rows of what was discarded. Where that fails, the next sweep does it.
pub fn sweep(cx: &Context) {
    for _ in 0..MOST_SWEEPS {
        match sweep_some() {
            Some(Swept { more: true }) => {}
            Some(Swept { more: false }) => return,
            None => {
                cx.log(Level::Error, "uploads-not-swept", &[]);
                return;
            }
        }
    }
}

fn sweep_some() -> Option<Swept> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(SWEEP)
        .body(Vec::new())
        .expect("a constant request");
    let answer = outbound::send(&request, &LIMITS).ok()?;
    serde_json::from_slice(answer.body()).ok()
}
