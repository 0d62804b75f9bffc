//! Alipay, asked.

use shared::alipay::App;
use shared::http::Context;
use shared::random;
use shared::recipient::ALIPAY;
use shared::variables;

use super::{Closing, Pay, Refunding, Standing, refused_otherwise, send, usable};
use crate::alipay::{Failure, Status, close, order_string, query, refund, refund_query};
use crate::error::Error;
use crate::order::Order;
use crate::refund::Refund;
use crate::settle::Payment;

const NAME: &str = ALIPAY.name;
const NOTIFY_URL: &str = "alipay_notify_url";
/// What the payer reads.
const SUBJECT: &str = "创人脉金币";

pub(super) fn begin(cx: &Context, app: &App, order: &Order) -> Result<Pay, Error> {
    let number = order.number();
    let notify_url = usable(NAME, variables::required(NOTIFY_URL))?;
    let described = crate::alipay::Order {
        out_trade_no: &number,
        subject: SUBJECT,
        amount_fen: order.amount_fen,
        expires_at: order.expires_at,
        notify_url: &notify_url,
    };
    let order_string = order_string(app, &described, cx.now(), &mut random::host());
    let order_string = usable(NAME, order_string)?;
    Ok(Pay::Alipay { order_string })
}

/// A trade that Alipay does not know comes to be when the payer acts, which the order string allows until
/// the order expires.
pub(super) fn ask(cx: &Context, app: &App, order: &Order) -> Result<Standing, Error> {
    let number = order.number();
    let request = usable(
        NAME,
        query::request(app, &number, cx.now(), &mut random::host()),
    )?;
    let answer = send(ALIPAY, &request)?;
    match query::answer(app, &number, answer.body()).map_err(failed)? {
        query::Outcome::Trade(trade) => Ok(match trade.status {
            Status::Success | Status::Finished => Standing::Paid(Payment {
                number: trade.trade_no,
                fen: Some(trade.total_fen),
            }),
            Status::Waiting => Standing::Unpaid,
            // Never paid, or paid and given back in full: of that, the notification tells.
            Status::Closed => Standing::Closed,
        }),
        query::Outcome::NotExist => Ok(Standing::Unpaid),
    }
}

pub(super) fn close(cx: &Context, app: &App, order: &Order) -> Result<Closing, Error> {
    let number = order.number();
    let request = usable(
        NAME,
        close::request(app, &number, cx.now(), &mut random::host()),
    )?;
    let answer = send(ALIPAY, &request)?;
    match close::answer(app, &number, answer.body()).map_err(failed)? {
        close::Outcome::Closed | close::Outcome::NotExist => Ok(Closing::Closed),
        close::Outcome::NotWaiting => Ok(Closing::NotWaiting),
    }
}

pub(super) fn refund(
    cx: &Context,
    app: &App,
    order: &Order,
    asked: &Refund,
) -> Result<Refunding, Error> {
    let number = order.number();
    let described = described(&number, asked);
    let request = usable(
        NAME,
        refund::request(app, &described, cx.now(), &mut random::host()),
    )?;
    let answer = send(ALIPAY, &request)?;
    match refund::answer(app, &described, answer.body()).map_err(failed)? {
        refund::Outcome::Done { .. } => Ok(Refunding::Done),
        refund::Outcome::Unknown => ask_refund(cx, app, order, asked),
        refund::Outcome::Refused(reason) => {
            let refused = match reason {
                refund::Reason::BalanceTooLow => return Ok(Refunding::Refused("balance-too-low")),
                refund::Reason::Frozen => return Ok(Refunding::Refused("frozen")),
                refund::Reason::NotPaid => return Ok(Refunding::Refused("not-paid")),
                refund::Reason::NotRefundable => "not-refundable",
                refund::Reason::Closed => "closed",
                refund::Reason::TooMuch => "too-much",
                refund::Reason::OtherAmount => "other-amount",
                refund::Reason::Other(codes) => {
                    refused_otherwise(cx, NAME, &codes);
                    "other"
                }
            };
            // This very refund may be why: it went through, and we did not hear of it.
            match ask_refund(cx, app, order, asked)? {
                Refunding::NotKnown => Ok(Refunding::Refused(refused)),
                known => Ok(known),
            }
        }
    }
}

/// Alipay knows of a refund once it is done.
pub(super) fn ask_refund(
    cx: &Context,
    app: &App,
    order: &Order,
    asked: &Refund,
) -> Result<Refunding, Error> {
    let number = order.number();
    let described = described(&number, asked);
    let request = refund_query::request(app, &described, cx.now(), &mut random::host());
    let answer = send(ALIPAY, &usable(NAME, request)?)?;
    match refund_query::answer(app, &described, answer.body()).map_err(failed)? {
        refund_query::Outcome::Done => Ok(Refunding::Done),
        refund_query::Outcome::NotYet => Ok(Refunding::NotKnown),
        refund_query::Outcome::OtherAmount => Ok(Refunding::Refused("other-amount")),
    }
}

fn described<'a>(out_trade_no: &'a str, asked: &'a Refund) -> refund::Refund<'a> {
    refund::Refund {
        out_trade_no,
        out_request_no: &asked.number,
        amount_fen: asked.fen,
    }
}

fn failed(failure: Failure) -> Error {
    Error::unavailable(NAME, &failure.cause(), failure.needs_people())
}
