//! `/v1/operator/requests`: what waits for an answer, and what reached an operator by telephone, by letter or at the
//! service desk (clauses R7, K1, M1).

use http::StatusCode;
use serde::Deserialize;
use shared::http::{
    Answer, Context, FromContext, Json, Page, PageRequest, Problem, ProblemBody, Violation,
};
use shared::operator::{IdentityCheck, Reviewer};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::intake::{self, Asked};
use crate::kind::{Kind, Proof, Reason, Status};
use crate::request::{self, Request, RequestDetails, RequestItem};
use crate::text::{self, MAX_REQUEST};

/// Which requests are asked for.
pub struct Listed {
    page: PageRequest,
    status: Status,
}

impl FromContext for Listed {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let mut status = Status::Open;
        let page = PageRequest::read(cx, |name, value| {
            if name != "status" {
                return Err(Violation::new(name, "unknown"));
            }
            status = Status::named(value).ok_or_else(|| Violation::new("status", "invalid"))?;
            Ok(())
        })?;
        Ok(Self { page, status })
    }
}

impl From<IdentityCheck> for Proof {
    fn from(check: IdentityCheck) -> Self {
        match check {
            IdentityCheck::PhoneNumber => Self::PhoneNumber,
            IdentityCheck::AccountDetails => Self::AccountDetails,
            IdentityCheck::IdentityDocument => Self::IdentityDocument,
            IdentityCheck::Guardian => Self::Guardian,
        }
    }
}

/// What reached an operator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// Who asks. Only who reports an account need not have one.
    account_id: Option<Uuid>,
    kind: Kind,
    /// What is asked: 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
    /// How it was made sure who asks; needed with `account_id`.
    identity: Option<IdentityCheck>,
    /// When it reached us, in RFC 3339; now, if absent.
    #[schema(format = DateTime)]
    received_at: Option<String>,
    /// What is reported; only with a `report`, and needed there.
    reason: Option<Reason>,
    /// Whom a `report` is about.
    subject: Option<Uuid>,
}

/// List the requests
///
/// Those that are overdue first, then by when they are due.
#[utoipa::path(get, path = "/v1/operator/requests", tag = "operators", security(("operator" = [])),
    params(
        ("status" = Option<Status>, Query, description = "`open` if absent"),
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses(
        (status = 200, body = Page<RequestItem>),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn list(cx: &Context, reviewer: Reviewer, listed: Listed) -> Result<Answer, Problem> {
    reviewer.audit(cx, "request.list", "")?;
    let requests = request::list(cx, listed.status, listed.page)?;
    let items = requests.into_iter().map(Request::into_item).collect();
    Ok(Answer::ok(&listed.page.page(items, RequestItem::id)))
}

/// Record a request that did not come through the app
///
/// By telephone, by letter, or at the service desk. Its clock begins when it reached us, not when the identity was
/// checked. Without `account_id`: somebody who has no account reports one, of a minor for instance.
#[utoipa::path(post, path = "/v1/operator/requests", tag = "operators", security(("operator" = [])),
    request_body = RecordedRequest,
    responses(
        (status = 201, body = RequestDetails),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: the `subject` is no account",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `account_id` is `missing`, or no `account`, as may be \
            `subject`; `identity` is `missing`, or stands with a `stranger`; `received_at` is `invalid`, or in the \
            `future`; `text`, `reason` and `subject` as in `POST /v1/requests`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn record(
    cx: &Context,
    reviewer: Reviewer,
    Json(new): Json<RecordedRequest>,
) -> Result<Answer, Error> {
    let asked = Asked {
        account_id: new.account_id,
        kind: new.kind,
        reason: new.reason,
        subject: new.subject,
        text: text::plain("text", &new.text, MAX_REQUEST)?,
        identity: identity(&new)?,
        received_at: received_at(cx.now(), new.received_at.as_deref())?,
    };
    intake::check_report(new.kind, new.reason, new.subject)?;
    match new.account_id.or(new.subject) {
        Some(concerned) => reviewer.audit_account(cx, "request.record", concerned)?,
        None => reviewer.audit(cx, "request.record", "")?,
    }
    let request = intake::record(cx, &asked)?;
    Ok(Answer::json(StatusCode::CREATED, &request.details(cx)?))
}

fn identity(new: &RecordedRequest) -> Result<Proof, Violation> {
    let reports_somebody = new.kind == Kind::Report && new.subject.is_some();
    match (new.account_id, new.identity) {
        (Some(_), Some(check)) => Ok(check.into()),
        (Some(_), None) => Err(Violation::new("identity", "missing")),
        (None, _) if !reports_somebody => Err(Violation::new("account_id", "missing")),
        (None, Some(_)) => Err(Violation::new("identity", "stranger")),
        (None, None) => Ok(Proof::Stranger),
    }
}

fn received_at(now: Timestamp, given: Option<&str>) -> Result<Timestamp, Violation> {
    let Some(given) = given else { return Ok(now) };
    let moment: jiff::Timestamp = given
        .parse()
        .map_err(|_| Violation::new("received_at", "invalid"))?;
    let moment = Timestamp(moment.as_millisecond());
    if moment > now {
        return Err(Violation::new("received_at", "future"));
    }
    Ok(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause R7
    #[test]
    fn a_request_is_received_now_or_before() {
        let now = Timestamp(1_790_000_000_000);
        let (same, later) = (now.to_string(), Timestamp(now.0 + 1).to_string());
        for (given, expected) in [
            (None, Ok(now)),
            (Some(same.as_str()), Ok(now)),
            (
                Some("2026-09-01T09:00:00+08:00"),
                Ok(Timestamp(1_788_224_400_000)),
            ),
            (Some(later.as_str()), Err("future")),
            (Some(""), Err("invalid")),
            (Some("2026-09-01"), Err("invalid")),
            (Some("yesterday"), Err("invalid")),
        ] {
            let found = received_at(now, given).map_err(|violation| violation.code);
            assert_eq!(found, expected, "{given:?}");
        }
    }
}
