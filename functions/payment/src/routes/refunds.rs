//! `/v1/operator/orders/{id}/refunds`: what was given back of an order.

use serde::Serialize;
use shared::http::{Answer, Context, Id, ProblemBody};
use shared::operator::Reviewer;
use utoipa::ToSchema;

use crate::error::Error;
use crate::order;
use crate::refund::{self, Refund};

/// An order's refunds.
#[derive(Serialize, ToSchema)]
pub struct Refunds {
    items: Vec<Refund>,
}

/// List an order's refunds
///
/// In their order: also those that wait, those that failed, and those that were made in an institution's console.
#[utoipa::path(get, path = "/v1/operator/orders/{id}/refunds", tag = "operators",
    security(("operator" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = Refunds),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn list(cx: &Context, operator: Reviewer, Id(id): Id) -> Result<Answer, Error> {
    operator.audit(cx, "order-refunds", &id.to_string())?;
    let order = order::find(cx, id)?.ok_or(Error::NotFound)?;
    let items = refund::list(cx, order.id)?;
    Ok(Answer::ok(&Refunds { items }))
}
