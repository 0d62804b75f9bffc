//! Apple, asked: for transactions only, which is all that it knows.

use shared::http::Context;
use shared::recipient::APPLE;

use super::{not_configured, send, usable};
use crate::apple::{AnswerError, Api, Signed, Store, Transaction};
use crate::error::Error;

const NAME: &str = APPLE.name;

/// Our app in the App Store.
///
/// # Errors
/// [`Error::Unavailable`]: the variables are not set, so nobody buys through Apple here.
pub fn store() -> Result<Store, Error> {
    Store::configured().map_err(|unset| not_configured(NAME, &unset))
}

/// A transaction, by its number.
///
/// # Errors
/// [`Error::TransactionInvalid`]: there is none; [`Error::Unavailable`].
pub fn transaction(cx: &Context, store: &Store, id: &str) -> Result<Signed<Transaction>, Error> {
    let api = Api::configured().map_err(|unset| not_configured(NAME, &unset))?;
    let request = usable(NAME, api.request(store, id, cx.now()))?;
    let answer = send(APPLE, &request)?;
    let transaction = store.answer(&answer).map_err(|error| match error {
        AnswerError::NotFound => Error::TransactionInvalid,
        AnswerError::Unauthorized => Error::unavailable(NAME, "our token is not taken", true),
        AnswerError::Unavailable => Error::unavailable(NAME, "not now", false),
        AnswerError::Malformed => Error::unavailable(NAME, "unreadable answer", false),
        AnswerError::Jws(_) => Error::unavailable(NAME, "answer not signed by Apple", true),
    })?;
    // Apple's signature does not bind an answer to a question.
    match &transaction {
        Signed::Ours(found) if found.transaction_id != id => Err(Error::unavailable(
            NAME,
            "an answer about another transaction",
            true,
        )),
        _ => Ok(transaction),
    }
}
