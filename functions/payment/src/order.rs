//! Orders: what was ordered, and whether it was paid for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::http::{Context, PageRequest, Problem};
use shared::sql::{Constraint, Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::look;
use crate::package::Package;

/// How long an order can be paid.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// The institution is asked no more often than this about one order.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(10);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.holder, o.package, o.coins, o.amount_fen, o.channel, o.status, o.product, o.created_at, o.expires_at, o.paid_at, \
               o.refund_reversed_at, \
               CAST(CASE WHEN o.provider_id IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_bound, \
               CAST(COALESCE((SELECT SUM(r.fen) FROM refunds r WHERE r.order_id = o.id \
                 AND r.status = 'succeeded' AND r.happened_at > COALESCE(o.refund_reversed_at, -1)), 0) \
                 AS BIGINT) AS refunded_fen \
             FROM orders o ",
            $rest
        )
    };
}

statements! {
    /// An order. The same call again changes nothing.
    INSERT = "INSERT INTO orders (id, holder, request, package, coins, amount_fen, channel, product, status, \
                created_at, expires_at, asked_at, look_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10, $11, $12) \
              ON CONFLICT (request) DO NOTHING";
    /// The order of a call.
    FIND_BY_REQUEST = (select!("WHERE o.request = $1"));
    /// One order.
    FIND = (select!("WHERE o.id = $1"));
    /// The order with this payment.
    FIND_BY_PAYMENT = (select!("WHERE o.channel = $1 AND o.provider_id = $2"));
    /// One order of a person's.
    FIND_OWN = (select!("JOIN wallets w ON w.holder = o.holder WHERE o.id = $1 AND w.account_id = $2"));
    /// One page of a person's orders.
    LIST = (select!("JOIN wallets w ON w.holder = o.holder WHERE w.account_id = $1 AND o.id < $2 \
                     ORDER BY o.id DESC LIMIT $3"));
    /// Binds a payment to the order, if no other one is. Until it is credited, the order is looked at soon: nobody may
    /// tell again.
    BIND = "UPDATE orders SET provider_id = $1, \
              look_at = CASE WHEN status = 'paid' THEN look_at ELSE CAST($2 AS BIGINT) END \
            WHERE id = $3 AND (provider_id IS NULL OR provider_id = $1) RETURNING id";
    /// It is paid, even if it was closed.
    SET_PAID = "UPDATE orders SET status = 'paid', paid_at = $1, look_at = NULL \
                WHERE id = $2 AND status <> 'paid'";
    /// Nobody will pay it. Until it expires, Alipay's order string can be paid all the same: so it is looked at then.
    SET_CLOSED = "UPDATE orders SET status = 'closed', \
                    look_at = CASE WHEN channel = 'alipay-app' AND expires_at > $1 THEN look_at END \
                  WHERE id = $2 AND status <> 'paid' AND provider_id IS NULL";
    /// Takes the right to ask the institution.
    TAKE_QUESTION = "UPDATE orders SET asked_at = $1 WHERE id = $2 AND status <> 'paid' \
                     AND asked_at <= $3 RETURNING id";
    /// What is to be looked at.
    DUE = "SELECT id, expires_at, look_at FROM orders WHERE look_at <= $1 ORDER BY look_at LIMIT $2";
    /// Takes the right to look at it.
    TAKE_LOOK = "UPDATE orders SET look_at = $1 WHERE id = $2 AND look_at = $3 RETURNING id";
}

/// By which institution, and where, an order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// In Alipay's app.
    AlipayApp,
    /// In WeChat, from our app.
    WechatApp,
    /// In a page within WeChat.
    WechatJsapi,
    /// In the App Store.
    Apple,
}

const CHANNELS: [Channel; 4] = [
    Channel::AlipayApp,
    Channel::WechatApp,
    Channel::WechatJsapi,
    Channel::Apple,
];

