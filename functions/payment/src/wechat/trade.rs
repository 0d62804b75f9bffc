//! What WeChat tells of orders and refunds. Only what is needed is read: who paid is not kept (clause E27).
//! Fields are those of `wechatpay-go`'s `services/payments` and `services/refunddomestic`. Amounts are in
//! fen.

use serde::Deserialize;
use shared::time::Timestamp;

/// An order that was announced.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Prepaid {
    /// With what the payment is called up, for two hours.
    pub prepay_id: String,
}

/// What became of an order.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TransactionFields")]
pub struct Transaction {
    /// The merchant.
    pub mchid: String,
    /// The app or official account.
    pub appid: String,
    /// Our number of the order.
    pub out_trade_no: String,
    /// Where it stands.
    pub trade_state: TradeState,
    /// How it was paid; never `None` in [`TradeState::Success`].
    pub payment: Option<Payment>,
}

/// A payment that was made.
#[derive(Debug, PartialEq, Eq)]
pub struct Payment {
    /// WeChat's number of it.
    pub transaction_id: String,
    /// When.
    pub success_time: Timestamp,
    /// How much.
    pub amount: Amount,
}

/// An order's price.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Amount {
    /// In the currency's smallest unit.
    pub total: i64,
    /// Where none comes it is `CNY`, the only one that merchants on the mainland may use.
    #[serde(default = "cny")]
    pub currency: String,
}

fn cny() -> String {
    "CNY".to_owned()
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TradeState {
    /// Paid.
    Success,
    /// Paid, and at least partly refunded, or about to be.
    Refund,
    /// Not paid yet.
    #[serde(rename = "NOTPAY")]
    NotPay,
    /// Closed without a payment.
    Closed,
    /// Revoked (orders that are paid by showing a code only).
    Revoked,
    /// The payer is at it (orders that are paid by showing a code only).
    #[serde(rename = "USERPAYING")]
    UserPaying,
    /// The payment failed (orders that are paid by showing a code only).
    #[serde(rename = "PAYERROR")]
    PayError,
    /// Something that was not documented when this was written.
    #[serde(other)]
    Unknown,
}

/// What became of a refund, as a query tells it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// WeChat's number of it.
    pub refund_id: String,
    /// Ours.
    pub out_refund_no: String,
    /// The order's.
    pub out_trade_no: String,
    /// Where it stands.
    pub status: RefundStatus,
    /// How much.
    pub amount: RefundAmount,
}

/// What became of a refund, as a notification tells it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct RefundNotice {
    /// The merchant.
    pub mchid: String,
    /// Our number of the order.
    pub out_trade_no: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// WeChat's.
    pub refund_id: String,
    /// How it ended.
    pub refund_status: RefundStatus,
    /// How much.
    pub amount: RefundAmount,
}

/// Of an order's price, what a refund gives back.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct RefundAmount {
    /// The order's price.
    pub total: i64,
    /// What is given back.
    pub refund: i64,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    /// The money is back.
    Success,
    /// It ended without giving anything back.
    Closed,
    /// It goes on.
    Processing,
    /// The payer's account takes nothing: a person must act in WeChat's console.
    Abnormal,
    /// Something that was not documented when this was written.
    #[serde(other)]
    Unknown,
}

/// A point in time in RFC 3339.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Moment(pub Timestamp);

impl TryFrom<String> for Moment {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        let moment: jiff::Timestamp = text.parse()?;
        Ok(Self(Timestamp(moment.as_millisecond())))
    }
}

/// A transaction as it comes: how it was paid stands there once it is.
#[derive(Deserialize)]
struct TransactionFields {
    mchid: String,
    appid: String,
    out_trade_no: String,
    trade_state: TradeState,
    transaction_id: Option<String>,
    success_time: Option<Moment>,
    amount: Option<Amount>,
}

impl TryFrom<TransactionFields> for Transaction {
    type Error = &'static str;

