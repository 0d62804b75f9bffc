//! What nobody told us: an order is asked about at its institution.

use std::time::Duration;

use shared::http::Context;

use crate::error::Error;
use crate::institution::{self, Closing, Standing};
use crate::notification::{Reason, Told};
use crate::order::{self, Channel, Order, Status};
use crate::settle;

/// A notification may be on its way for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// For so long after its end an order that was closed here may turn out to be paid at Alipay.
const HINDSIGHT: Duration = Duration::from_secs(60 * 60);

/// The order as it stands now. The institution is asked if the order has waited for half a minute and nobody
/// has asked in the last ten seconds; if it has expired, it is closed there first. An order that was given up
/// is asked about, too, as long as its order string may have been paid with.
///
/// # Errors
/// [`Error::Unavailable`], or the database failed. The order is as it was then.
pub fn refresh(cx: &Context, order: Order) -> Result<Order, Error> {
    let may_be_paid = match order.status {
        Status::Pending => true,
        Status::Closed => {
            order.channel == Channel::AlipayApp && cx.now() < order.expires_at.plus(HINDSIGHT)
        }
        Status::Paid => false,
    };
    let is_due = may_be_paid && cx.now() >= order.created_at.plus(PATIENCE);
    if !is_due || !order::take_question(cx, order.id)? {
        return Ok(order);
    }
    look(cx, &order)?;
    read_again(cx, &order)
}

/// Asks about an order that is not paid, and credits it or, if it has expired, closes it: there first, and then
/// here. One whose payment is known is credited without asking: that was begun, and stopped.
///
/// # Errors
/// As [`refresh`].
pub fn look(cx: &Context, order: &Order) -> Result<(), Error> {
    if order.is_bound {
        return Ok(settle::balance(cx, order)?);
    }
    let standing = institution::ask(cx, order)?;
    match (&standing, order.status) {
        (Standing::Unpaid, Status::Pending) if order.is_open(cx.now()) => Ok(()),
        (Standing::Unpaid, Status::Pending) => close(cx, order),
        // Given up before: there is nothing to be closed.
        (Standing::Unpaid, _) => Ok(order::set_closed(cx, order.id)?),
        _ => end(cx, order, &standing),
    }
}

/// Closes a pending order at its institution and then here. One that is, or turns out to be, paid is credited.
///
/// # Errors
/// As [`refresh`].
pub fn close(cx: &Context, order: &Order) -> Result<(), Error> {
    if order.is_bound {
        return Ok(settle::balance(cx, order)?);
    }
    let closing = institution::close(cx, order)?;
    let standing = match closing {
        Closing::Closed => Standing::Closed,
        Closing::NotWaiting => institution::ask(cx, order)?,
    };
    end(cx, order, &standing)
}

/// What the institution says ends the order, if it says anything. What does not fit is kept for the operators and
/// credits nothing; the order is closed, so that nobody asks for ever.
fn end(cx: &Context, order: &Order, standing: &Standing) -> Result<(), Error> {
    match standing {
        Standing::Paid(payment) => {
            if let Err(reason) = settle::paid(cx, order, payment)? {
                keep(cx, order, reason, Some(&payment.number))?;
                order::set_closed(cx, order.id)?;
            }
        }
        Standing::Refunded => {
            keep(cx, order, Reason::RefundedElsewhere, None)?;
            order::set_closed(cx, order.id)?;
        }
        Standing::Closed => order::set_closed(cx, order.id)?,
        Standing::Unpaid => {}
    }
    Ok(())
}

/// The order as the database has it by now.
///
/// # Errors
/// The database failed.
pub fn read_again(cx: &Context, order: &Order) -> Result<Order, Error> {
    order::find(cx, order.id)?.ok_or(Error::NotFound)
}

fn keep(cx: &Context, order: &Order, reason: Reason, payment: Option<&str>) -> Result<(), Error> {
    let told = Told {
        institution: order.channel.institution(),
        id: &order.number(),
        order_id: Some(order.id),
        content: serde_json::json!({ "answer": "query", "payment": payment }),
    };
    Ok(told.keep_anomaly(cx, reason)?)
}
