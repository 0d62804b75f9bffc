//! `/v1/account/leak-reports`: my account or password leaked (clause C3).

use shared::http::{Answer, Context, ProblemBody};
use shared::session::AnySession;

use crate::error::Error;
use crate::freeze::{self, Reporter};

/// Report one's account as leaked
///
/// It is frozen at once: every session ends, this one too, and nobody can log in until the password is reset with a
/// code by SMS. The operators are told.
#[utoipa::path(post, path = "/v1/account/leak-reports", tag = "account", security(("session" = [])),
    responses(
        (status = 204, description = "frozen"),
        (status = 409, description = "`account-changed`: it was deleted meanwhile",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Error> {
    let reporter = Reporter::Person {
        session_id: session.id,
    };
    freeze::freeze_leaked(cx, session.account_id, reporter)?;
    Ok(Answer::no_content())
}
