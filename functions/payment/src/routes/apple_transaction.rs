//! `/v1/orders/{id}/apple-transaction`: what the app bought in the App Store.

use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody, Violation};
use shared::log::Level;
use shared::rate_limit::{self, Limit};
use shared::session::Session;
use shared::variables;
use utoipa::ToSchema;
use uuid::Uuid;

use super::orders::own;
use crate::apple::{JwsError, Signed, Transaction, is_transaction_id};
use crate::error::Error;
use crate::institution::apple;
use crate::notification::{Reason, Told};
use crate::order::{Channel, Order};
use crate::{purchase, refresh};

/// A transaction: either of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppleTransaction {
    /// As the App Store signed it: StoreKit's `jwsRepresentation`.
    signed_transaction: Option<String>,
    /// Its number, with which the App Store is asked.
    #[schema(example = "2000000123456789")]
    transaction_id: Option<String>,
}

/// Submit a purchase
///
/// The transaction must carry the order's `id` as its `appAccountToken`: one that leads to no order is kept for the
/// operators. Again, it changes nothing.
#[utoipa::path(post, path = "/v1/orders/{id}/apple-transaction", tag = "payment",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path)),
    request_body = AppleTransaction,
    responses(
        (status = 200, description = "the order, credited", body = Order),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`transaction-mismatch` says the `reason`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`; `transaction-invalid`: not the App Store's, or not \
            our app's", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`: to be sent again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn submit(
    cx: &Context,
    session: Session,
    Id(id): Id,
    Json(request): Json<AppleTransaction>,
) -> Result<Answer, Error> {
    let order = own(cx, id, &session)?;
    // Verifying costs us time, and asking Apple a call.
    let allowed = variables::parsed("orders_per_hour")?;
    let subject = session.account_id.as_bytes();
    let _spent = rate_limit::take(
        cx,
        [Limit::per_hour("apple-transactions", subject, allowed)],
    )?;
    let transaction = transaction(cx, &request)?;
    if transaction.app_account_token != Some(order.id) {
        // Where it leads to another order, that is where it will be credited.
        if purchase::order_of(cx, &transaction)?.is_none() {
            keep(cx, None, &transaction, Reason::UnknownOrder)?;
        }
        return Err(Error::TransactionMismatch("other-order"));
    }
    if let Err(reason) = purchase::settle(cx, &order, &transaction)? {
        keep(cx, Some(order.id), &transaction, reason)?;
        return Err(Error::TransactionMismatch(reason.name()));
    }
    Ok(Answer::ok(&refresh::read_again(cx, &order)?))
}

fn transaction(cx: &Context, request: &AppleTransaction) -> Result<Transaction, Error> {
    let store = apple::store()?;
    let invalid = |field: &str, code| Error::Invalid(Violation::new(field, code));
    let transaction = match (&request.signed_transaction, &request.transaction_id) {
        (Some(signed), None) => store
            .transaction(signed)
            .map_err(|error| refused(cx, error))?,
        (None, Some(id)) if is_transaction_id(id) => apple::transaction(cx, &store, id)?,
        (None, Some(_)) => return Err(invalid("transaction_id", "invalid")),
        (None, None) => return Err(invalid("signed_transaction", "missing")),
        (Some(_), Some(_)) => return Err(invalid("transaction_id", "unknown")),
    };
    match transaction {
        Signed::Ours(transaction) => Ok(transaction),
        Signed::Foreign(_) => Err(Error::TransactionInvalid),
    }
}

fn refused(cx: &Context, error: JwsError) -> Error {
    let cause = format!("{error:?}");
    cx.log(
        Level::Warning,
        "apple-transaction-refused",
        &[("cause", cause.into())],
    );
    Error::TransactionInvalid
}

/// The person has paid for something, so an operator must see it.
fn keep(
    cx: &Context,
    order_id: Option<Uuid>,
    transaction: &Transaction,
    reason: Reason,
) -> Result<(), Error> {
    let told = Told {
        institution: Channel::Apple.institution(),
        id: &transaction.transaction_id,
        order_id,
        content: purchase::content(transaction),
    };
    Ok(told.keep_anomaly(cx, reason)?)
}
