//! What WeChat posts to us: signed JSON with an encrypted resource, as `core/notify/notify.go` of
//! `wechatpay-go` reads it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::log;
use shared::time::Timestamp;

use super::resource::Resource;
use super::trade::Moment;
use super::{Headers, Merchant, RefundNotice, RefundStatus, TradeState, Transaction, Unproven};

/// Why a notification is not accepted. Nothing may change because of one.
#[derive(Debug)]
pub enum NotificationError {
    /// It cannot be taken for WeChat's.
    Unproven(Unproven),
    /// WeChat's, but not a notification that reads as documented.
    Malformed,
    /// WeChat's, but not encrypted as documented, or not with our APIv3 key.
    Undecryptable,
}

impl From<Unproven> for NotificationError {
    fn from(unproven: Unproven) -> Self {
        Self::Unproven(unproven)
    }
}

/// A notification that WeChat signed. It may be one that came before: what is done because of it must be
/// fit to be done again. And it may be another merchant's: see [`Merchant::owns_transaction`] and
/// [`Merchant::owns_refund`].
#[derive(Debug, PartialEq, Eq)]
pub struct Notification {
    /// WeChat's name for it; the same when it comes again.
    pub id: String,
    /// When WeChat made it.
    pub create_time: Option<Timestamp>,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// An order was paid (`TRANSACTION.SUCCESS`).
    Transaction(Transaction),
    /// A refund ended (`REFUND.SUCCESS`, `REFUND.ABNORMAL`, `REFUND.CLOSED`).
    Refund(RefundNotice),
    /// Something else, by its `event_type` as far as that looks like one. It is not decrypted.
    Other(String),
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    create_time: Option<Moment>,
    event_type: String,
    resource: Resource,
}

impl Merchant {
    /// Reads a notification once its signature over the raw `body` holds.
    ///
    /// # Errors
    /// See [`NotificationError`].
    pub fn notification(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Notification, NotificationError> {
        self.verify(headers, body, now)?;
        let envelope: Envelope = read(body)?;
        Ok(Notification {
            event: self.event(&envelope.event_type, &envelope.resource)?,
            id: envelope.id,
            create_time: envelope.create_time.map(|Moment(time)| time),
        })
    }

    fn event(&self, event_type: &str, resource: &Resource) -> Result<Event, NotificationError> {
        let refund_status = match event_type {
            "TRANSACTION.SUCCESS" => {
                let transaction: Transaction = self.content(resource, "transaction")?;
                let is_paid = transaction.trade_state == TradeState::Success;
                return is_paid
                    .then_some(Event::Transaction(transaction))
                    .ok_or(NotificationError::Malformed);
            }
            "REFUND.SUCCESS" => RefundStatus::Success,
            "REFUND.ABNORMAL" => RefundStatus::Abnormal,
            "REFUND.CLOSED" => RefundStatus::Closed,
            other => return Ok(Event::Other(log::code(other))),
        };
        let notice: RefundNotice = self.content(resource, "refund")?;
        if notice.refund_status != refund_status {
            return Err(NotificationError::Malformed);
        }
        Ok(Event::Refund(notice))
    }

    fn content<T: DeserializeOwned>(
        &self,
        resource: &Resource,
        original_type: &str,
    ) -> Result<T, NotificationError> {
        if resource.original_type != original_type {
            return Err(NotificationError::Malformed);
        }
        let plain = self
            .decrypt(resource)
            .ok_or(NotificationError::Undecryptable)?;
        read(&plain)
    }
}

/// What a notification calls itself, as far as that looks like names. For what is kept of one that WeChat signed
/// and that does not read as documented.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// See [`Notification::id`].
    pub id: Option<String>,
    /// Such as `REFUND.SUCCESS`.
    pub event_type: Option<String>,
}

