//! `/v1/operator/accounts/{id}/freeze`: somebody told the service that the account leaked (clause C3).

use shared::http::{Answer, Context, Id, Problem, ProblemBody};
use shared::operator::Reviewer;

use crate::error::Error;
use crate::freeze::{self, Reporter};

/// Freeze an account
///
/// As its owner's own report does: every session ends, and only resetting the password opens it again.
#[utoipa::path(post, path = "/v1/operator/accounts/{id}/freeze", tag = "operators",
    security(("operator" = [])),
    params(("id" = String, Path, format = Uuid, description = "the account")),
    responses(
        (status = 204, description = "frozen"),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(cx: &Context, reviewer: Reviewer, Id(id): Id) -> Result<Answer, Error> {
    reviewer.audit_account(cx, "account.freeze", id)?;
    match freeze::freeze_leaked(cx, id, Reporter::Operator) {
        Err(Error::AccountChanged) => Err(Problem::not_found().into()),
        frozen => frozen.map(|()| Answer::no_content()),
    }
}
