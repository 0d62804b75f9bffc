//! `/v1/operator/requests/{id}`: a request with its text (clause R7).

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::operator::Reviewer;

use crate::error::Error;
use crate::request::{self, RequestDetails};

/// Read a request
///
/// The look is recorded before the text is opened.
#[utoipa::path(get, path = "/v1/operator/requests/{id}", tag = "operators", security(("operator" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = RequestDetails),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, reviewer: Reviewer, Id(id): Id) -> Result<Answer, Error> {
    reviewer.audit(cx, "request.read", &id.to_string())?;
    Ok(Answer::ok(&request::find(cx, id)?.details(cx)?))
}
