//! `/v1/requests/{id}`: what became of a request (clause R7).

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::session::AnySession;

use crate::error::Error;
use crate::request::{self, RequestDetails};

/// Read one of my requests
///
/// With its answer, the case in which it was refused, and its fee, if there are any.
#[utoipa::path(get, path = "/v1/requests/{id}", tag = "requests", security(("session" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = RequestDetails),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, AnySession(session): AnySession, Id(id): Id) -> Result<Answer, Error> {
    let request = request::find_own(cx, id, session.account_id)?;
    Ok(Answer::ok(&request.details(cx)?))
}
