//! A purchase: `JWSTransactionDecodedPayload`
//! (<https://developer.apple.com/documentation/appstoreserverapi/jwstransactiondecodedpayload>).

use serde::Deserialize;
use shared::time::Timestamp;
use uuid::Uuid;

use super::jws::{self, Dated, JwsError};
use super::{Signed, Store};

/// The kind of product that coins are.
const CONSUMABLE: &str = "Consumable";
const MAX_ID: usize = 64;

/// A purchase of our app's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Apple's number of it: 1 to 64 digits.
    pub transaction_id: String,
    /// What was bought.
    pub product_id: String,
    /// Whether that is something that can be bought again and again.
    pub is_consumable: bool,
    /// How many of it.
    pub quantity: i64,
    /// What our app gave along: the order. Purchases outside of our app have none.
    pub app_account_token: Option<Uuid>,
    /// When Apple gave the money back, or took the right back.
    pub revoked_at: Option<Timestamp>,
    /// When Apple said all this.
    pub signed_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    transaction_id: String,
    bundle_id: String,
    environment: String,
    product_id: String,
    #[serde(rename = "type")]
    kind: String,
    quantity: i64,
    app_account_token: Option<Uuid>,
    revocation_date: Option<i64>,
    signed_date: i64,
}

impl Dated for Payload {
    fn signed_date(&self) -> i64 {
        self.signed_date
    }
}

impl Store {
    /// Reads a transaction that the App Store has signed.
    ///
    /// # Errors
    /// See [`JwsError`].
    pub fn transaction(&self, signed: &str) -> Result<Signed<Transaction>, JwsError> {
        let payload: Payload = jws::read(signed, &self.roots)?;
        if !self.owns(&payload.bundle_id, &payload.environment, None) {
            return Ok(Signed::Foreign);
        }
        let is_id = is_transaction_id(&payload.transaction_id);
        let transaction = Transaction {
            transaction_id: payload.transaction_id,
            product_id: payload.product_id,
            is_consumable: payload.kind == CONSUMABLE,
            quantity: payload.quantity,
            app_account_token: payload.app_account_token,
            revoked_at: payload.revocation_date.map(Timestamp),
            signed_at: Timestamp(payload.signed_date),
        };
        is_id
            .then_some(Signed::Ours(transaction))
            .ok_or(JwsError::Content)
    }
}

/// Whether a text looks like Apple's number of a transaction: it goes into a column and an address.
pub fn is_transaction_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_ids_are_digits() {
        assert!(is_transaction_id("2000000123456789"));
        for broken in ["", "20 00", "2000/../x", &"1".repeat(65)] {
            assert!(!is_transaction_id(broken), "{broken}");
        }
    }
}
