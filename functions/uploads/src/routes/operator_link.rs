//! `/v1/operator/uploads/{id}/link`: a photo of an open review, for the operator who decides it.

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::operator::Reviewer;

use super::link::{PRIVATE, UploadLink};
use crate::error::Error;
use crate::rows;

/// Get a link to a review's photo
///
/// For five minutes, and only while the review is open. Each is recorded.
#[utoipa::path(get, path = "/v1/operator/uploads/{id}/link", tag = "operators",
    security(("operator" = [])),
    params(("id" = String, Path, format = Uuid, description = "the upload")),
    responses(
        (status = 200, body = UploadLink),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: no open review has such a photo",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, reviewer: Reviewer, Id(id): Id) -> Result<Answer, Error> {
    let upload = rows::find_in_review(cx, id)?;
    reviewer.audit(cx, "upload.link", &id.to_string())?;
    // The audit's record has this request's time and operator; the link is made for this one look.
    let link = UploadLink::new(cx, &upload, cx.id().as_bytes(), PRIVATE)?;
    Ok(Answer::ok(&link))
}
