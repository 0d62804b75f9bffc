//! `/v1/blocks/{id}`: blocking someone, and letting that be (clause E3).

use shared::http::{Answer, Context, Id, Problem, ProblemBody};
use shared::session::Session;

use crate::error::Error;
use crate::store;

/// Block someone
///
/// From this moment neither is shown the other. The other is not told.
#[utoipa::path(put, path = "/v1/blocks/{id}", tag = "blocks", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the account")),
    responses(
        (status = 204, description = "blocked, or was before"),
        (status = 404, description = "`not-found`: there is no such account",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`block-self`; `too-many-blocks`: 1,000 are the most",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn set(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    store::block(cx, session.account_id, id)?;
    Ok(Answer::no_content())
}

/// Unblock someone
#[utoipa::path(delete, path = "/v1/blocks/{id}", tag = "blocks", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the account")),
    responses((status = 204, description = "not blocked any more, or was not")))]
pub fn clear(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Problem> {
    store::unblock(cx, session.account_id, id)?;
    Ok(Answer::no_content())
}
