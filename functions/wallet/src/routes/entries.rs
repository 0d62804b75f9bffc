//! `/v1/wallet/entries`: how one came to have it (clause E15).

use shared::http::{Answer, Context, Page, PageRequest, Problem};
use shared::session::Session;

use crate::entries::{self, Entry};

/// List what changed my balance
///
/// The newest entries come first.
#[utoipa::path(get, path = "/v1/wallet/entries", tag = "wallet", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query, description = "the `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Page<Entry>)))]
pub fn list(cx: &Context, session: Session, request: PageRequest) -> Result<Answer, Problem> {
    Ok(Answer::ok(&entries::list(cx, session.account_id, request)?))
}
