//! Telling the operators that a review waits for them (clause E23).

use std::time::Duration;

use http::{Method, Request, header};
use serde_json::{Value, json};
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::outbound::{self, Limits};
use shared::sql::{Parameter, statements};
use shared::variables;
use uuid::Uuid;

use crate::claim::Kind;

const LIMITS: Limits = Limits::small(Duration::from_secs(5));

statements! {
    /// The account's review that nobody was told about yet.
    FIND_SILENT = "SELECT id FROM verification_claims WHERE account_id = $1 AND kind = $2 \
                   AND status = 'in_review' AND alerted_at IS NULL";
    /// The operators know.
    NOTE = "UPDATE verification_claims SET alerted_at = $1 WHERE id = $2";
}

/// Alerts the operators to the account's open review, if they were not yet: they may hear of one twice, where
/// a request was stopped in between, but of each once at least.
///
/// # Errors
/// The database failed, or the variables are unusable. An operators' webhook that does not take the alert is
/// none: the alert is in the log then, as an alarm.
pub fn alert(cx: &Context, account_id: Uuid, kind: Kind) -> Result<(), Problem> {
    let of_account = [Parameter::id(account_id), Parameter::text(kind.name())];
    let Some(row) = cx.sql()?.first(&FIND_SILENT, &of_account)? else {
        return Ok(());
    };
    let id: Uuid = row.get("id")?;
    if !posted(id, kind)? {
        let fields = [
            ("review", id.to_string().into()),
            ("kind", kind.name().into()),
        ];
        cx.log(Level::Alarm, "review-requested", &fields);
    }
    cx.sql()?
        .execute(&NOTE, &[Parameter::time(cx.now()), Parameter::id(id)])?;
    Ok(())
}

/// Whether the webhook took it. The text member is what the robots of DingTalk and WeCom show; they say no with
/// status 200 and an `errcode` (<https://blog.csdn.net/weixin_44786530/article/details/120946525> copies
/// DingTalk's page).
fn posted(id: Uuid, kind: Kind) -> Result<bool, Problem> {
    let host = variables::text("operator_webhook")?;
    if host.is_empty() {
        return Ok(false);
    }
    let path = variables::text("operator_webhook_path")?;
    let body = json!({
        "event": "review-requested",
        "review": id,
        "kind": kind,
        "msgtype": "text",
        "text": { "content": format!("创人脉:有新的认证待审核({})", kind.name()) },
    });
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}{path}", host.trim_end_matches('/')))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|_| variables::Misconfigured {
            variable: "operator_webhook",
        })?;
    let answer = outbound::send(&request, &LIMITS);
    Ok(answer.is_ok_and(|answer| answer.status().is_success() && !is_refusal(answer.body())))
}

fn is_refusal(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    answer["errcode"].as_i64().is_some_and(|code| code != 0)
}
