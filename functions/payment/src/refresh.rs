//! What nobody told us: an order is asked about at its institution.

use std::time::Duration;

use shared::http::Context;

use crate::error::Error;
use crate::institution::{self, Closing, Standing};
use crate::notification::{Reason, Told};
use crate::order::{self, Channel, Order, Status};
use crate::settle::{self, Payment};

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
    match institution::ask(cx, &order)? {
        Standing::Paid(payment) => pay(cx, &order, &payment)?,
        Standing::Closed => order::set_closed(cx, order.id)?,
        Standing::Unpaid if order.is_open(cx.now()) || order.status == Status::Closed => {}
        Standing::Unpaid => close(cx, &order)?,
    }
    read_again(cx, &order)
}

/// Closes a pending order at its institution and then here. One that turns out to be paid is credited.
///
/// # Errors
/// As [`refresh`].
pub fn close(cx: &Context, order: &Order) -> Result<(), Error> {
    let closing = institution::close(cx, order)?;
    let standing = match closing {
        Closing::Closed => Standing::Closed,
        Closing::NotWaiting => institution::ask(cx, order)?,
    };
    match standing {
        Standing::Paid(payment) => pay(cx, order, &payment),
        Standing::Closed => Ok(order::set_closed(cx, order.id)?),
        Standing::Unpaid => Ok(()),
    }
}

/// The order as the database has it by now.
///
/// # Errors
/// The database failed.
pub fn read_again(cx: &Context, order: &Order) -> Result<Order, Error> {
    order::find(cx, order.id)?.ok_or(Error::NotFound)
}

fn pay(cx: &Context, order: &Order, payment: &Payment) -> Result<(), Error> {
    if let Err(reason) = settle::paid(cx, order, payment)? {
        keep(cx, order, reason, &payment.number)?;
    }
    Ok(())
}

fn keep(cx: &Context, order: &Order, reason: Reason, payment: &str) -> Result<(), Error> {
    let told = Told {
        institution: order.channel.institution(),
        id: &order.number(),
        order_id: Some(order.id),
        content: serde_json::json!({ "answer": "query", "payment": payment }),
    };
    Ok(told.keep_anomaly(cx, reason)?)
}
