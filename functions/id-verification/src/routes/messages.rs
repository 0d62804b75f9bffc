//! `/v1/callbacks/alipay/messages`: Alipay's application gateway, one address for all messages of the
//! application (Alipay's page is copied in
//! <https://blog.csdn.net/weixin_39716105/article/details/115888365>).

use http::{StatusCode, header};
use serde_json::Value;
use shared::alipay::{App, Notification, NotificationError};
use shared::http::{Answer, Context, ProblemBody};
use shared::log::Level;
use utoipa::ToSchema;

use crate::alipay;
use crate::claim;
use crate::error::Error;
use crate::settle::settle;

/// A person has finished on Alipay's page.
const COMPLETED: &str = "alipay.user.certify.open.notify.completed";

/// A message, as Alipay signs it.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it describes a shape: the signature is over what came, not over what was read"
)]
pub struct AlipayMessage {
    notify_id: String,
    utc_timestamp: String,
    /// What it is about.
    #[schema(example = "alipay.user.certify.open.notify.completed")]
    msg_method: String,
    app_id: String,
    version: String,
    /// JSON.
    biz_content: String,
    sign: String,
    #[schema(example = "RSA2")]
    sign_type: String,
    #[schema(example = "UTF-8")]
    charset: String,
}

/// Receive a message of Alipay's
///
/// A message is only a hint: what counts is what Alipay answers when it is asked. Any other answer than
/// `success` makes Alipay send it again.
#[utoipa::path(post, path = "/v1/callbacks/alipay/messages", tag = "callbacks",
    request_body(content = AlipayMessage, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "`success`: also for what came before, and for what is not for us",
            body = String, content_type = "text/plain"),
        (status = 400, description = "`message-malformed`, `charset-unsupported`, `sign-type-unsupported`, \
            `signature-invalid`, `app-mismatch`: nothing has changed",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`alipay-unavailable`: it is to be sent again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn receive(cx: &Context) -> Result<Answer, Error> {
    let app = alipay::app()?;
    let content_type = cx.header(header::CONTENT_TYPE.as_str());
    let message = app
        .notification(content_type, cx.request().body())
        .map_err(refused)?;
    if message.get("msg_method") == Some(COMPLETED) {
        completed(cx, &app, &message)?;
    } else {
        cx.log(Level::Info, "alipay-message-ignored", &[]);
    }
    let success = b"success".to_vec();
    Ok(Answer::bytes(StatusCode::OK, "text/plain", success))
}

/// An identifier that we do not know is one that was withdrawn, or was never ours: nothing is sent then.
fn completed(cx: &Context, app: &App, message: &Notification) -> Result<(), Error> {
    let content = message.get("biz_content").unwrap_or_default();
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    let Some(certify_id) = content["certify_id"].as_str() else {
        return Ok(());
    };
    match claim::find_certified(cx, certify_id)? {
        Some(id) => settle(cx, app, id, certify_id),
        None => Ok(()),
    }
}

fn refused(error: NotificationError) -> Error {
    let (name, cause) = match error {
        NotificationError::Malformed => ("message-malformed", "alipay message: no form"),
        NotificationError::Charset => ("charset-unsupported", "alipay message: not in UTF-8"),
        NotificationError::SignType => ("sign-type-unsupported", "alipay message: not RSA2"),
        NotificationError::BadSignature => ("signature-invalid", "alipay message: not Alipay's"),
        NotificationError::OtherApp(_) => ("app-mismatch", "alipay message: another application's"),
        NotificationError::Misconfigured(misconfigured) => return misconfigured.into(),
    };
    Error::MessageRefused { name, cause }
}
