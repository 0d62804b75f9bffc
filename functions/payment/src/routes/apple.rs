//! `/v1/callbacks/apple`: App Store Server Notifications V2.

use serde::Deserialize;
use serde_json::{Value, json};
use shared::http::{Answer, Context, ProblemBody};
use shared::log::Level;
use utoipa::ToSchema;

use crate::apple::{Event, JwsError, Notification, NotificationError, Signed, Store, Transaction};
use crate::error::Error;
use crate::institution::apple;
use crate::notification::{Reason, Told, Verdict, name_of};
use crate::order::{Channel, Order};
use crate::{purchase, settle};

/// A notification, as the App Store posts it.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "it describes a shape: the app's own reader takes the raw body"
)]
pub struct AppStoreNotification {
    /// A JSON Web Signature in compact form.
    #[serde(rename = "signedPayload")]
    signed_payload: String,
}

/// Receive a notification of the App Store's
///
/// After an answer of 500 and above Apple sends it again.
#[utoipa::path(post, path = "/v1/callbacks/apple", tag = "callbacks",
    request_body(content = AppStoreNotification, content_type = "application/json"),
    responses(
        (status = 204, description = "taken: also what came before, and what is kept for an operator"),
        (status = 400, description = "`notification-malformed`, `signature-invalid`: nothing has changed",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`: also what Apple signed and we cannot read; or another \
            reason to send it again", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn receive(cx: &Context) -> Result<Answer, Error> {
    let store = apple::store().map_err(Error::brought_about_by_anybody)?;
    let notification = match store.notification(cx.request().body()) {
        Ok(notification) => notification,
        Err(NotificationError::Jws(JwsError::Content)) => return Err(keep(cx, &store)?),
        Err(error) => return Err(refused(error)),
    };
    let (order, content, verdict) = match &notification.event {
        Signed::Foreign(foreign) => (
            None,
            json!({
                "bundle_id": foreign.bundle_id,
                "environment": foreign.environment,
                "app_apple_id": foreign.app_apple_id,
            }),
            Verdict::Anomaly(Reason::OtherMerchant),
        ),
        Signed::Ours(Event::Other(name)) => (None, json!({ "type": name }), Verdict::Ignored),
        Signed::Ours(
            Event::Bought(transaction)
            | Event::Refunded(transaction)
            | Event::RefundReversed(transaction),
        ) => happened(cx, &notification, transaction)?,
    };
    let told = Told {
        institution: Channel::Apple.institution(),
        id: &notification.id.to_string(),
        order_id: order.map(|order| order.id),
        content,
    };
    told.record(cx, verdict)?;
    Ok(Answer::no_content())
}

fn happened(
    cx: &Context,
    notification: &Notification,
    transaction: &Transaction,
) -> Result<(Option<Order>, Value, Verdict), Error> {
    let mut transaction = transaction.clone();
    let (is_refund, is_reversal) = match notification.event {
        Signed::Ours(Event::Refunded(_)) => (true, false),
        Signed::Ours(Event::RefundReversed(_)) => (false, true),
        _ => (false, false),
    };
    if is_refund {
        // Apple tells when; if it does not, it was by now.
        transaction.revoked_at.get_or_insert(transaction.signed_at);
    }
    let content = purchase::content(&transaction);
    let Some(order) = purchase::order_of(cx, &transaction)? else {
        return Ok((None, content, Verdict::Anomaly(Reason::UnknownOrder)));
    };
    if let Err(reason) = purchase::settle(cx, &order, &transaction)? {
        return Ok((Some(order), content, Verdict::Anomaly(reason)));
    }
    let verdict = if is_reversal {
        settle::reversed(cx, &order, notification.signed_at)?;
        Verdict::Reversed
    } else if is_refund {
        Verdict::Refunded
    } else {
        Verdict::Credited
    };
    Ok((Some(order), content, verdict))
}

/// The App Store's, and perhaps about money: people must look, and Apple shall send it again.
fn keep(cx: &Context, store: &Store) -> Result<Error, Error> {
    let body = cx.request().body();
    if let Some(named) = store.named(body) {
        let told = Told {
            institution: Channel::Apple.institution(),
            id: &named.id.unwrap_or_else(|| name_of(body)),
            order_id: None,
            content: json!({
                "type": named.kind,
                "bundle_id": named.bundle_id,
                "environment": named.environment,
            }),
        };
        told.record(cx, Verdict::Anomaly(Reason::Unreadable))?;
    }
    let institution = Channel::Apple.institution();
    Ok(Error::unavailable(
        institution,
        "signed content is not as documented",
        true,
    ))
}

fn refused(error: NotificationError) -> Error {
    let (name, cause) = match error {
        NotificationError::Malformed => ("notification-malformed", "apple: unreadable".to_owned()),
        NotificationError::Jws(error) => ("signature-invalid", format!("apple: {error:?}")),
    };
    let level = Level::Warning;
    Error::NotificationRefused { name, cause, level }
}
