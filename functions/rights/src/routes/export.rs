//! `/v1/account/exports/{id}`: what became of one copy (clause R6).

use shared::http::{Answer, Context, Id, Problem, ProblemBody};
use shared::session::AnySession;

use crate::export::{self, Export};

/// See one of my copies
#[utoipa::path(get, path = "/v1/account/exports/{id}", tag = "rights", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the export")),
    responses(
        (status = 200, body = Export),
        (status = 404, description = "`not-found`: none of the person's, or one whose time is over",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, AnySession(session): AnySession, Id(id): Id) -> Result<Answer, Problem> {
    Ok(Answer::ok(&export::find(cx, session.account_id, id)?))
}
