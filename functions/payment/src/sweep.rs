//! What is due to be looked at, though nobody asks: refunds that wait, and orders that have expired.
//!
//! A look is three steps, in this order: the next look is moved, the institution is asked, and what it says is written
//! as if it had been told. So an order that cannot be looked at, or at which this component dies, holds up no other; a
//! stop anywhere leaves the next look; and of two sweeps at once, one looks.

use std::time::{Duration, Instant};

use shared::chain::Part;
use shared::http::{Context, Problem};

use crate::error::Error;
use crate::institution::{self, Refunding};
use crate::refund::{self, Amount, Status};
use crate::{order, refresh, settle};

/// How many refunds, and how many orders, one call looks at.
const AT_ONCE: usize = 20;
/// After so long no further look is begun: one may take several times eight seconds, and who asks for all of them
/// waits twenty.
const ENOUGH: Duration = Duration::from_secs(4);
/// A refund of which the institution knows nothing so long after it was asked for never arrived there.
const LOST: Duration = Duration::from_secs(60 * 60);

/// Looks at some of what is due.
///
/// # Errors
/// The database failed.
pub fn part(cx: &Context) -> Result<Part, Problem> {
    let begun = Instant::now();
    let is_time_left = || begun.elapsed() < ENOUGH;
    let most = i64::try_from(AT_ONCE + 1).expect("a small number");
    let (refunds, orders) = (refund::due(cx, most)?, order::due(cx, most)?);
    let due = refunds.len() + orders.len();
    let mut done = 0;
    for refund in refunds.iter().take(AT_ONCE).take_while(|_| is_time_left()) {
        survive(cx, look_at_refund(cx, refund));
        done += 1;
    }
    for order in orders.iter().take(AT_ONCE).take_while(|_| is_time_left()) {
        survive(cx, look_at_order(cx, order));
        done += 1;
    }
    Ok(Part {
        done,
        more: done < due,
    })
}

/// What could not be looked at now comes again.
fn survive(cx: &Context, looked: Result<(), Error>) {
    if let Err(error) = looked {
        Problem::from(error).log(cx);
    }
}

fn look_at_order(cx: &Context, due: &order::Due) -> Result<(), Error> {
    if !order::take_look(cx, due)? {
        return Ok(());
    }
    let order = order::find(cx, due.id)?.ok_or(Error::NotFound)?;
    refresh::look(cx, &order)
}

fn look_at_refund(cx: &Context, due: &refund::Due) -> Result<(), Error> {
    let Some(look) = refund::take_look(cx, due)? else {
        return Ok(());
    };
    let order = order::find(cx, due.order_id)?.ok_or(Error::NotFound)?;
    if due.status == Status::Succeeded {
        return Ok(settle::balance(cx, &order)?);
    }
    let found = refund::find(cx, order.id, &due.number)?;
    let refund = found.ok_or(Error::NotFound)?;
    match institution::ask_refund(cx, &order, &refund)? {
        Refunding::Done => {
            let amount = Amount::Exactly(refund.fen);
            // It is known by its number, so it always fits.
            let _ = settle::refunded(cx, &order, &refund.number, amount, cx.now())?;
        }
        Refunding::UnderWay => {}
        Refunding::NotKnown if cx.now() < refund.happened_at.plus(LOST) => {}
        Refunding::NotKnown => refund::give_up(cx, due, &look)?,
        Refunding::Abnormal => settle::abnormal(cx, &order, &refund.number)?,
        Refunding::Refused(_) => refund::fail(cx, order.id, &refund.number)?,
    }
    Ok(())
}
