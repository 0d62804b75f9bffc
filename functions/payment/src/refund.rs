//! Refunds: what was given back of an order's price, and the coins that go with it.

use serde::Serialize;
use shared::http::{Context, Problem};
use shared::sql::{Constraint, Parameter, Row, SqlError, Statement, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::look;

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

/// The coins of a refund (`$fen`) beside those of `s`: what the whole given back so far is worth, less those of the
/// refunds before. So rounding does not add up; where two that did not know of each other took more than that, the
/// next one takes none.
macro_rules! coins_of {
    ($fen:literal) => {
        concat!(
            "CASE WHEN s.coins * (s.sum_fen + ",
            $fen,
            ") / s.amount_fen > s.sum_coins THEN s.coins * (s.sum_fen + ",
            $fen,
            ") / s.amount_fen - s.sum_coins ELSE 0 END"
        )
    };
}

statements! {
    /// A refund of an order, if there is so much left of the price. One that happened takes its place beside
    /// those that happened; one that is asked for, also beside those that wait.
    ///
    /// With `$8`, `$7` is the whole given back so far, and the refund what is new in it.
    INSERT = (concat!(
        "INSERT INTO refunds \
           (id, order_id, ordinal, number, fen, coins, status, happened_at, created_at, look_at) \
         SELECT CAST($1 AS TEXT), s.id, s.last + 1, CAST($2 AS TEXT), s.fen, ",
        coins_of!("s.fen"),
        ", CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) \
         FROM (SELECT t.id, t.coins, t.amount_fen, t.last, t.sum_fen, t.sum_coins, \
                 CAST($7 AS BIGINT) - CASE WHEN CAST($8 AS BIGINT) = 1 THEN t.sum_fen ELSE 0 END AS fen \
               FROM (",
        refunds_of!("$9", "CAST($3 AS TEXT)"),
        ") t) s WHERE s.fen > 0 AND s.sum_fen + s.fen <= s.amount_fen RETURNING id"
    ));
    /// Asks for a refund that failed once more, if there still is so much left. It is the order's last then, so
    /// that of two at once the second one counts again.
    REOPEN = (concat!(
        "UPDATE refunds SET status = 'pending', happened_at = $1, look_at = $2, ordinal = s.last + 1, coins = ",
        coins_of!("refunds.fen"),
        " FROM (",
        refunds_of!("$3", "'pending'"),
        ") s WHERE refunds.order_id = s.id AND refunds.number = $4 AND refunds.status = 'failed' \
           AND s.sum_fen + refunds.fen <= s.amount_fen RETURNING number"
    ));
    /// One refund of an order.
    FIND = "SELECT id, number, fen, coins, status, happened_at, look_at FROM refunds \
            WHERE order_id = $1 AND number = $2";
    /// The order's refunds.
    LIST = "SELECT id, number, fen, coins, status, happened_at, look_at FROM refunds WHERE order_id = $1 \
            ORDER BY ordinal";
    /// The money went back. Until that is in the ledger, too, it is looked at again.
    SUCCEED = "UPDATE refunds SET status = 'succeeded', happened_at = $1, look_at = $2 \
               WHERE order_id = $3 AND number = $4 AND status <> 'succeeded'";
    /// It is in the ledger.
    SET_POSTED = "UPDATE refunds SET look_at = NULL WHERE id = $1 AND status = 'succeeded'";
    /// No money went back, and none will.
    FAIL = "UPDATE refunds SET status = 'failed', look_at = NULL \
            WHERE order_id = $1 AND number = $2 AND status = 'pending'";
    /// The same, if nobody has asked for it since it was looked at.
    GIVE_UP = "UPDATE refunds SET status = 'failed', look_at = NULL \
               WHERE order_id = $1 AND number = $2 AND status = 'pending' AND look_at = $3";
    /// It is being asked for: nobody shall look at it meanwhile.
    POSTPONE = "UPDATE refunds SET look_at = $1 WHERE order_id = $2 AND number = $3 AND status = 'pending'";
    /// What is to be looked at.
    DUE = "SELECT order_id, number, status, happened_at, look_at FROM refunds WHERE look_at <= $1 \
           ORDER BY look_at LIMIT $2";
    /// Takes the right to look at it.
    TAKE_LOOK = "UPDATE refunds SET look_at = $1 WHERE order_id = $2 AND number = $3 AND look_at = $4 RETURNING id";
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

    fn read(row: &Row) -> Result<Self, SqlError> {
        let name: String = row.get("status")?;
        let known = [Self::Pending, Self::Succeeded, Self::Failed];
        let known = known.into_iter().find(|known| known.name() == name);
        known.ok_or(SqlError::Mismatch { column: "status" })
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
    /// Whether it is not in the ledger yet, if it is to be there.
    #[serde(skip)]
    pub is_open: bool,
}

impl Refund {
    fn read(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.get("id")?,
            number: row.get("number")?,
            fen: row.get("fen")?,
            coins: row.get("coins")?,
            status: Status::read(row)?,
            happened_at: row.get("happened_at")?,
            is_open: row.get::<Option<Timestamp>>("look_at")?.is_some(),
        })
    }
}

/// A refund that is to be looked at.
pub struct Due {
    /// Whose it is.
    pub order_id: Uuid,
    /// Its number at the institution.
    pub number: String,
    /// How it stands.
    pub status: Status,
    happened_at: Timestamp,
    look_at: Timestamp,
}