impl Named {
    /// Reads what there is.
    pub fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let name = |member: &str| {
            let name = body.get(member).and_then(Value::as_str).map(log::code);
            name.filter(|name| !name.is_empty())
        };
        Self {
            id: name("id"),
            event_type: name("event_type"),
        }
    }
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, NotificationError> {
    serde_json::from_slice(json).map_err(|_| NotificationError::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::resource::tests::encrypted;
    use super::super::tests::{NOW, PLATFORM_SERIAL, configured_with, merchant, signed_by_wechat};
    use super::super::{PLATFORM_KEYS, RefundAmount};
    use super::*;

    type Outcome = Result<Notification, NotificationError>;

    fn envelope(event_type: &str, original_type: &str, content: &Value) -> Value {
        json!({
            "id": "EV-2018022511223320873",
            "create_time": "2015-05-20T13:29:35+08:00",
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": "支付成功",
            "resource": {
                "original_type": original_type,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": encrypted(content.to_string().as_bytes(), *b"fdasflkja484", original_type),
                "associated_data": original_type,
                "nonce": "fdasflkja484",
            },
        })
    }

    fn transaction() -> Value {
        json!({
            "mchid": "1900000001", "appid": "wx8888888888888888", "out_trade_no": "123456",
            "transaction_id": "4200", "trade_state": "SUCCESS", "success_time": "2018-06-08T10:34:56+08:00",
            "payer": { "openid": "oUpF8" }, "amount": { "total": 600, "currency": "CNY" },
        })
    }

    fn refund(status: &str) -> Value {
        json!({
            "mchid": "1900000001", "out_trade_no": "123456", "transaction_id": "4200",
            "out_refund_no": "r1", "refund_id": "5000", "refund_status": status,
            "user_received_account": "招商银行信用卡0403",
            "amount": { "total": 600, "refund": 200, "payer_total": 600, "payer_refund": 200 },
        })
    }

    fn paid() -> Value {
        envelope("TRANSACTION.SUCCESS", "transaction", &transaction())
    }

    fn post(body: &[u8]) -> Outcome {
        let text = [b"1624523846\nn\n", body, b"\n"].concat();
        let signature = signed_by_wechat(&text);
        let headers = Headers {
            timestamp: Some("1624523846"),
            nonce: Some("n"),
            signature: Some(&signature),
            serial: Some(PLATFORM_SERIAL),
        };
        merchant().notification(&headers, body, NOW)
    }

    fn post_json(body: &Value) -> Outcome {
        post(body.to_string().as_bytes())
    }

    fn changed(pointer: &str, value: Value) -> Value {
        let mut body = paid();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    }

    macro_rules! assert_refused {
        ($result:expr, $error:ident) => {
            let result = $result;
            assert!(
                matches!(result, Err(NotificationError::$error)),
                "{result:?}"
            );
        };
    }

    // clause E27
    #[test]
    fn a_payment_is_read_without_its_payer() {
        let notification = post_json(&paid()).unwrap();
        assert_eq!(notification.id, "EV-2018022511223320873");
        assert_eq!(notification.create_time, Some(Timestamp(1_432_099_775_000)));
        assert!(!format!("{notification:?}").contains("oUpF8"));
        let Event::Transaction(transaction) = notification.event else {
            panic!("{notification:?}");
        };
        assert_eq!(transaction.payment.as_ref().unwrap().amount.total, 600);
        assert!(merchant().owns_transaction(&transaction));
    }

    #[test]
    fn a_refund_is_read_as_it_ended() {
        for (event_type, status, expected) in [
            ("REFUND.SUCCESS", "SUCCESS", RefundStatus::Success),
            ("REFUND.ABNORMAL", "ABNORMAL", RefundStatus::Abnormal),
            ("REFUND.CLOSED", "CLOSED", RefundStatus::Closed),
        ] {
            let notification = post_json(&envelope(event_type, "refund", &refund(status)));
            let Event::Refund(notice) = notification.unwrap().event else {
                panic!("{event_type}");
            };
            assert!(!format!("{notice:?}").contains("0403"));
            assert!(merchant().owns_refund(&notice));
            let amount = RefundAmount {
                total: 600,
                refund: 200,
            };
            assert_eq!((notice.refund_status, notice.amount), (expected, amount));
            let other = RefundNotice {
                mchid: "1900000002".to_owned(),
                ..serde_json::from_value(refund(status)).unwrap()
            };
            assert!(!merchant().owns_refund(&other));
        }
    }

    #[test]
    fn an_event_and_its_content_match() {
        for body in [
            envelope("REFUND.SUCCESS", "refund", &refund("CLOSED")),
            envelope("REFUND.CLOSED", "refund", &refund("SUCCESS")),
            envelope("REFUND.SUCCESS", "transaction", &refund("SUCCESS")),
            envelope("REFUND.SUCCESS", "refund", &transaction()),
            envelope("TRANSACTION.SUCCESS", "refund", &transaction()),
            envelope("TRANSACTION.SUCCESS", "transaction", &refund("SUCCESS")),
            changed("/resource/original_type", json!("refund")),
        ] {
            assert_refused!(post_json(&body), Malformed);
        }
        let mut unpaid = transaction();
        unpaid["trade_state"] = json!("CLOSED");
        let body = envelope("TRANSACTION.SUCCESS", "transaction", &unpaid);
        assert_refused!(post_json(&body), Malformed);
    }

    /// The notification in `wechatpay-go`'s `core/notify/notify_test.go`; see `signature`. Its key has 16
    /// bytes, so only its signature can be taken as an example.
    #[test]
    fn an_event_that_we_do_not_know_is_named() {
        let keys =
            json!({ "D7CE59D1F522D701": include_str!("../../testdata/wechatpay-go-public.pem") });
        let merchant = configured_with(&[(PLATFORM_KEYS, &keys.to_string())]).unwrap();
        let signature = include_str!("../../testdata/wechatpay-go-notification.sig");
        let headers = Headers {
            timestamp: Some("1624523846"),
            nonce: Some("EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz"),
            signature: Some(signature.trim_end()),
            serial: Some("D7CE59D1F522D701"),
        };
        let body = include_bytes!("../../testdata/wechatpay-go-notification.json");
        let notification = merchant.notification(&headers, body, NOW).unwrap();
        assert_eq!(notification.id, "3119dfba-e649-5eec-ab1e-3412bc4d2e17");
        assert_eq!(
            notification.event,
            Event::Other("PAYSCORE.USER_OPEN_SERVICE".to_owned())
        );
    }

    #[test]
    fn associated_data_may_be_empty_or_missing() {
        let content = transaction().to_string();
        let ciphertext = encrypted(content.as_bytes(), *b"fdasflkja484", "");
        for associated_data in [json!(""), json!(null)] {
            let mut body = changed("/resource/ciphertext", json!(ciphertext));
            body["resource"]["associated_data"] = associated_data;
            assert!(post_json(&body).is_ok());
        }
        let mut body = changed("/resource/ciphertext", json!(ciphertext));
        body["resource"]
            .as_object_mut()
            .unwrap()
            .remove("associated_data");
        assert!(post_json(&body).is_ok());
    }

    #[test]
    fn what_our_key_does_not_open_is_told_apart() {
        let ciphertext = paid()["resource"]["ciphertext"]
            .as_str()
            .unwrap()
            .to_owned();
        for (pointer, value) in [
            ("/resource/algorithm", "AEAD_AES_128_GCM"),
            ("/resource/nonce", "fdasflkja48"),
            ("/resource/nonce", "fdasflkja485"),
            ("/resource/nonce", "创人脉创"),
            ("/resource/associated_data", "refund"),
            ("/resource/ciphertext", ""),
            ("/resource/ciphertext", "AAAA"),
            ("/resource/ciphertext", "?"),
            ("/resource/ciphertext", &ciphertext[4..]),
            ("/resource/ciphertext", &ciphertext[..ciphertext.len() - 3]),
        ] {
            assert_refused!(post_json(&changed(pointer, json!(value))), Undecryptable);
        }
    }

    #[test]
    fn what_does_not_read_as_documented_is_malformed() {
        let text = paid().to_string();
        let twice = text.replacen('{', r#"{"id":"other","#, 1);
        let deep = format!(r#"{{"id":{}"#, "[".repeat(100_000));
        for body in ["", "{}", "null", "<html>", &text[1..], &twice, &deep] {
            assert_refused!(post(body.as_bytes()), Malformed);
        }
        assert_refused!(post(b"\xb4\xb4"), Malformed);
        for (pointer, value) in [
            ("/id", json!(1)),
            ("/create_time", json!("yesterday")),
            ("/event_type", json!(null)),
            ("/resource", json!([])),
            ("/resource/nonce", json!(1)),
        ] {
            assert_refused!(post_json(&changed(pointer, value)), Malformed);
        }
        let garbage = encrypted(b"\xff{", *b"fdasflkja484", "transaction");
        let body = changed("/resource/ciphertext", json!(garbage));
        assert_refused!(post_json(&body), Malformed);
    }

    #[test]
    fn what_cannot_be_read_is_named_as_far_as_it_has_names() {
        let named = |body: &[u8]| Named::read(body);
        let body = changed("/resource", json!([])).to_string();
        let expected = Named {
            id: Some("EV-2018022511223320873".to_owned()),
            event_type: Some("TRANSACTION.SUCCESS".to_owned()),
        };
        assert_eq!(named(body.as_bytes()), expected);
        let deep = format!(r#"{{"id":{}"#, "[".repeat(100_000));
        for body in ["", "[]", r#"{"id":1,"event_type":"创"}"#, &deep] {
            assert_eq!(named(body.as_bytes()), Named::default());
        }
    }

    #[test]
    fn nothing_is_read_before_the_signature_holds() {
        let headers = Headers {
            timestamp: None,
            nonce: None,
            signature: None,
            serial: None,
        };
        let result = merchant().notification(&headers, b"<html>", NOW);
        assert!(matches!(
            result,
            Err(NotificationError::Unproven(Unproven::Unsigned))
        ));
    }
}
