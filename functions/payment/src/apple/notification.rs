//! App Store Server Notifications V2: `responseBodyV2DecodedPayload`
//! (<https://developer.apple.com/documentation/appstoreservernotifications/responsebodyv2decodedpayload>).

use serde::Deserialize;
use serde_json::Value;
use shared::log;
use shared::time::Timestamp;
use uuid::Uuid;

use super::jws::{self, Dated, JwsError};
use super::{Foreign, Signed, Store, Transaction};

/// Why a notification is not accepted. Nothing may change because of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationError {
    /// Not the JSON that a notification comes in.
    Malformed,
    /// It, or the transaction in it, cannot be taken for the App Store's.
    Jws(JwsError),
}

impl From<JwsError> for NotificationError {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

/// A notification that the App Store has signed. It may be one that came before: what is done because of it
/// must be fit to be done again.
#[derive(Debug, PartialEq, Eq)]
pub struct Notification {
    /// Apple's name for it; the same when it comes again.
    pub id: Uuid,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// What happened, if it is about our app.
    pub event: Signed<Event>,
}

/// What happened (`notificationType`).
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// `ONE_TIME_CHARGE`: something was bought.
    Bought(Transaction),
    /// `REFUND`, `REVOKE`: the money went back, or the right.
    Refunded(Transaction),
    /// `REFUND_REVERSED`: a refund did not stand.
    RefundReversed(Transaction),
    /// Something that changes nothing here, by its type as far as that looks like one.
    Other(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    signed_payload: String,
}

/// What a notification calls itself, as far as that looks like names.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// See [`Notification::id`].
    pub id: Option<String>,
    /// Such as `REFUND`.
    pub kind: Option<String>,
    /// The app.
    pub bundle_id: Option<String>,
    /// Which App Store.
    pub environment: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    notification_type: String,
    #[serde(rename = "notificationUUID")]
    notification_uuid: Uuid,
    signed_date: i64,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    bundle_id: String,
    environment: String,
    app_apple_id: Option<i64>,
    signed_transaction_info: Option<String>,
}

impl Dated for Payload {
    fn signed_date(&self) -> i64 {
        self.signed_date
    }
}

impl Store {
    /// Reads a notification once its signature holds, and that of the transaction in it.
    ///
    /// # Errors
    /// See [`NotificationError`].
    pub fn notification(&self, body: &[u8]) -> Result<Notification, NotificationError> {
        let body: Body = serde_json::from_slice(body).map_err(|_| NotificationError::Malformed)?;
        let payload: Payload = jws::read(&body.signed_payload, &self.roots)?;
        let event = match &payload.data {
            Some(data) if !self.owns_data(data) => Signed::Foreign(Foreign::new(
                &data.bundle_id,
                &data.environment,
                data.app_apple_id,
            )),
            data => self.event(&payload.notification_type, data.as_ref())?,
        };
        Ok(Notification {
            id: payload.notification_uuid,
            signed_at: Timestamp(payload.signed_date),
            event,
        })
    }

    /// What a notification calls itself whose signature holds, and that does not read as documented; `None` for any
    /// other.
    pub fn named(&self, body: &[u8]) -> Option<Named> {
        let body: Body = serde_json::from_slice(body).ok()?;
        let (_, content) = jws::verified(&body.signed_payload, &self.roots).ok()?;
        let content: Value = serde_json::from_slice(&content).unwrap_or_default();
        let name = |pointer: &str| {
            let name = content.pointer(pointer).and_then(Value::as_str);
            name.map(log::code).filter(|name| !name.is_empty())
        };
        Some(Named {
            id: name("/notificationUUID"),
            kind: name("/notificationType"),
            bundle_id: name("/data/bundleId"),
            environment: name("/data/environment"),
        })
    }

    fn owns_data(&self, data: &Data) -> bool {
        self.owns(&data.bundle_id, &data.environment) && self.is_numbered(data.app_apple_id)
    }

    fn event(&self, name: &str, data: Option<&Data>) -> Result<Signed<Event>, JwsError> {
        let event: fn(Transaction) -> Event = match name {
            "ONE_TIME_CHARGE" => Event::Bought,
            "REFUND" | "REVOKE" => Event::Refunded,
            "REFUND_REVERSED" => Event::RefundReversed,
            other => return Ok(Signed::Ours(Event::Other(log::code(other)))),
        };
        let signed = data.and_then(|data| data.signed_transaction_info.as_deref());
        Ok(match self.transaction(signed.ok_or(JwsError::Content)?)? {
            Signed::Ours(transaction) => Signed::Ours(event(transaction)),
            Signed::Foreign(foreign) => Signed::Foreign(foreign),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{another, example};
    use super::*;

    // Apple's own vectors: see testdata/apple/README.md.
    const TEST: &str = include_str!("../../testdata/apple/testNotification");
    const UNDATED: &str = include_str!("../../testdata/apple/wrongBundleId");

    fn body(signed: &str) -> Vec<u8> {
        json!({ "signedPayload": signed.trim() })
            .to_string()
            .into_bytes()
    }

    #[test]
    fn apples_test_notification_is_read() {
        let read = example("Sandbox").notification(&body(TEST)).unwrap();
        assert_eq!(read.id.to_string(), "9ad56bd2-0bc6-42e0-af24-fd996d87a1e6");
        assert_eq!(read.signed_at, Timestamp(1_681_314_324_000));
        assert_eq!(read.event, Signed::Ours(Event::Other("TEST".to_owned())));
    }

    #[test]
    fn another_bundle_and_another_environment_are_foreign() {
        for store in [another(), example("Production")] {
            let read = store.notification(&body(TEST)).unwrap();
            let test = Foreign::new("com.example", "Sandbox", Some(1234));
            assert_eq!(read.event, Signed::Foreign(test));
        }
    }

    #[test]
    fn a_notification_that_does_not_tell_when_is_not_accepted() {
        let read = example("Sandbox").notification(&body(UNDATED));
        assert_eq!(read, Err(NotificationError::Jws(JwsError::Content)));
        let named = example("Sandbox").named(&body(UNDATED)).unwrap();
        assert_eq!(named.bundle_id.as_deref(), Some("com.example.wrong"));
        let forged = UNDATED.trim().replacen('.', ".e", 1);
        assert_eq!(example("Sandbox").named(&body(&forged)), None);
    }

    #[test]
    fn what_is_no_notification_is_malformed() {
        let store = example("Sandbox");
        for broken in ["", "{}", "[]", r#"{"signedPayload":1}"#, TEST] {
            let read = store.notification(broken.as_bytes());
            assert_eq!(read, Err(NotificationError::Malformed), "{broken}");
        }
        assert_eq!(
            store.notification(&body("x")),
            Err(NotificationError::Jws(JwsError::Malformed))
        );
    }
}