impl Channel {
    /// As it is stored and answered.
    pub fn name(self) -> &'static str {
        match self {
            Self::AlipayApp => "alipay-app",
            Self::WechatApp => "wechat-app",
            Self::WechatJsapi => "wechat-jsapi",
            Self::Apple => "apple",
        }
    }

    /// The institution's name in the list of notifications.
    pub fn institution(self) -> &'static str {
        match self {
            Self::AlipayApp => "alipay",
            Self::WechatApp | Self::WechatJsapi => "wechat-pay",
            Self::Apple => "apple",
        }
    }
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderStatus)]
pub enum Status {
    /// Not paid yet, as far as is known.
    Pending,
    /// Paid: the coins are credited.
    Paid,
    /// It shall not be paid any more. A payment that slips through is credited all the same.
    Closed,
}

/// An order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Order {
    /// Its identifier.
    pub id: Uuid,
    /// Whose it is.
    #[serde(skip)]
    pub holder: Uuid,
    /// Which package.
    #[schema(example = "coins-60")]
    pub package: String,
    /// The price in fen.
    pub amount_fen: i64,
    /// What is bought.
    pub coins: i64,
    /// Where it is paid.
    pub channel: Channel,
    /// The product in the App Store, for an order that is paid there: a package's may change later.
    #[serde(skip)]
    pub product: Option<String>,
    /// How it stands.
    pub status: Status,
    /// Whether a payment is known to have been made.
    #[serde(skip)]
    pub is_bound: bool,
    /// What was given back of the price, in fen.
    pub refunded_fen: i64,
    /// The refunds that happened until then did not stand.
    #[serde(skip)]
    pub refund_reversed_at: Option<Timestamp>,
    /// When it was ordered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Until when it can be paid.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When the payment was credited.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paid_at: Option<Timestamp>,
}

impl Order {
    /// The order's number at the institutions: letters and digits only, which all of them take.
    pub fn number(&self) -> String {
        self.id.simple().to_string()
    }

    /// Whether it could still be paid.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == Status::Pending && now < self.expires_at
    }

    fn read(row: &Row) -> Result<Self, SqlError> {
        let channel: String = row.get("channel")?;
        let status: String = row.get("status")?;
        Ok(Self {
            id: row.get("id")?,
            holder: row.get("holder")?,
            package: row.get("package")?,
            amount_fen: row.get("amount_fen")?,
            coins: row.get("coins")?,
            channel: CHANNELS
                .into_iter()
                .find(|known| known.name() == channel)
                .ok_or(SqlError::Mismatch { column: "channel" })?,
            status: match status.as_str() {
                "pending" => Status::Pending,
                "paid" => Status::Paid,
                "closed" => Status::Closed,
                _ => return Err(SqlError::Mismatch { column: "status" }),
            },
            product: row.get("product")?,
            is_bound: row.get::<i64>("is_bound")? == 1,
            refunded_fen: row.get("refunded_fen")?,
            refund_reversed_at: row.get("refund_reversed_at")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            paid_at: row.get("paid_at")?,
        })
    }
}

/// Orders a package. The same `request` again answers the first order.
///
/// # Errors
/// The database failed.
pub fn create(
    cx: &Context,
    request: Uuid,
    holder: Uuid,
    package: &Package,
    channel: Channel,
) -> Result<Order, Problem> {
    let id = cx.new_id();
    let product = (channel == Channel::Apple).then_some(package.apple_product_id.as_str());
    cx.sql()?.execute(
        &INSERT,
        &[
            Parameter::id(id),
            Parameter::id(holder),
            Parameter::id(request),
            Parameter::text(package.id.as_str()),
            Parameter::Integer(package.coins),
            Parameter::Integer(package.amount_fen),
            Parameter::text(channel.name()),
            Parameter::optional(product.map(Parameter::text)),
            Parameter::time(cx.now()),
            Parameter::time(cx.now().plus(LIFETIME)),
            Parameter::time(cx.now()),
            Parameter::time(look::first(cx.now().plus(LIFETIME))),
        ],
    )?;
    let row = cx
        .sql()?
        .first(&FIND_BY_REQUEST, &[Parameter::id(request)])?;
    Ok(Order::read(&row.ok_or_else(Problem::internal)?)?)
}

/// An order, whoever's it is.
///
/// # Errors
/// The database failed.
pub fn find(cx: &Context, id: Uuid) -> Result<Option<Order>, Problem> {
    let row = cx.sql()?.first(&FIND, &[Parameter::id(id)])?;
    Ok(row.as_ref().map(Order::read).transpose()?)
}

