//! `/v1/verifications/{id}/appeal`: a person instead of the machine (clause E8).

use serde::Deserialize;
use shared::consent::{Consented, DocumentReview};
use shared::http::{Answer, Context, Id, Json, ProblemBody, Violation};
use shared::session::Session;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::alert;
use crate::claim::{self, Kind};
use crate::error::Error;
use crate::photos::{self, Wanted};
use crate::review;
use crate::verification::{self, Status, Verification};

const MAX_PHOTOS: usize = 4;

/// The documents that show it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealRequest {
    /// Completed uploads of the kind `appeal`.
    #[schema(min_items = 1, max_items = 4)]
    photos: Vec<Uuid>,
}

/// Object to a result
///
/// An operator looks at photos of the identity card and decides. Open for real-name verifications that
/// failed or expired, and for those that the person does not want to show the face for.
#[utoipa::path(post, path = "/v1/verifications/{id}/appeal", tag = "verifications",
    security(("session" = [])),
    params(("id" = Uuid, Path)),
    request_body = AppealRequest,
    responses(
        (status = 200, body = Verification),
        (status = 403, description = "`consent-required` names the `purpose`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`review-open`: one at a time; `not-appealable`: passed, decided by an \
            operator, or withdrawn",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `photos` violate `items`, or one of them is no `upload` \
            for this",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn open(
    cx: &Context,
    session: Session,
    _: Consented<DocumentReview>,
    Id(id): Id,
    Json(request): Json<AppealRequest>,
) -> Result<Answer, Error> {
    let photos = documents(&request.photos)?;
    let account_id = session.account_id;
    let verification = verification::find(cx, id, account_id)?;
    if verification.status == Status::InReview {
        // Perhaps by this very request, which was stopped before anybody was told.
        alert::alert(cx, account_id, Kind::RealName)?;
        return Err(Error::ReviewOpen);
    }
    if !verification.is_appealable() {
        return Err(Error::NotAppealable);
    }
    let taken = review::take_limit(cx, account_id, Kind::RealName)?;
    // The photos first: attached to a claim that is not under review, they are nobody's to look at.
    let opened =
        photos::attach(cx, id, account_id, &photos).and_then(|()| claim::open_review(cx, id));
    if let Err(error) = opened {
        photos::release(cx, id, account_id, &photos)?;
        taken.give_back(cx)?;
        return Err(error);
    }
    alert::alert(cx, account_id, Kind::RealName)?;
    Ok(Answer::ok(&verification::find(cx, id, account_id)?))
}

/// Photos of documents, as a request names them.
///
/// # Errors
/// [`Error::Invalid`] if there are none, too many, or one twice.
pub fn documents(uploads: &[Uuid]) -> Result<Vec<Wanted>, Error> {
    let mut different = uploads.to_vec();
    different.sort();
    different.dedup();
    if different.len() != uploads.len() || !(1..=MAX_PHOTOS).contains(&uploads.len()) {
        return Err(Error::Invalid(vec![Violation::new("photos", "items")]));
    }
    let wanted = uploads.iter().enumerate().map(|(at, id)| Wanted {
        field: format!("photos.{at}"),
        id: *id,
        kind: "appeal",
    });
    Ok(wanted.collect())
}
