//! `/v1/operator/tasks`: recipients that people must tell of a deletion (clause R3).

use shared::http::{Answer, Context, Page, PageRequest, Problem, ProblemBody};
use shared::operator::Reviewer;

use crate::task::{self, Task};

/// List the tasks
///
/// Recipients of personal data that must hear that it is to be deleted: those that have no interface, and those whose
/// interface has not acknowledged ten times. The look is recorded first: a task may show a phone number.
#[utoipa::path(get, path = "/v1/operator/tasks", tag = "operators", security(("operator" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses(
        (status = 200, body = Page<Task>),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn list(cx: &Context, reviewer: Reviewer, page: PageRequest) -> Result<Answer, Problem> {
    reviewer.audit(cx, "task.list", "")?;
    Ok(Answer::ok(&task::list(cx, page)?))
}
