//! `/v1/verifications/real-name/documents`: for who does not want the face check. An operator looks at photos
//! of documents instead; nothing goes to Alipay (clauses E6, E8).

use http::StatusCode;
use serde::Deserialize;
use shared::consent::{Consented, DocumentReview, Purpose};
use shared::http::{Answer, Context, Json, ProblemBody};
use shared::profile::ProfileComplete;
use shared::session::Session;
use utoipa::ToSchema;
use uuid::Uuid;

use super::appeal::documents;
use super::real_name::Identity;
use crate::claim::Kind;
use crate::error::Error;
use crate::person::{Person, real_name_summary};
use crate::submission::Submission;
use crate::verification::Verification;

/// An identity, and the documents that show it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentsRequest {
    /// The name on the identity card: the profile's.
    #[schema(example = "林小满")]
    name: String,
    /// The number on the identity card.
    #[schema(example = "11010519491231002X")]
    id_number: String,
    /// Completed uploads of the kind `appeal`.
    #[schema(min_items = 1, max_items = 4)]
    photos: Vec<Uuid>,
}

/// Have documents reviewed
///
/// Real-name verification without a face: an operator compares photos of the identity card with what is
/// said here. They are deleted with the decision.
#[utoipa::path(post, path = "/v1/verifications/real-name/documents", tag = "verifications",
    security(("session" = [])),
    request_body = DocumentsRequest,
    responses(
        (status = 201, body = Verification),
        (status = 403, description = "`consent-required` names the `purpose`; `profile-incomplete`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already-verified`, `id-number-in-use`, `review-open`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `name` is a `mismatch`, `id_number` is `invalid`, \
            `photos` violate `items`, one of them is no `upload` for this; `adults-only`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn submit(
    cx: &Context,
    session: Session,
    profile: ProfileComplete,
    _: Consented<DocumentReview>,
    Json(request): Json<DocumentsRequest>,
) -> Result<Answer, Error> {
    let photos = documents(&request.photos)?;
    let identity = Identity::check(cx, &request.name, &request.id_number, &profile, Vec::new())?;
    let hash = identity.number.hash()?;
    let person = Person::unverified(cx, session.account_id, &hash)?;
    let submission = Submission {
        account_id: session.account_id,
        kind: Kind::RealName,
        purpose: Purpose::DocumentReview,
        summary: real_name_summary(&identity.name, &identity.number),
        number_hash: Some(hash),
        photos,
    };
    let verification = submission.submit(cx, &person)?;
    Ok(Answer::json(StatusCode::CREATED, &verification))
}
