//! Telling the operators that something waits for them (clause E23).

use std::time::Duration;

use http::{Method, Request, header};
use serde_json::{Map, Value, json};

use crate::http::{Context, Problem};
use crate::log::Level;
use crate::outbound::{self, Limits};
use crate::recipient::OPERATOR_WEBHOOK;
use crate::variables;

const LIMITS: Limits = Limits::small(Duration::from_secs(5));

/// What waits.
#[derive(Debug)]
pub struct Alert<'a> {
    /// The event's name.
    pub event: &'static str,
    /// What the operators read. It holds nothing personal.
    pub text: &'a str,
    /// The same for machines.
    pub fields: &'a [(&'static str, Value)],
}

/// Alerts the operators by their webhook. One that does not take the alert is none: the alert is in the log then, as
/// an alarm.
///
/// # Errors
/// The variables are unusable.
pub fn raise(cx: &Context, alert: &Alert) -> Result<(), Problem> {
    if !posted(alert)? {
        cx.log(Level::Alarm, alert.event, alert.fields);
    }
    Ok(())
}

/// Whether the webhook took it. The text member is what the robots of DingTalk and WeCom show; they say no with
/// status 200 and an `errcode` (<https://blog.csdn.net/weixin_44786530/article/details/120946525> copies
/// DingTalk's page).
fn posted(alert: &Alert) -> Result<bool, Problem> {
    let host = variables::text("operator_webhook")?;
    if host.is_empty() {
        return Ok(false);
    }
    let path = variables::text("operator_webhook_path")?;
    let mut body = Map::from_iter([
        ("event".to_owned(), alert.event.into()),
        ("msgtype".to_owned(), "text".into()),
        ("text".to_owned(), json!({ "content": alert.text })),
    ]);
    let fields = alert.fields.iter().cloned();
    body.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}{path}", host.trim_end_matches('/')))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Value::Object(body).to_string().into_bytes())
        .map_err(|_| variables::Misconfigured {
            variable: "operator_webhook",
        })?;
    let answer = outbound::send(OPERATOR_WEBHOOK, &request, &LIMITS);
    Ok(answer.is_ok_and(|answer| answer.status().is_success() && !is_refusal(answer.body())))
}

fn is_refusal(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    answer["errcode"].as_i64().is_some_and(|code| code != 0)
}
