//! From what an institution says to the ledger.
//!
//! First the fact is written to its order, then the ledger is brought into line with the order. Both can be
//! done any number of times, by any number of callers at once: what is repeated after a stop finishes what
//! was begun.

use serde_json::json;
use shared::http::{Context, Problem};
use shared::ledger::{self, Account, Kind, Posting, Refused};
use shared::sql::{Parameter, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::notification::{Reason, Told};
use crate::order::{self, Order};
use crate::refund::{self, Amount, NewRefund, Place, Refund, Status};

statements! {
    /// The refunds that happened until a moment did not stand.
    REVERSE = "UPDATE orders SET refund_reversed_at = $1 \
               WHERE id = $2 AND COALESCE(refund_reversed_at, -1) < $1";
}

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The institution's number of it.
    pub number: String,
    /// How much, in fen; `None` for an amount that is not compared, as Apple's, which is in the store's
    /// currency.
    pub fen: Option<i64>,
}

/// An order was paid: its coins are credited, once. Answers why not, if the payment does not fit.
///
/// # Errors
/// The database or the ledger failed; then it is to be told again.
pub fn paid(cx: &Context, order: &Order, payment: &Payment) -> Result<Result<(), Reason>, Problem> {
    if payment.fen.is_some_and(|fen| fen != order.amount_fen) {
        return Ok(Err(Reason::WrongAmount));
    }
    if !order::bind(cx, order.id, &payment.number)? {
        return Ok(Err(Reason::SecondPayment));
    }
    balance(cx, order)?;
    Ok(Ok(()))
}

/// Money of a paid order went back. Answers why it does not count, if it does not fit.
///
/// # Errors
/// As [`paid`].
pub fn refunded(
    cx: &Context,
    order: &Order,
    number: &str,
    amount: Amount,
    at: Timestamp,
) -> Result<Result<(), Reason>, Problem> {
    let (Amount::Exactly(fen) | Amount::UpTo(fen)) = amount;
    if fen > order.amount_fen {
        return Ok(Err(Reason::RefundExceeds));
    }
    let is_known = refund::find(cx, order.id, number)?.is_some();
    if is_known {
        refund::succeed(cx, order.id, number, at)?;
    }
    // What a known refund's news tell beyond it was begun elsewhere, and has a row of its own.
    let rest = match amount {
        Amount::UpTo(fen) if is_known => Some(format!("{number}-{fen}")),
        _ => None,
    };
    let new = NewRefund {
        id: cx.new_id(),
        number: rest.as_deref().unwrap_or(number),
        amount,
        status: Status::Succeeded,
        happened_at: at,
    };
    // There may be nothing left because the same news came at the same time: then it is known by now.
    let fits = is_settled(cx, order.id, number, amount)?
        || refund::insert(cx, order.id, &new)? == Place::Taken
        || is_settled(cx, order.id, number, amount)?;
    balance(cx, order)?;
    Ok(if fits {
        Ok(())
    } else {
        Err(Reason::RefundExceeds)
    })
}

/// Whether news of a refund is no news: it is known, with all that it tells of. One that did not stand is known
/// for good.
fn is_settled(cx: &Context, order_id: Uuid, number: &str, amount: Amount) -> Result<bool, Problem> {
    let known = refund::find(cx, order_id, number)?;
    let Amount::UpTo(fen) = amount else {
        return Ok(known.is_some());
    };
    let order = standing(cx, order_id)?;
    let reversed_until = order.refund_reversed_at;
    let did_not_stand = |known: &Refund| reversed_until.is_some_and(|at| known.happened_at <= at);
    Ok(order.refunded_fen >= fen || known.is_some_and(|known| did_not_stand(&known)))
}

/// The order as the database has it by now.
fn standing(cx: &Context, order_id: Uuid) -> Result<Order, Problem> {
    order::find(cx, order_id)?.ok_or_else(Problem::internal)
}

/// The refunds of an order that happened until `at` did not stand: their coins come back, also for a refund
/// that is told of only later.
///
/// # Errors
/// As [`paid`].
pub fn reversed(cx: &Context, order: &Order, at: Timestamp) -> Result<(), Problem> {
    let parameters = [Parameter::time(at), Parameter::id(order.id)];
    cx.sql()?.execute(&REVERSE, &parameters)?;
    balance(cx, order)
}

/// Brings the ledger into line with a paid order and its refunds.
///
/// # Errors
/// As [`paid`].
pub fn balance(cx: &Context, order: &Order) -> Result<(), Problem> {
    let buyer = Account::Holder(order.holder);
    post(
        cx,
        order.id,
        Kind::TopUp,
        Account::House,
        buyer,
        order.coins,
    )?;
    order::set_paid(cx, order.id)?;
    let reversed_until = standing(cx, order.id)?.refund_reversed_at;
    for refund in refund::list(cx, order.id)? {
        if refund.status != Status::Succeeded {
            continue;
        }
        let (id, coins) = (refund.id, refund.coins);
        // Of a price of many fen for few coins, a small part can be worth none.
        if coins > 0 {
            post(cx, id, Kind::Refund, buyer, Account::House, coins)?;
            if reversed_until.is_some_and(|until| refund.happened_at <= until) {
                post(cx, id, Kind::RefundReversal, Account::House, buyer, coins)?;
            }
        }
        if refund.is_open {
            refund::set_posted(cx, id)?;
        }
    }
    Ok(())
}

/// A refund that only a person can help on, in WeChat's console: it is kept for the operators, once, whoever says
/// so.
///
/// # Errors
/// As [`paid`].
pub fn abnormal(cx: &Context, order: &Order, number: &str) -> Result<(), Problem> {
    let told = Told {
        institution: order.channel.institution(),
        id: number,
        order_id: Some(order.id),
        content: json!({ "out_refund_no": number }),
    };
    told.keep_anomaly(cx, Reason::RefundAbnormal)
}

fn post(
    cx: &Context,
    reference: Uuid,
    kind: Kind,
    payer: Account,
    payee: Account,
    coins: i64,
) -> Result<(), Problem> {
    let posting = Posting {
        reference,
        kind,
        payer,
        payee,
        coins,
    };
    ledger::post(cx, &posting).map_err(|refused| match refused {
        Refused::Problem(problem) => problem,
        // The house may owe, and so may who is refunded.
        Refused::Insufficient | Refused::Oneself => Problem::internal(),
    })
}
