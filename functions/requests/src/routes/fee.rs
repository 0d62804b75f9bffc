//! `/v1/operator/requests/{id}/fee`: what a repeated request costs (clause R7).

use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody, Violation};
use shared::operator::Reviewer;
use utoipa::ToSchema;

use crate::error::Error;
use crate::fee::{self, MOST_FEN};
use crate::request::RequestDetails;
use crate::text::{self, MAX_REASON};

/// A fee, which covers cost.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequestFee {
    /// In fen: from 1 to 10,000.
    #[schema(minimum = 1, maximum = 10_000)]
    fen: i64,
    /// What the cost is; the asker reads it. 1 to 500 characters.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "本年第三次索取同一副本的人工成本"
    )]
    reason: String,
}

/// Set the fee of a repeated request
///
/// Only where the same person has asked for the same at least twice within the year before. Once: the same fee set
/// again changes nothing. The time to answer does not change.
#[utoipa::path(post, path = "/v1/operator/requests/{id}/fee", tag = "operators", security(("operator" = [])),
    params(("id" = uuid::Uuid, Path)),
    request_body = NewRequestFee,
    responses(
        (status = 200, body = RequestDetails),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`fee-not-allowed`; `fee-set`, another one; `already-decided`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `fen` is out of `range`; `reason` violates `length` or \
            `characters`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn set(
    cx: &Context,
    reviewer: Reviewer,
    Id(id): Id,
    Json(new): Json<NewRequestFee>,
) -> Result<Answer, Error> {
    if !(1..=MOST_FEN).contains(&new.fen) {
        return Err(Violation::new("fen", "range").into());
    }
    let reason = text::plain("reason", &new.reason, MAX_REASON)?;
    reviewer.audit(cx, "request.fee", &id.to_string())?;
    Ok(Answer::ok(&fee::set(cx, id, new.fen, reason)?))
}
