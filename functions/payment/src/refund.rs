//! Refunds: what was given back of an order's price, and the coins that go with it.

use serde::Serialize;
use shared::http::{Context, Problem};
use shared::sql::{Constraint, Parameter, Row, SqlError, Statement, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

/// How often recording is tried while others record refunds of the same order.
const TRIES: u32 = 8;

/// An order (`$order`), the last ordinal of its refunds, and what they come to: those that happened, and those of
/// the status `$status`. Refunds that did not stand do not count.
macro_rules! refunds_of {
    ($order:literal, $status:literal) => {
        concat!(
            "SELECT o.id, o.coins, o.amount_fen, \
               COALESCE((SELECT MAX(r.ordinal) FROM refunds r WHERE r.order_id = o.id), 0) AS last, \
               CAST(COALESCE((SELECT SUM(r.fen) FROM refunds r WHERE r.order_id = o.id \
                 AND r.status IN ('succeeded', ",
            $status,
            ") AND r.happened_at > COALESCE(o.refund_reversed_at, -1)), 0) AS BIGINT) AS sum_fen, \
               CAST(COALESCE((SELECT SUM(r.coins) FROM refunds r WHERE r.order_id = o.id \
                 AND r.status IN ('succeeded', ",
            $status,
            ") AND r.happened_at > COALESCE(o.refund_reversed_at, -1)), 0) AS BIGINT) AS sum_coins \
             FROM orders o WHERE o.id = ",
            $order
        )
    };
}

statements! {
    /// A refund of an order, if there is so much left of the price. One that happened takes its place beside
    /// those that happened; one that is asked for, also beside those that wait.
    ///
    /// Its coins are what the whole given back so far is worth, less those of the refunds before: so rounding
    /// never adds up. With `$7`, `$6` is the whole given back so far, and the refund what is new in it.
    INSERT = (concat!(
        "INSERT INTO refunds (id, order_id, ordinal, number, fen, coins, status, happened_at, created_at) \
         SELECT CAST($1 AS TEXT), s.id, s.last + 1, CAST($2 AS TEXT), s.fen, \
           s.coins * (s.sum_fen + s.fen) / s.amount_fen - s.sum_coins, CAST($3 AS TEXT), \
           CAST($4 AS BIGINT), CAST($5 AS BIGINT) \
         FROM (SELECT t.id, t.coins, t.amount_fen, t.last, t.sum_fen, t.sum_coins, \
                 CAST($6 AS BIGINT) - CASE WHEN CAST($7 AS BIGINT) = 1 THEN t.sum_fen ELSE 0 END AS fen \
               FROM (",
        refunds_of!("$8", "CAST($3 AS TEXT)"),
        ") t) s WHERE s.fen > 0 AND s.sum_fen + s.fen <= s.amount_fen RETURNING id"
    ));
    /// Asks for a refund that failed once more, if there still is so much left. It is the order's last then, so
    /// that of two at once the second one counts again.
    REOPEN = (concat!(
        "UPDATE refunds SET status = 'pending', happened_at = $1, ordinal = s.last + 1, \
           coins = s.coins * (s.sum_fen + refunds.fen) / s.amount_fen - s.sum_coins \
         FROM (",
        refunds_of!("$2", "'pending'"),
        ") s WHERE refunds.order_id = s.id AND refunds.number = $3 AND refunds.status = 'failed' \
           AND s.sum_fen + refunds.fen <= s.amount_fen RETURNING number"
    ));
    /// One refund of an order.
    FIND = "SELECT id, number, fen, coins, status, happened_at FROM refunds \
            WHERE order_id = $1 AND number = $2";
    /// The order's refunds.
    LIST = "SELECT id, number, fen, coins, status, happened_at FROM refunds WHERE order_id = $1 \
            ORDER BY ordinal";
    /// The money went back.
    SUCCEED = "UPDATE refunds SET status = 'succeeded', happened_at = $1 \
               WHERE order_id = $2 AND number = $3 AND status <> 'succeeded'";
    /// No money went back, and none will.
    FAIL = "UPDATE refunds SET status = 'failed' WHERE order_id = $1 AND number = $2 AND status = 'pending'";
}

/// How a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundStatus)]
pub enum Status {
    /// It was asked for.
    Pending,
    /// The money went back.
    Succeeded,
    /// No money went back.
    Failed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A refund.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OrderRefund)]
