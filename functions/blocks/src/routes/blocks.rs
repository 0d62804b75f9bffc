//! `/v1/blocks`: whom one has blocked.

use shared::http::{Answer, Context, Page, PageRequest, Problem};
use shared::session::Session;

use crate::store::{self, Block};

/// List whom I have blocked
///
/// The newest accounts come first.
#[utoipa::path(get, path = "/v1/blocks", tag = "blocks", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query, description = "the `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Page<Block>)))]
pub fn list(cx: &Context, session: Session, request: PageRequest) -> Result<Answer, Problem> {
    let page = store::list(cx, session.account_id, request)?;
    Ok(Answer::ok(&page))
}
