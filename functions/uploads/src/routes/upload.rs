//! `/v1/uploads/{id}`: taking an upload back (clause R3).

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::session::Session;

use crate::error::Error;
use crate::rows;
use crate::sweep;

/// Delete an upload
///
/// Only while nothing refers to it.
#[utoipa::path(delete, path = "/v1/uploads/{id}", tag = "uploads", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the upload")),
    responses(
        (status = 204, description = "deleted"),
        (status = 404, description = "`not-found`: none of one's own",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`upload-in-use`: something refers to it",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn delete(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    if sweep::discard(cx, id, session.account_id)? {
        return Ok(Answer::no_content());
    }
    rows::find_own(cx, id, session.account_id)?;
    Err(Error::InUse)
}
