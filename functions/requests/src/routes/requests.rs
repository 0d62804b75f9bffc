//! `/v1/requests`: asking something of us about one's data, or reporting somebody (clauses R7, K1, M1, E14).

use http::StatusCode;
use serde::Deserialize;
use shared::http::{Answer, Context, Json, Page, PageRequest, Problem, ProblemBody};
use shared::session::AnySession;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::intake::{self, Asked};
use crate::kind::{Kind, Proof, Reason};
use crate::request::{self, Request, RequestDetails, RequestItem};
use crate::text::{self, MAX_REQUEST};

/// What is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    kind: Kind,
    /// In one's own words: 1 to 2000 characters.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "请告知你们持有我的哪些个人信息"
    )]
    text: String,
    /// What is reported; only with a `report`, and needed there.
    reason: Option<Reason>,
    /// Whom a `report` is about, if anybody.
    subject: Option<Uuid>,
}

/// Ask something about my data, or report somebody
///
/// It is answered within 15 working days of China's calendar, the day of receipt not counted: `due_at` says when these
/// are over, and `calendar` whether the holidays until then are known. While a request is open, asking just the same
/// again answers that request. Anybody can be reported, also who has blocked me: the answer names the `subject` only
/// while I can see it, or have blocked it myself.
#[utoipa::path(post, path = "/v1/requests", tag = "requests", security(("session" = [])),
    request_body = NewRequest,
    responses(
        (status = 201, body = RequestDetails),
        (status = 422, description = "`invalid-fields`: `text` violates `length` or `characters`; `reason` is \
            `missing` from a report; `reason` or `subject` stand in what is `not-a-report`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn ask(
    cx: &Context,
    AnySession(session): AnySession,
    Json(new): Json<NewRequest>,
) -> Result<Answer, Error> {
    let text = text::plain("text", &new.text, MAX_REQUEST)?;
    intake::check_report(new.kind, new.reason, new.subject)?;
    let asked = Asked {
        account_id: Some(session.account_id),
        kind: new.kind,
        reason: new.reason,
        subject: new.subject,
        text,
        identity: Proof::Session,
        received_at: cx.now(),
    };
    let request = intake::ask(cx, session.account_id, &asked)?;
    Ok(Answer::json(StatusCode::CREATED, &request.details(cx)?))
}

/// List my requests
///
/// The newest first.
#[utoipa::path(get, path = "/v1/requests", tag = "requests", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses((status = 200, body = Page<RequestItem>)))]
pub fn list(
    cx: &Context,
    AnySession(session): AnySession,
    page: PageRequest,
) -> Result<Answer, Problem> {
    let requests = request::list_own(cx, session.account_id, page)?;
    let items = requests.into_iter().map(Request::into_item).collect();
    Ok(Answer::ok(&page.page(items, RequestItem::id)))
}
