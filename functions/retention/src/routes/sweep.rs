//! `/v1/internal/sweep`: everything that is due, a part at a time (clause D2).

use serde::Serialize;
use shared::http::{Answer, Context, Problem, ProblemBody};
use shared::operator::Scheduler;
use utoipa::ToSchema;

use crate::work::Part;
use crate::{expired, work};

/// What one call has done.
#[derive(Serialize, ToSchema)]
pub struct Swept {
    parts: Vec<Part>,
    /// Whether more is due already: the call is to be made again at once.
    more: bool,
}

/// Do what is due
///
/// Deletes what has been kept long enough, executes the deletions of accounts, goes on with copies and notices,
/// deletes the bytes of discarded uploads, asks about orders and refunds of which nothing was heard, seals the ledger's
/// closed days, and alerts the operators. Each call does a bounded part of each; stopped anywhere, or called twice at
/// once, it loses and doubles nothing. It is to be called once a minute.
#[utoipa::path(post, path = "/v1/internal/sweep", tag = "operators", security(("operator" = [])),
    responses(
        (status = 200, body = Swept),
        (status = 403, description = "`operator-role`: neither `scheduler` nor `admin`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(cx: &Context, _: Scheduler) -> Result<Answer, Problem> {
    let mut parts = expired::delete(cx);
    parts.extend(work::drive(cx));
    let more = parts.iter().any(Part::has_more);
    Ok(Answer::ok(&Swept { parts, more }))
}