pub struct Refund {
    /// Its identifier.
    pub id: Uuid,
    /// Its number at the institution.
    pub number: String,
    /// What goes back, in fen.
    #[serde(rename = "amount_fen")]
    pub fen: i64,
    /// The coins that go with it.
    pub coins: i64,
    /// How it stands.
    pub status: Status,
    /// When it happened, or was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub happened_at: Timestamp,
}

impl Refund {
    fn read(row: &Row) -> Result<Self, SqlError> {
        let status: String = row.get("status")?;
        let known = [Status::Pending, Status::Succeeded, Status::Failed];
        Ok(Self {
            id: row.get("id")?,
            number: row.get("number")?,
            fen: row.get("fen")?,
            coins: row.get("coins")?,
            status: known
                .into_iter()
                .find(|known| known.name() == status)
                .ok_or(SqlError::Mismatch { column: "status" })?,
            happened_at: row.get("happened_at")?,
        })
    }
}

/// How much a refund is.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// So much, in fen.
    Exactly(i64),
    /// What is new, where so much was given back of the whole order until then, in fen.
    UpTo(i64),
}

/// What a new refund is.
pub struct NewRefund<'a> {
    /// Its identifier.
    pub id: Uuid,
    /// Its number at the institution.
    pub number: &'a str,
    /// How much.
    pub amount: Amount,
    /// How it stands.
    pub status: Status,
    /// When it happened, or is asked for.
    pub happened_at: Timestamp,
}

/// Records a refund; whether there was so much left. One that was recorded before, by its number, is left as
/// it is.
///
/// # Errors
/// The database failed.
pub fn insert(cx: &Context, order_id: Uuid, new: &NewRefund) -> Result<bool, Problem> {
    let (fen, is_sum) = match new.amount {
        Amount::Exactly(fen) => (fen, false),
        Amount::UpTo(fen) => (fen, true),
    };
    let parameters = [
        Parameter::id(new.id),
        Parameter::text(new.number),
        Parameter::text(new.status.name()),
        Parameter::time(new.happened_at),
        Parameter::time(cx.now()),
        Parameter::Integer(fen),
        Parameter::flag(is_sum),
        Parameter::id(order_id),
    ];
    take_place(cx, &INSERT, &parameters)
}

/// A refund that failed waits again, if there is so much left; whether there was.
///
/// # Errors
/// The database failed.
pub fn reopen(cx: &Context, order_id: Uuid, number: &str) -> Result<bool, Problem> {
    let parameters = [
        Parameter::time(cx.now()),
        Parameter::id(order_id),
        Parameter::text(number),
    ];
    take_place(cx, &REOPEN, &parameters)
}

/// Runs a statement that gives a refund the order's next ordinal; whether it found that there is so much left.
fn take_place(
    cx: &Context,
    statement: &Statement,
    parameters: &[Parameter],
) -> Result<bool, Problem> {
    for _ in 0..TRIES {
        match cx.sql()?.first(statement, parameters) {
            Ok(row) => return Ok(row.is_some()),
            Err(SqlError::Constraint(Constraint::Unique(name)))
                if name == "refunds_order_id_ordinal_unique" => {}
            Err(SqlError::Constraint(Constraint::Unique(_))) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::unavailable())
}

/// A refund of an order, by its number.
///
/// # Errors
/// The database failed.
pub fn find(cx: &Context, order_id: Uuid, number: &str) -> Result<Option<Refund>, Problem> {
    let parameters = [Parameter::id(order_id), Parameter::text(number)];
    let row = cx.sql()?.first(&FIND, &parameters)?;
    Ok(row.as_ref().map(Refund::read).transpose()?)
}

/// The order's refunds, in their order.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, order_id: Uuid) -> Result<Vec<Refund>, Problem> {
    let rows = cx.sql()?.query(&LIST, &[Parameter::id(order_id)])?;
    Ok(rows.iter().map(Refund::read).collect::<Result<_, _>>()?)
}

/// The money went back.
///
/// # Errors
/// The database failed.
pub fn succeed(cx: &Context, order_id: Uuid, number: &str, at: Timestamp) -> Result<(), Problem> {
    let parameters = [
        Parameter::time(at),
        Parameter::id(order_id),
        Parameter::text(number),
    ];
    Ok(cx.sql()?.execute(&SUCCEED, &parameters)?)
}

/// No money went back, and none will.
///
/// # Errors
/// The database failed.
pub fn fail(cx: &Context, order_id: Uuid, number: &str) -> Result<(), Problem> {
    let parameters = [Parameter::id(order_id), Parameter::text(number)];
    Ok(cx.sql()?.execute(&FAIL, &parameters)?)
}
