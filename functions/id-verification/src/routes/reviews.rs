//! `/v1/operator/reviews`, `/v1/operator/reviews/{id}`: what waits for an operator (clause E8). Every look is
//! recorded before it is taken.

use serde::Serialize;
use shared::http::{Answer, Context, Id, Page, PageRequest, Problem, ProblemBody};
use shared::operator::Reviewer;
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::claim::{Kind, Summary};
use crate::error::Error;
use crate::photos;
use crate::review::{self, Review};

/// An open review.
#[derive(Serialize, ToSchema)]
pub struct ReviewItem {
    id: Uuid,
    kind: Kind,
    /// Since when it waits.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
}

/// A review, with what an operator needs to decide it.
#[derive(Serialize, ToSchema)]
pub struct ReviewDetails {
    id: Uuid,
    kind: Kind,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// `in_review`, or what was decided.
    status: String,
    /// The decision's reason.
    reason: Option<String>,
    /// Whom it is about. The identity number is masked: the photo must agree with what is shown of it.
    subject: Summary,
    /// None after the decision.
    photos: Vec<ReviewPhoto>,
}

/// A photo to look at.
#[derive(Serialize, ToSchema)]
pub struct ReviewPhoto {
    /// Its upload.
    id: Uuid,
    kind: String,
    content_type: String,
    /// Where to ask for a link to it: that look is recorded, too.
    link: String,
}

impl ReviewDetails {
    /// The review with its photos.
    ///
    /// # Errors
    /// The database or the key store failed.
    pub fn of(cx: &Context, review: Review) -> Result<Self, Problem> {
        let id = review.waiting.id;
        let photos = photos::list(cx, id)?.into_iter().map(|photo| ReviewPhoto {
            link: format!("/v1/operator/uploads/{}/link", photo.id),
            id: photo.id,
            kind: photo.kind,
            content_type: photo.content_type,
        });
        Ok(Self {
            id,
            kind: review.waiting.kind,
            opened_at: review.waiting.opened_at,
            subject: Summary::open(cx, review.person_key_id, id, &review.summary)?,
            status: review.status,
            reason: review.reason,
            photos: photos.collect(),
        })
    }
}

/// List the open reviews
///
/// Oldest first.
#[utoipa::path(get, path = "/v1/operator/reviews", tag = "operators", security(("operator" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses(
        (status = 200, body = Page<ReviewItem>),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn list(cx: &Context, reviewer: Reviewer, page: PageRequest) -> Result<Answer, Problem> {
    reviewer.audit(cx, "review.list", "")?;
    let waiting = review::list(cx, page)?;
    let items = waiting.into_iter().map(|waiting| ReviewItem {
        id: waiting.id,
        kind: waiting.kind,
        opened_at: waiting.opened_at,
    });
    let page = page.page(items.collect(), |item: &ReviewItem| item.id);
    Ok(Answer::ok(&page))
}

/// Read a review
#[utoipa::path(get, path = "/v1/operator/reviews/{id}", tag = "operators",
    security(("operator" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = ReviewDetails),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, reviewer: Reviewer, Id(id): Id) -> Result<Answer, Error> {
    reviewer.audit(cx, "review.read", &id.to_string())?;
    let review = review::find(cx, id)?;
    Ok(Answer::ok(&ReviewDetails::of(cx, review)?))
}
