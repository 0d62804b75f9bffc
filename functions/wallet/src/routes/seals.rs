//! `/v1/operator/ledger-seals`, and `/internal/seal` for the sweep: sealing the ledger's closed days.

use serde::Serialize;
use shared::chain::Part;
use shared::http::{Answer, Context, Problem};
use shared::operator::Reviewer;
use utoipa::ToSchema;

use crate::seal;

/// What was sealed.
#[derive(Serialize, ToSchema)]
pub struct SealedDays {
    /// The days, in China.
    days: Vec<String>,
    /// Whether there may be more to seal: then it is to be called again.
    more: bool,
}

/// Seal the ledger's closed days
#[utoipa::path(post, path = "/v1/operator/ledger-seals", tag = "operators", security(("operator" = [])),
    responses((status = 200, body = SealedDays)))]
pub fn create(cx: &Context, operator: Reviewer) -> Result<Answer, Problem> {
    operator.audit(cx, "ledger-seal", "ledger")?;
    let sealed = seal::seal_closed_days(cx)?;
    let (days, more) = (sealed.days, sealed.more);
    Ok(Answer::ok(&SealedDays { days, more }))
}

/// The same, for the sweep.
///
/// # Errors
/// The database failed; what was sealed until then stays.
pub fn create_internally(cx: &Context) -> Result<Answer, Problem> {
    let sealed = seal::seal_closed_days(cx)?;
    Ok(Answer::ok(&Part {
        done: sealed.days.len(),
        more: sealed.more,
    }))
}
