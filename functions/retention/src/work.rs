//! What other components have to do: each does a bounded part of it when it is asked.

use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use shared::chain::{self, Unanswered};
use shared::http::Context;
use shared::log::Level;
use utoipa::ToSchema;

/// Who is asked, and where.
///
/// Deletions come first: what they discard goes with the uploads behind them, and whom they tell is told at the end.
const WORK: [(&str, &str, &str); 7] = [
    ("account-deletion", "/internal/execute", "deletions"),
    ("uploads", "/internal/sweep", "uploads"),
    ("rights", "/internal/exports", "copies"),
    ("notices", "/internal/deliver", "announcements"),
    ("requests", "/internal/due", "alerts-and-notices"),
    ("payment", "/internal/payments", "payments"),
    ("wallet", "/internal/seal", "ledger-seals"),
];

/// One kind of work, and how far this call came with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SweptPart)]
pub struct Part {
    /// A table, or what is done.
    #[schema(example = "sessions")]
    part: &'static str,
    /// How much was done.
    done: i64,
    /// Whether more of it is due.
    more: bool,
    /// Whether it failed; it is still due then.
    failed: bool,
}

impl Part {
    /// Work that was done.
    pub fn done(part: &'static str, done: i64, more: bool) -> Self {
        Self {
            part,
            done,
            more,
            failed: false,
        }
    }

    /// Work that failed, which the log says.
    pub fn failed(cx: &Context, part: &'static str, status: StatusCode) -> Self {
        let fields = [("part", part.into()), ("status", status.as_u16().into())];
        cx.log(Level::Error, "sweep-failed", &fields);
        Self {
            part,
            done: 0,
            more: false,
            failed: true,
        }
    }

    /// Whether more of it is due.
    pub fn has_more(&self) -> bool {
        self.more
    }
}

/// Asks each for its part. One that fails stops no other.
pub fn drive(cx: &Context) -> Vec<Part> {
    let parts = WORK.map(
        |(component, path, part)| match chain::ask(component, path, &json!({})) {
            Ok(chain::Part { done, more }) => {
                let done = i64::try_from(done).unwrap_or(i64::MAX);
                Part::done(part, done, more)
            }
            Err(Unanswered) => Part::failed(cx, part, StatusCode::BAD_GATEWAY),
        },
    );
    parts.into()
}
