//! `/v1/operator/breach-notices/{id}`: how far a breach notice came (clause C2).

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::operator::Admin;

use crate::breach::{self, BreachState};
use crate::error::Error;

/// Read a breach notice's state
#[utoipa::path(get, path = "/v1/operator/breach-notices/{id}", tag = "operators",
    security(("operator" = [])),
    params(("id" = String, Path, format = Uuid, description = "the notice")),
    responses(
        (status = 200, body = BreachState),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, admin: Admin, Id(id): Id) -> Result<Answer, Error> {
    admin.audit(cx, "breach-notice.read", &id.to_string())?;
    Ok(Answer::ok(&breach::find(cx, id)?))
}
