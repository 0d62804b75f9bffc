//! What the institutions told us, with our verdict (clause D2), and what does not fit, for the operators.
//! Neither has anything of the payer's (clause E27): what is kept is picked, never copied.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shared::crypto::hex;
use shared::http::{Context, PageRequest, Problem};
use shared::log::Level;
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::order::Channel;

statements! {
    /// A notification; one that came before is counted.
    RECORD = "INSERT INTO payment_notifications \
                (channel, notification_id, order_id, verdict, content, deliveries, received_at, last_at) \
              VALUES ($1, $2, $3, $4, $5, 1, $6, $7) \
              ON CONFLICT (channel, notification_id) DO UPDATE SET \
                deliveries = payment_notifications.deliveries + 1, verdict = excluded.verdict, \
                last_at = excluded.last_at";
    /// What does not fit, once.
    KEEP_ANOMALY = "INSERT INTO payment_anomalies \
                      (id, channel, notification_id, reason, order_id, content, created_at) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7) \
                    ON CONFLICT (channel, notification_id, reason) DO NOTHING RETURNING id";
    /// One page of what does not fit.
    LIST_ANOMALIES = "SELECT id, channel, notification_id, reason, order_id, content, created_at \
                      FROM payment_anomalies WHERE id < $1 ORDER BY id DESC LIMIT $2";
}

/// Why something that an institution truly said does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such order.
    UnknownOrder,
    /// It is about another merchant, or another application of ours.
    OtherMerchant,
    /// The order is to be paid elsewhere.
    WrongChannel,
    /// Not the order's amount.
    WrongAmount,
    /// Not in yuan.
    WrongCurrency,
    /// Not the order's product, or not of its kind.
    WrongProduct,
    /// More than one.
    WrongQuantity,
    /// The order has another payment, or the payment another order.
    SecondPayment,
    /// More was given back than was paid.
    RefundExceeds,
    /// The payer's account takes no refund: a person must act in WeChat's console.
    RefundAbnormal,
    /// It was paid, and given back at least in part, of which nobody has told us.
    RefundedElsewhere,
    /// The institution signed it, and it does not read as documented.
    Unreadable,
}

impl Reason {
    /// As it is stored and answered.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownOrder => "unknown-order",
            Self::OtherMerchant => "other-merchant",
            Self::WrongChannel => "wrong-channel",
            Self::WrongAmount => "wrong-amount",
            Self::WrongCurrency => "wrong-currency",
            Self::WrongProduct => "wrong-product",
            Self::WrongQuantity => "wrong-quantity",
            Self::SecondPayment => "second-payment",
            Self::RefundExceeds => "refund-exceeds",
            Self::RefundAbnormal => "refund-abnormal",
            Self::RefundedElsewhere => "refunded-elsewhere",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What came of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A payment was credited, now or before.
    Credited,
    /// A refund was taken from the coins, now or before.
    Refunded,
    /// A refund did not stand.
    Reversed,
    /// An order or a refund ended without money.
    Closed,
    /// A refund waits for a person, which is kept for the operators by the refund's number.
    Abnormal,
    /// Nothing to be done.
    Ignored,
    /// It does not fit.
    Anomaly(Reason),
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::Refunded => "refunded",
            Self::Reversed => "reversed",
            Self::Closed => "closed",
            Self::Abnormal => Reason::RefundAbnormal.name(),
            Self::Ignored => "ignored",
            Self::Anomaly(reason) => reason.name(),
        }
    }
}

/// Something that an institution truly said.
pub struct Told<'a> {
    /// Which institution.
    pub institution: &'static str,
    /// Its name for the notification, the same each time it comes; for an answer, a name of ours.
    pub id: &'a str,
    /// The order, as far as it is one of ours.
    pub order_id: Option<Uuid>,
    /// What it said, without the payer.
    pub content: Value,
}

/// A name for something that was signed and has none of its own, the same each time it comes.
pub fn name_of(signed: &[u8]) -> String {
    format!("sha256-{}", hex(&Sha256::digest(signed)))
}

impl Told<'_> {
    /// Keeps a notification with what came of it. It comes last: what was stopped before comes again.
    ///
    /// # Errors
    /// The database failed; then it is to be told again.
    pub fn record(&self, cx: &Context, verdict: Verdict) -> Result<(), Problem> {
        if let Verdict::Anomaly(reason) = verdict {
            self.keep_anomaly(cx, reason)?;
        }
        cx.sql()?.execute(
            &RECORD,
            &[
                Parameter::text(self.institution),
                Parameter::text(self.id),
                Parameter::optional(self.order_id.map(Parameter::id)),
                Parameter::text(verdict.name()),
                Parameter::text(self.content.to_string()),
                Parameter::time(cx.now()),
                Parameter::time(cx.now()),
            ],
        )?;
        Ok(())
    }

    /// Keeps what does not fit for the operators, and alarms them the first time; but not of another's app in the App
    /// Store, of which anybody who has one can have Apple sign as much as they like.
    ///
    /// # Errors
    /// The database failed; then it is to be told again.
    pub fn keep_anomaly(&self, cx: &Context, reason: Reason) -> Result<(), Problem> {
        let parameters = [
            Parameter::id(cx.new_id()),
            Parameter::text(self.institution),
            Parameter::text(self.id),
            Parameter::text(reason.name()),
            Parameter::optional(self.order_id.map(Parameter::id)),
            Parameter::text(self.content.to_string()),
            Parameter::time(cx.now()),
        ];
        if cx.sql()?.first(&KEEP_ANOMALY, &parameters)?.is_some() {
            let is_anybodys = self.institution == Channel::Apple.institution()
                && matches!(reason, Reason::OtherMerchant);
            let level = match is_anybodys {
                true => Level::Warning,
                false => Level::Alarm,
            };
            let fields = [("reason", reason.name().into())];
            cx.log(level, "payment-anomaly", &fields);
        }
        Ok(())
    }
}

/// What does not fit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentAnomaly)]
pub struct Anomaly {
    /// Its identifier.
    pub id: Uuid,
    /// `alipay`, `wechat-pay` or `apple`.
    institution: String,
    /// The institution's name for the notification; of what it answered, the number of the order, refund or
    /// transaction.
    notification_id: String,
    /// `unknown-order`, `other-merchant`, `wrong-channel`, `wrong-amount`, `wrong-currency`, `wrong-product`, `wrong-quantity`,
    /// `second-payment`, `refund-exceeds`, `refund-abnormal`, `refunded-elsewhere` (credited nothing) or `unreadable`.
    reason: String,
    /// The order, as far as it is one of ours.
    order_id: Option<Uuid>,
    /// What the institution said, without the payer.
    #[schema(value_type = Object)]
    content: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// What does not fit, the newest first: enough rows for the page.
///
/// # Errors
/// The database failed.
pub fn anomalies(cx: &Context, page: PageRequest) -> Result<Vec<Anomaly>, Problem> {
    let parameters = [
        Parameter::text(page.before()),
        Parameter::Integer(page.rows()),
    ];
    let rows = cx.sql()?.query(&LIST_ANOMALIES, &parameters)?;
    let read = |row: &Row| {
        let content: String = row.get("content")?;
        Ok(Anomaly {
            id: row.get("id")?,
            institution: row.get("channel")?,
            notification_id: row.get("notification_id")?,
            reason: row.get("reason")?,
            order_id: row.get("order_id")?,
            content: serde_json::from_str(&content).unwrap_or_default(),
            created_at: row.get("created_at")?,
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, SqlError>>()?)
}
