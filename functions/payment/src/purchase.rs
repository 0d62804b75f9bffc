//! From a transaction in the App Store to its order.

use serde_json::{Value, json};
use shared::http::Context;

use crate::apple::Transaction;
use crate::error::Error;
use crate::notification::Reason;
use crate::order::{self, Channel, Order};
use crate::refund::Amount;
use crate::settle::{self, Payment};

/// The order that a transaction is for: the one that our app gave along, or else the one that it paid before.
///
/// # Errors
/// The database failed.
pub fn order_of(cx: &Context, transaction: &Transaction) -> Result<Option<Order>, Error> {
    Ok(match transaction.app_account_token {
        Some(id) => order::find(cx, id)?,
        None => order::find_by_apple(cx, &transaction.transaction_id)?,
    })
}

/// Credits the order, once; what Apple has given back since is taken again. Answers why not, if the
/// transaction does not fit the order. The price is not compared: it is in the storefront's currency.
///
/// # Errors
/// The database or the ledger failed; then it is to be told again.
pub fn settle(
    cx: &Context,
    order: &Order,
    transaction: &Transaction,
) -> Result<Result<(), Reason>, Error> {
    if let Err(reason) = check(order, transaction) {
        return Ok(Err(reason));
    }
    let payment = Payment {
        number: transaction.transaction_id.clone(),
        fen: None,
    };
    if let Err(reason) = settle::paid(cx, order, &payment)? {
        return Ok(Err(reason));
    }
    let Some(at) = transaction.revoked_at else {
        return Ok(Ok(()));
    };
    let number = format!("{}-{}", transaction.transaction_id, at.as_millis());
    let given_back = Amount::UpTo(transaction.revoked.of(order.amount_fen));
    Ok(settle::refunded(cx, order, &number, given_back, at)?)
}

fn check(order: &Order, transaction: &Transaction) -> Result<(), Reason> {
    if order.channel != Channel::Apple {
        Err(Reason::WrongChannel)
    } else if order.product.as_ref() != Some(&transaction.product_id) || !transaction.is_consumable
    {
        Err(Reason::WrongProduct)
    } else if transaction.quantity != 1 {
        Err(Reason::WrongQuantity)
    } else {
        Ok(())
    }
}

/// What is kept of a transaction; it says nothing of the payer.
pub fn content(transaction: &Transaction) -> Value {
    json!({
        "transaction_id": transaction.transaction_id,
        "product_id": transaction.product_id,
        "quantity": transaction.quantity,
        "app_account_token": transaction.app_account_token,
        "revoked_at": transaction.revoked_at,
    })
}
