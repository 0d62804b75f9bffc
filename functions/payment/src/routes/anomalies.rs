//! `/v1/operator/payment-anomalies`: what the institutions said that does not fit.

use shared::http::{Answer, Context, Page, PageRequest, Problem};
use shared::operator::Reviewer;

use crate::notification::{self, Anomaly};

/// List the payments that do not fit
///
/// The newest come first.
#[utoipa::path(get, path = "/v1/operator/payment-anomalies", tag = "operators",
    security(("operator" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query, description = "the `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Page<Anomaly>)))]
pub fn list(cx: &Context, operator: Reviewer, page: PageRequest) -> Result<Answer, Problem> {
    operator.audit(cx, "payment-anomalies", "list")?;
    let anomalies = notification::anomalies(cx, page)?;
    Ok(Answer::ok(
        &page.page(anomalies, |anomaly: &Anomaly| anomaly.id),
    ))
}
