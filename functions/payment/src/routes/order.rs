//! `/v1/orders/{id}`: how an order stands, and giving it up.

use shared::http::{Answer, Context, Id, Problem, ProblemBody};
use shared::session::Session;

use super::orders::own;
use crate::error::Error;
use crate::order::{Order, Status};
use crate::refresh;

/// Read an order
///
/// An order that waits for longer than half a minute is asked about at its institution, every ten seconds at
/// most; so is one that was given up and whose order string Alipay may have taken. If the institution does not
/// answer, the order is told as it is known here.
#[utoipa::path(get, path = "/v1/orders/{id}", tag = "payment", security(("session" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = Order),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    let order = own(cx, id, &session)?;
    match refresh::refresh(cx, order.clone()) {
        Ok(order) => Ok(Answer::ok(&order)),
        Err(Error::Unavailable { cause, level }) => {
            cx.log(level, "payment-unavailable", &[("cause", cause.into())]);
            Ok(Answer::ok(&order))
        }
        Err(error) => Err(error),
    }
}

/// Give an order up
///
/// It is closed at its institution first. If it was paid in the meantime, it is answered as `paid`.
#[utoipa::path(post, path = "/v1/orders/{id}/close", tag = "payment", security(("session" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = Order),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`: it may be closed or not; `unavailable`: it could not be \
            closed just now, as its payer may be at it",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn close(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    let order = own(cx, id, &session)?;
    if order.status != Status::Pending {
        return Ok(Answer::ok(&order));
    }
    refresh::close(cx, &order)?;
    let order = refresh::read_again(cx, &order)?;
    if order.status == Status::Pending {
        // The payer is at it, or the institution contradicts itself.
        return Err(Problem::unavailable().into());
    }
    Ok(Answer::ok(&order))
}
