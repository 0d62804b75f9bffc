//! `/v1/operator/tasks/{id}/done`: the recipient was told (clause R3).

use shared::http::{Answer, Context, Id, Problem, ProblemBody};
use shared::operator::Reviewer;

use crate::task;

/// End a task
///
/// The recipient was told; what it was to be told is deleted.
#[utoipa::path(post, path = "/v1/operator/tasks/{id}/done", tag = "operators", security(("operator" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 204, description = "gone now, or before"),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn done(cx: &Context, reviewer: Reviewer, Id(id): Id) -> Result<Answer, Problem> {
    reviewer.audit(cx, "task.done", &id.to_string())?;
    task::done(cx, id)?;
    Ok(Answer::no_content())
}
