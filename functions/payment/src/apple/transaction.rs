//! A purchase: `JWSTransactionDecodedPayload`
//! (<https://developer.apple.com/documentation/appstoreserverapi/jwstransactiondecodedpayload>).

use serde::Deserialize;
use shared::time::Timestamp;
use uuid::Uuid;

use super::jws::{self, Dated, JwsError};
use super::{Foreign, Signed, Store};

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
    /// How much of it, once that happened.
    pub revoked: Share,
    /// When Apple said all this.
    pub signed_at: Timestamp,
}

/// A part of a purchase, in milliunits of a percent: `revocationPercentage`
/// (<https://developer.apple.com/documentation/appstoreservernotifications/revocationpercentage>). Refunds of
/// consumables can be prorated by what was consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Share(i64);

impl Share {
    /// 100 %, which is meant where no percentage comes.
    pub const ALL: Self = Self(100_000);

    /// This part of an amount that is not negative. Apple rounds the percentage, so that is undone by rounding.
    pub fn of(self, amount: i64) -> i64 {
        (amount * self.0 + Self::ALL.0 / 2) / Self::ALL.0
    }
}

impl TryFrom<i64> for Share {
    type Error = &'static str;

    fn try_from(milliunits: i64) -> Result<Self, Self::Error> {
        let share = Self(milliunits);
        let is_share = (0..=Self::ALL.0).contains(&milliunits);
        is_share.then_some(share).ok_or("no percentage")
    }
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
    revocation_percentage: Option<Share>,
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
        if !self.owns(&payload.bundle_id, &payload.environment) {
            let (bundle_id, environment) = (&payload.bundle_id, &payload.environment);
            return Ok(Signed::Foreign(Foreign::new(bundle_id, environment, None)));
        }
        let is_id = is_transaction_id(&payload.transaction_id);
        let transaction = Transaction {
            transaction_id: payload.transaction_id,
            product_id: payload.product_id,
            is_consumable: payload.kind == CONSUMABLE,
            quantity: payload.quantity,
            app_account_token: payload.app_account_token,
            revoked_at: payload.revocation_date.map(Timestamp),
            revoked: payload.revocation_percentage.unwrap_or(Share::ALL),
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
    fn a_share_is_of_the_whole_or_less() {
        let of = |milliunits: i64, amount| Share::try_from(milliunits).map(|it| it.of(amount));
        assert_eq!(of(0, 600), Ok(0));
        assert_eq!(of(33_333, 600), Ok(200));
        assert_eq!(of(50_000, 600), Ok(300));
        assert_eq!(of(100_000, 10_000_000), Ok(10_000_000));
        assert!(of(-1, 600).is_err() && of(100_001, 600).is_err());
    }

    #[test]
    fn transaction_ids_are_digits() {
        assert!(is_transaction_id("2000000123456789"));
        for broken in ["", "20 00", "2000/../x", &"1".repeat(65)] {
            assert!(!is_transaction_id(broken), "{broken}");
        }
    }
}
