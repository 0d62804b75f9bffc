//! `/v1/operator/requests/{id}/answer`: answering a request (clause R7).

use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody};
use shared::operator::Reviewer;
use utoipa::ToSchema;

use crate::decision::{self, Decision};
use crate::error::Error;
use crate::request::RequestDetails;
use crate::text::{self, MAX_ANSWER};

/// An answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestAnswer {
    /// What the asker reads: 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Answer a request
///
/// Once: the same answer given again changes nothing. Where the asker's account is deleted, the text is not kept.
#[utoipa::path(post, path = "/v1/operator/requests/{id}/answer", tag = "operators", security(("operator" = [])),
    params(("id" = uuid::Uuid, Path)),
    request_body = RequestAnswer,
    responses(
        (status = 200, body = RequestDetails),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already-decided`, otherwise",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `text` violates `length` or `characters`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn answer(
    cx: &Context,
    reviewer: Reviewer,
    Id(id): Id,
    Json(answer): Json<RequestAnswer>,
) -> Result<Answer, Error> {
    let text = text::plain("text", &answer.text, MAX_ANSWER)?;
    reviewer.audit(cx, "request.answer", &id.to_string())?;
    let details = decision::decide(cx, id, Decision::Answer, text)?;
    Ok(Answer::ok(&details))
}
