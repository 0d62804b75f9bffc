//! `/v1/operator/reviews/{id}/decision`: a person's word on a verification (clause E8).

use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody, Violation};
use shared::operator::Reviewer;
use utoipa::ToSchema;

use super::reviews::ReviewDetails;
use crate::claim;
use crate::error::Error;
use crate::photos;
use crate::review;

const MAX_REASON: usize = 500;

/// What an operator can decide.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReviewOutcome)]
pub enum Outcome {
    /// The documents show what was said.
    Passed,
    /// They do not.
    Failed,
}

impl Outcome {
    /// The status that follows.
    fn status(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
        }
    }
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    outcome: Outcome,
    /// What the person is told; needed where the outcome is `failed`. At most 500 characters.
    #[schema(example = "证件照片不清晰", max_length = 500)]
    reason: Option<String>,
}

/// Decide a review
///
/// The photos are deleted with the decision. The same decision made again changes nothing.
#[utoipa::path(post, path = "/v1/operator/reviews/{id}/decision", tag = "operators",
    security(("operator" = [])),
    params(("id" = uuid::Uuid, Path)),
    request_body = DecisionRequest,
    responses(
        (status = 200, body = ReviewDetails),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already-decided` otherwise; `id-number-in-use`: another account was \
            verified under this number, `name-changed`: the profile shows another name; so it cannot pass",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `reason` is `missing` or violates `length`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn decide(
    cx: &Context,
    reviewer: Reviewer,
    Id(id): Id,
    Json(request): Json<DecisionRequest>,
) -> Result<Answer, Error> {
    let reason = reason(&request)?;
    let status = request.outcome.status();
    reviewer.audit(cx, &format!("review.decide.{status}"), &id.to_string())?;
    review::find(cx, id)?;
    let passed = matches!(request.outcome, Outcome::Passed);
    let decided = claim::decide(cx, id, passed, reason)?;
    let review = review::find(cx, id)?;
    if !decided && review.status == "in_review" {
        return Err(Error::NameChanged);
    }
    if !decided && review.status != status {
        return Err(Error::AlreadyDecided);
    }
    // After the decision, and again with every repetition: a stop between the two is made up for.
    photos::destroy(cx, id)?;
    Ok(Answer::ok(&ReviewDetails::of(cx, review)?))
}

fn reason(request: &DecisionRequest) -> Result<Option<&str>, Error> {
    let reason = request.reason.as_deref().map(str::trim);
    let reason = reason.filter(|reason| !reason.is_empty());
    let violation = match (request.outcome, reason) {
        (Outcome::Failed, None) => Some("missing"),
        (_, Some(reason)) if reason.chars().count() > MAX_REASON => Some("length"),
        _ => None,
    };
    match violation {
        Some(code) => Err(Error::Invalid(vec![Violation::new("reason", code)])),
        None => Ok(reason),
    }
}
