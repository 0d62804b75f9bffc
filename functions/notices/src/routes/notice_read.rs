//! `/v1/notices/{id}/read`: the person has read a notice.

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::session::AnySession;

use crate::error::Error;
use crate::inbox;

/// Mark a notice as read
///
/// The first time counts.
#[utoipa::path(post, path = "/v1/notices/{id}/read", tag = "notices", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the notice")),
    responses(
        (status = 204, description = "read"),
        (status = 404, description = "`not-found`: none of one's own",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(cx: &Context, AnySession(session): AnySession, Id(id): Id) -> Result<Answer, Error> {
    if inbox::read(cx, session.account_id, id)? {
        Ok(Answer::no_content())
    } else {
        Err(Error::NotFound)
    }
}
