//! `/v1/notices`: a person's inbox.

use serde::Serialize;
use shared::http::{Answer, Context, Page, PageRequest, Problem};
use shared::session::AnySession;
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::content::Content;
use crate::inbox;

/// A notice to the person.
#[derive(Serialize, ToSchema)]
pub struct NoticeItem {
    id: Uuid,
    /// What people read first.
    title: String,
    /// Whether the app must put it before the person's eyes until it is read.
    prominent: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the person read it first.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    #[serde(flatten)]
    content: Content,
}

/// List the notices
///
/// Newest first: versions of the policy, new services, transfers, breaches, and what became of one's requests. Open also to who has not agreed to the
/// policy's last major version, and to who is about to leave.
#[utoipa::path(get, path = "/v1/notices", tag = "notices", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses((status = 200, body = Page<NoticeItem>)))]
pub fn list(
    cx: &Context,
    AnySession(session): AnySession,
    page: PageRequest,
) -> Result<Answer, Problem> {
    let notices = inbox::list(cx, session.account_id, page)?;
    let items = notices.into_iter().map(|notice| NoticeItem {
        id: notice.announcement_id,
        title: notice.content.title().to_owned(),
        prominent: notice.content.is_prominent(),
        created_at: notice.created_at,
        read_at: notice.read_at,
        content: notice.content,
    });
    let page = page.page(items.collect(), |item: &NoticeItem| item.id);
    Ok(Answer::ok(&page))
}
