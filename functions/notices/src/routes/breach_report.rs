//! `/v1/operator/breach-notices/{id}/report`: what the authority is told of a breach and of its handling (clause C2).

use serde::Serialize;
use shared::http::{Answer, Context, Id, Page, PageRequest, ProblemBody};
use shared::operator::Admin;
use utoipa::ToSchema;

use crate::breach::{self, BreachState, Told};
use crate::error::Error;

/// A breach, whom it concerned, and how each was told. It names accounts and no people.
#[derive(Serialize, ToSchema)]
pub struct BreachReport {
    notice: BreachState,
    accounts: Page<Told>,
}

/// Export a breach notice's report
///
/// The accounts come page by page, in the order of their identifiers.
#[utoipa::path(get, path = "/v1/operator/breach-notices/{id}/report", tag = "operators",
    security(("operator" = [])),
    params(
        ("id" = String, Path, format = Uuid, description = "the notice"),
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses(
        (status = 200, body = BreachReport),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, admin: Admin, Id(id): Id, page: PageRequest) -> Result<Answer, Error> {
    admin.audit(cx, "breach-notice.report", &id.to_string())?;
    let notice = breach::find(cx, id)?;
    let accounts = page.page(breach::told(cx, id, page)?, |told: &Told| told.account_id);
    Ok(Answer::ok(&BreachReport { notice, accounts }))
}
