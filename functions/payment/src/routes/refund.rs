//! `/v1/operator/orders/{id}/refund`: giving money back.

use http::StatusCode;
use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody, Violation, request_key};
use shared::operator::Reviewer;
use utoipa::ToSchema;

use crate::error::Error;
use crate::institution::{self, Refunding};
use crate::order::{self, Channel, Order, Status as OrderStatus};
use crate::refund::{self, Amount, NewRefund, Place, Refund, Status};
use crate::settle;

/// What is to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// How much, in fen; what is left of the price if absent.
    #[schema(minimum = 1)]
    amount_fen: Option<i64>,
}

/// Refund an order
///
/// The coins go with the money; where they are spent already, they become a debt, with which nothing can be
/// spent. One refund of an order is made at a time. Calling again with the same `Idempotency-Key` goes on with it;
/// one that was refused is asked for again, under the same number. The sweep asks about those that wait.
#[utoipa::path(post, path = "/v1/operator/orders/{id}/refund", tag = "operators",
    security(("operator" = [])),
    params(("id" = uuid::Uuid, Path), ("Idempotency-Key" = String, Header, min_length = 1, max_length = 255)),
    request_body = RefundRequest,
    responses(
        (status = 200, description = "the money went back", body = Refund),
        (status = 202, description = "it will: call again with the same key, or wait for the institution",
            body = Refund),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`order-not-paid`; `refund-too-much`; `refund-pending`: another one waits, \
            of this `number`; `refund-refused` says the `reason`; `refund-by-apple`: only Apple can; \
            `idempotency-key-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`; `idempotency-key-reused`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`: the money may have gone back or not; call again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    operator: Reviewer,
    Id(id): Id,
    Json(request): Json<RefundRequest>,
) -> Result<Answer, Error> {
    let refund_id = request_key(cx, b"operator")?;
    operator.audit(cx, "order-refund", &id.to_string())?;
    let order = order::find(cx, id)?.ok_or(Error::NotFound)?;
    if order.channel == Channel::Apple {
        return Err(Error::RefundByApple);
    }
    if order.status != OrderStatus::Paid {
        return Err(Error::NotPaid);
    }
    let refund = match refund::find(cx, order.id, &refund_id.simple().to_string())? {
        Some(refund) if refund.status == Status::Failed => reopen(cx, &order, &refund.number)?,
        Some(refund) => refund,
        None => begin(cx, &order, refund_id, request.amount_fen)?,
    };
    let refund = match refund.status {
        Status::Pending => carry_out(cx, &order, refund)?,
        _ => refund,
    };
    match refund.status {
        Status::Succeeded => {
            // Whoever wrote so may have been stopped before the ledger had it.
            settle::balance(cx, &order)?;
            Ok(Answer::ok(&refund))
        }
        Status::Pending => Ok(Answer::json(StatusCode::ACCEPTED, &refund).unfinished()),
        // Somebody was told so in the meantime.
        Status::Failed => Err(Error::RefundRefused("closed")),
    }
}

/// A refund that was refused, waiting again: WeChat, for one, wants it under the number that it had
/// (<https://pay.weixin.qq.com/doc/v3/merchant/4012556457>).
fn reopen(cx: &Context, order: &Order, number: &str) -> Result<Refund, Error> {
    let place = refund::reopen(cx, order.id, number)?;
    placed(cx, order, number, place)
}

fn begin(
    cx: &Context,
    order: &Order,
    id: uuid::Uuid,
    amount_fen: Option<i64>,
) -> Result<Refund, Error> {
    let left = order.amount_fen - order.refunded_fen;
    let fen = amount_fen.unwrap_or(left);
    if amount_fen.is_some_and(|fen| fen < 1) {
        return Err(Error::Invalid(Violation::new("amount_fen", "invalid")));
    }
    if fen > order.amount_fen {
        return Err(Error::RefundTooMuch);
    }
    let number = id.simple().to_string();
    let new = NewRefund {
        id,
        number: &number,
        amount: Amount::Exactly(fen),
        status: Status::Pending,
        happened_at: cx.now(),
    };
    let place = refund::insert(cx, order.id, &new)?;
    placed(cx, order, &number, place)
}

/// The refund in its place, or why it has none: that another one waits says more than that nothing is left beside
/// it. Of two calls with one key at once, both go on with the one refund.
fn placed(cx: &Context, order: &Order, number: &str, place: Place) -> Result<Refund, Error> {
    let refunds = refund::list(cx, order.id)?;
    let (these, others): (Vec<_>, Vec<_>) = refunds
        .into_iter()
        .filter(|refund| refund.status != Status::Failed)
        .partition(|refund| refund.number == number);
    if let Some(refund) = these.into_iter().next() {
        return Ok(refund);
    }
    let waiting = others
        .into_iter()
        .find(|refund| refund.status == Status::Pending)
        .map(|refund| refund.number);
    match (waiting, place) {
        (None, Place::NoneLeft | Place::Taken) => Err(Error::RefundTooMuch),
        (waiting, _) => Err(Error::RefundPending(waiting)),
    }
}

fn carry_out(cx: &Context, order: &Order, refund: Refund) -> Result<Refund, Error> {
    let number = refund.number.clone();
    refund::postpone(cx, order.id, &number)?;
    match institution::refund(cx, order, &refund)? {
        Refunding::Done => {
            let amount = Amount::Exactly(refund.fen);
            // It is known by its number, so it always fits.
            let _ = settle::refunded(cx, order, &number, amount, cx.now())?;
        }
        Refunding::UnderWay | Refunding::NotKnown => {}
        Refunding::Abnormal => settle::abnormal(cx, order, &number)?,
        Refunding::Refused(reason) => {
            refund::fail(cx, order.id, &number)?;
            return Err(Error::RefundRefused(reason));
        }
    }
    refund::find(cx, order.id, &number)?.ok_or(Error::NotFound)
}
