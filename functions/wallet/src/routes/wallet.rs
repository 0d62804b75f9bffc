//! `/v1/wallet`: what one has (clause E15).

use shared::http::{Answer, Context, Problem};
use shared::session::Session;

use crate::entries::{self, Balance};

/// Read my balance
#[utoipa::path(get, path = "/v1/wallet", tag = "wallet", security(("session" = [])),
    responses((status = 200, body = Balance)))]
pub fn read(cx: &Context, session: Session) -> Result<Answer, Problem> {
    Ok(Answer::ok(&entries::balance(cx, session.account_id)?))
}