impl Due {
    fn read(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            order_id: row.get("order_id")?,
            number: row.get("number")?,
            status: Status::read(row)?,
            happened_at: row.get("happened_at")?,
            look_at: row.get("look_at")?,
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

/// What came of giving a refund its place among the order's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It has it, now or before.
    Taken,
    /// There is not so much left.
    NoneLeft,
    /// It would wait, and another one waits.
    OneWaits,
}

/// Records a refund. One that was recorded before, by its number, is left as it is.
///
/// # Errors
/// The database failed.
pub fn insert(cx: &Context, order_id: Uuid, new: &NewRefund) -> Result<Place, Problem> {
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
        Parameter::time(look::first(cx.now())),
        Parameter::Integer(fen),
        Parameter::flag(is_sum),
        Parameter::id(order_id),
    ];
    take_place(cx, &INSERT, &parameters)
}

/// A refund that failed waits again.
///
/// # Errors
/// The database failed.
pub fn reopen(cx: &Context, order_id: Uuid, number: &str) -> Result<Place, Problem> {
    let parameters = [
        Parameter::time(cx.now()),
        Parameter::time(look::first(cx.now())),
        Parameter::id(order_id),
        Parameter::text(number),
    ];
    take_place(cx, &REOPEN, &parameters)
}

/// Runs a statement that gives a refund the order's next ordinal.
fn take_place(
    cx: &Context,
    statement: &Statement,
    parameters: &[Parameter],
) -> Result<Place, Problem> {
    for _ in 0..TRIES {
        match cx.sql()?.first(statement, parameters) {
            Ok(Some(_)) => return Ok(Place::Taken),
            Ok(None) => return Ok(Place::NoneLeft),
            Err(SqlError::Constraint(Constraint::Unique(name))) => match name.as_str() {
                "refunds_order_id_ordinal_unique" => {}
                "refunds_order_id_unique" => return Ok(Place::OneWaits),
                _ => return Ok(Place::Taken),
            },
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

/// The money went back. [`set_posted`] follows.
///
/// # Errors
/// The database failed.
pub fn succeed(cx: &Context, order_id: Uuid, number: &str, at: Timestamp) -> Result<(), Problem> {
    let parameters = [
        Parameter::time(at),
        Parameter::time(look::first(cx.now())),
        Parameter::id(order_id),
        Parameter::text(number),
    ];
    Ok(cx.sql()?.execute(&SUCCEED, &parameters)?)
}

/// The ledger has it.
///
/// # Errors
/// The database failed.
pub fn set_posted(cx: &Context, id: Uuid) -> Result<(), Problem> {
    Ok(cx.sql()?.execute(&SET_POSTED, &[Parameter::id(id)])?)
}

/// No money went back, and none will.
///
/// # Errors
/// The database failed.
pub fn fail(cx: &Context, order_id: Uuid, number: &str) -> Result<(), Problem> {
    let parameters = [Parameter::id(order_id), Parameter::text(number)];
    Ok(cx.sql()?.execute(&FAIL, &parameters)?)
}

/// It is about to be asked for at the institution, and is not to be looked at before the answer is there.
///
/// # Errors
/// The database failed.
pub fn postpone(cx: &Context, order_id: Uuid, number: &str) -> Result<(), Problem> {
    let parameters = [
        Parameter::time(look::first(cx.now())),
        Parameter::id(order_id),
        Parameter::text(number),
    ];
    Ok(cx.sql()?.execute(&POSTPONE, &parameters)?)
}

/// The refunds that are to be looked at, those first that have waited longest; `most` at most.
///
/// # Errors
/// The database failed.
pub fn due(cx: &Context, most: i64) -> Result<Vec<Due>, Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::Integer(most)];
    let rows = cx.sql()?.query(&DUE, &parameters)?;
    Ok(rows.iter().map(Due::read).collect::<Result<_, _>>()?)
}

/// The right to look at a refund now, which moves the next look; `None` if somebody else has it.
///
/// # Errors
/// The database failed.
pub fn take_look(cx: &Context, due: &Due) -> Result<Option<Look>, Problem> {
    // What only our ledger lacks need not wait for anybody.
    let next = match due.status {
        Status::Pending => look::next(due.happened_at, cx.now()),
        Status::Succeeded | Status::Failed => look::first(cx.now()),
    };
    let parameters = [
        Parameter::time(next),
        Parameter::id(due.order_id),
        Parameter::text(due.number.as_str()),
        Parameter::time(due.look_at),
    ];
    let taken = cx.sql()?.first(&TAKE_LOOK, &parameters)?;
    Ok(taken.map(|_| Look { next }))
}

/// The right to look at a refund.
pub struct Look {
    next: Timestamp,
}

/// The institution knows of no such refund: it fails, unless somebody has asked for it since this look began.
///
/// # Errors
/// The database failed.
pub fn give_up(cx: &Context, due: &Due, look: &Look) -> Result<(), Problem> {
    let parameters = [
        Parameter::id(due.order_id),
        Parameter::text(due.number.as_str()),
        Parameter::time(look.next),
    ];
    Ok(cx.sql()?.execute(&GIVE_UP, &parameters)?)
}
