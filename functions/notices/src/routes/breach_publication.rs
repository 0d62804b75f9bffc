//! `/v1/operator/breach-notices/{id}/publication`: a public notice, where people cannot all be told one by one
//! (clause C2).

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::operator::Admin;

use crate::breach::{self, BreachState};
use crate::error::Error;

/// Make a breach notice public
///
/// From then on it is in `GET /v1/policy/notices`. It can be asked again.
#[utoipa::path(post, path = "/v1/operator/breach-notices/{id}/publication", tag = "operators",
    security(("operator" = [])),
    params(("id" = String, Path, format = Uuid, description = "the notice")),
    responses(
        (status = 200, body = BreachState),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(cx: &Context, admin: Admin, Id(id): Id) -> Result<Answer, Error> {
    admin.audit(cx, "breach-notice.publish", &id.to_string())?;
    breach::publish(cx, id)?;
    Ok(Answer::ok(&breach::find(cx, id)?))
}