/// The order that an institution names.
///
/// # Errors
/// The database failed.
pub fn find_by_number(cx: &Context, number: &str) -> Result<Option<Order>, Problem> {
    match Uuid::try_parse(number) {
        Ok(id) if id.simple().to_string() == number => find(cx, id),
        _ => Ok(None),
    }
}

/// The order of a payment in the App Store.
///
/// # Errors
/// The database failed.
pub fn find_by_apple(cx: &Context, transaction_id: &str) -> Result<Option<Order>, Problem> {
    let parameters = [
        Parameter::text(Channel::Apple.name()),
        Parameter::text(transaction_id),
    ];
    let row = cx.sql()?.first(&FIND_BY_PAYMENT, &parameters)?;
    Ok(row.as_ref().map(Order::read).transpose()?)
}

/// An order of this account's.
///
/// # Errors
/// The database failed.
pub fn find_own(cx: &Context, id: Uuid, account_id: Uuid) -> Result<Option<Order>, Problem> {
    let parameters = [Parameter::id(id), Parameter::id(account_id)];
    let row = cx.sql()?.first(&FIND_OWN, &parameters)?;
    Ok(row.as_ref().map(Order::read).transpose()?)
}

/// The account's orders, the newest first: enough rows for the page.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, account_id: Uuid, page: PageRequest) -> Result<Vec<Order>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(account_id),
            Parameter::text(page.before()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    Ok(rows.iter().map(Order::read).collect::<Result<_, _>>()?)
}

/// Binds a payment to an order for good; whether it is bound. An order has one payment, and a payment one
/// order.
///
/// # Errors
/// The database failed.
pub fn bind(cx: &Context, id: Uuid, payment: &str) -> Result<bool, Problem> {
    let parameters = [
        Parameter::text(payment),
        Parameter::time(look::first(cx.now())),
        Parameter::id(id),
    ];
    match cx.sql()?.first(&BIND, &parameters) {
        Ok(row) => Ok(row.is_some()),
        Err(SqlError::Constraint(Constraint::Unique(_))) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The order is paid and credited.
///
/// # Errors
/// The database failed.
pub fn set_paid(cx: &Context, id: Uuid) -> Result<(), Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::id(id)];
    Ok(cx.sql()?.execute(&SET_PAID, &parameters)?)
}

/// The order is closed, if it has no payment.
///
/// # Errors
/// The database failed.
pub fn set_closed(cx: &Context, id: Uuid) -> Result<(), Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::id(id)];
    Ok(cx.sql()?.execute(&SET_CLOSED, &parameters)?)
}

/// An order that is to be looked at.
pub struct Due {
    /// Its identifier.
    pub id: Uuid,
    expires_at: Timestamp,
    look_at: Timestamp,
}

/// The orders that are to be looked at, those first that have waited longest; `most` at most.
///
/// # Errors
/// The database failed.
pub fn due(cx: &Context, most: i64) -> Result<Vec<Due>, Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::Integer(most)];
    let rows = cx.sql()?.query(&DUE, &parameters)?;
    let read = |row: &Row| {
        Ok(Due {
            id: row.get("id")?,
            expires_at: row.get("expires_at")?,
            look_at: row.get("look_at")?,
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, SqlError>>()?)
}

/// Takes the right to look at an order now, which moves the next look; whether nobody else had it.
///
/// # Errors
/// The database failed.
pub fn take_look(cx: &Context, due: &Due) -> Result<bool, Problem> {
    let parameters = [
        Parameter::time(look::next(due.expires_at, cx.now())),
        Parameter::id(due.id),
        Parameter::time(due.look_at),
    ];
    Ok(cx.sql()?.first(&TAKE_LOOK, &parameters)?.is_some())
}

/// Whether the institution may be asked now: of many who read one order, one asks every ten seconds.
///
/// # Errors
/// The database failed.
pub fn take_question(cx: &Context, id: Uuid) -> Result<bool, Problem> {
    let parameters = [
        Parameter::time(cx.now()),
        Parameter::id(id),
        Parameter::time(cx.now().minus(BETWEEN_QUESTIONS)),
    ];
    Ok(cx.sql()?.first(&TAKE_QUESTION, &parameters)?.is_some())
}
