//! `/v1/operator/requests/{id}/refusal`: refusing a request, in one of the policy's cases (clause R7).

use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody};
use shared::operator::Reviewer;
use utoipa::ToSchema;

use crate::decision::{self, Decision};
use crate::error::Error;
use crate::refusal::Case;
use crate::request::RequestDetails;
use crate::text::{self, MAX_ANSWER};

/// A refusal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestRefusal {
    case: Case,
    /// What the asker reads beside the case: 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Refuse a request
///
/// Only in one of the policy's eight cases, or as one of its four kinds of unreasonable request; the asker reads
/// which. Once: the same refusal given again changes nothing.
#[utoipa::path(post, path = "/v1/operator/requests/{id}/refusal", tag = "operators", security(("operator" = [])),
    params(("id" = uuid::Uuid, Path)),
    request_body = RequestRefusal,
    responses(
        (status = 200, body = RequestDetails),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already-decided`, otherwise",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `case` is `missing` or `invalid`; `text` violates `length` \
            or `characters`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn refuse(
    cx: &Context,
    reviewer: Reviewer,
    Id(id): Id,
    Json(refusal): Json<RequestRefusal>,
) -> Result<Answer, Error> {
    let text = text::plain("text", &refusal.text, MAX_ANSWER)?;
    let action = format!("request.refuse.{}", refusal.case.name());
    reviewer.audit(cx, &action, &id.to_string())?;
    let details = decision::decide(cx, id, Decision::Refuse(refusal.case), text)?;
    Ok(Answer::ok(&details))
}