    fn try_from(fields: TransactionFields) -> Result<Self, Self::Error> {
        let payment = match (fields.transaction_id, fields.success_time, fields.amount) {
            (Some(transaction_id), Some(Moment(success_time)), Some(amount)) => Some(Payment {
                transaction_id,
                success_time,
                amount,
            }),
            _ if fields.trade_state == TradeState::Success => {
                return Err("a success that does not tell how it was paid");
            }
            _ => None,
        };
        Ok(Self {
            mchid: fields.mchid,
            appid: fields.appid,
            out_trade_no: fields.out_trade_no,
            trade_state: fields.trade_state,
            payment,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn paid() -> Value {
        json!({
            "amount": { "currency": "CNY", "payer_currency": "CNY", "payer_total": 100, "total": 100 },
            "appid": "wxd678efh567hg6787",
            "attach": "",
            "bank_type": "CMC",
            "mchid": "1230000109",
            "out_trade_no": "1217752501201407033233368018",
            "payer": { "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" },
            "promotion_detail": [],
            "success_time": "2018-06-08T10:34:56+08:00",
            "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功",
            "trade_type": "APP",
            "transaction_id": "1217752501201407033233368018",
        })
    }

    fn without(mut fields: Value, name: &str) -> Value {
        fields.as_object_mut().unwrap().remove(name).unwrap();
        fields
    }

    fn read(fields: Value) -> Result<Transaction, serde_json::Error> {
        serde_json::from_value(fields)
    }

    #[test]
    fn a_payment_is_read_without_its_payer() {
        let transaction = read(paid()).unwrap();
        assert!(!format!("{transaction:?}").contains("oUpF8"));
        let expected = Transaction {
            mchid: "1230000109".to_owned(),
            appid: "wxd678efh567hg6787".to_owned(),
            out_trade_no: "1217752501201407033233368018".to_owned(),
            trade_state: TradeState::Success,
            payment: Some(Payment {
                transaction_id: "1217752501201407033233368018".to_owned(),
                success_time: Timestamp(1_528_425_296_000),
                amount: Amount {
                    total: 100,
                    currency: "CNY".to_owned(),
                },
            }),
        };
        assert_eq!(transaction, expected);
    }

    #[test]
    fn a_success_tells_how_it_was_paid() {
        for name in ["transaction_id", "success_time", "amount"] {
            let fields = without(paid(), name);
            assert!(read(fields.clone()).is_err(), "{name}");
            let mut closed = fields;
            closed["trade_state"] = json!("CLOSED");
            assert_eq!(read(closed).unwrap().payment, None);
        }
        let mut refunded = paid();
        refunded["trade_state"] = json!("REFUND");
        assert!(read(refunded).unwrap().payment.is_some());
    }

    #[test]
    fn what_is_no_amount_or_time_is_refused() {
        for total in [
            json!(1.5),
            json!("100"),
            json!(1e3),
            json!(u64::MAX),
            json!(null),
        ] {
            let mut fields = paid();
            fields["amount"]["total"] = total;
            assert!(read(fields.clone()).is_err(), "{fields}");
        }
        for time in [
            "",
            "yesterday",
            "2018-06-08 10:34:56",
            "2018-06-08T10:34:56",
        ] {
            let mut fields = paid();
            fields["success_time"] = json!(time);
            assert!(read(fields).is_err(), "{time}");
        }
        for name in ["mchid", "appid", "out_trade_no", "trade_state"] {
            assert!(read(without(paid(), name)).is_err(), "{name}");
        }
    }

    #[test]
    fn the_currency_is_the_mainland_s_unless_told() {
        let currency = |amount: Value| {
            let amount: Amount = serde_json::from_value(amount).unwrap();
            amount.currency
        };
        assert_eq!(currency(json!({ "total": 1 })), "CNY");
        assert_eq!(currency(json!({ "total": 1, "currency": "HKD" })), "HKD");
    }

    #[test]
    fn states_are_read_by_their_documented_names() {
        for (name, state) in [
            ("SUCCESS", TradeState::Success),
            ("REFUND", TradeState::Refund),
            ("NOTPAY", TradeState::NotPay),
            ("CLOSED", TradeState::Closed),
            ("REVOKED", TradeState::Revoked),
            ("USERPAYING", TradeState::UserPaying),
            ("PAYERROR", TradeState::PayError),
            ("ACCEPT", TradeState::Unknown),
        ] {
            assert_eq!(
                serde_json::from_value::<TradeState>(json!(name)).unwrap(),
                state
            );
        }
        for (name, status) in [
            ("SUCCESS", RefundStatus::Success),
            ("CLOSED", RefundStatus::Closed),
            ("PROCESSING", RefundStatus::Processing),
            ("ABNORMAL", RefundStatus::Abnormal),
            ("success", RefundStatus::Unknown),
        ] {
            assert_eq!(
                serde_json::from_value::<RefundStatus>(json!(name)).unwrap(),
                status
            );
        }
    }
}
