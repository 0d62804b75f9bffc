//! An account between the request for its deletion and its end: hidden, locked, and still there.
//!
//! `accounts.closes_at` says how it stands: NULL, it is open; a moment, it is deleted then, and can come back until
//! the deletion begins; [`BEGUN`], that has begun. Only one statement takes it from the second to the third
//! ([`crate::plan`]), and only one back to the first: they wait for each other at the account's row.

use std::time::Duration;

use serde::Serialize;
use shared::crypto::KeyedHash;
use shared::erasure::{self, What};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, statements};
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

/// The `closes_at` of an account whose deletion has begun. No clock shows this moment.
pub const BEGUN: Timestamp = Timestamp(0);

/// The law's 15 working days run from the request, and are never fewer than this and a bit.
const MOST_GRACE_DAYS: u64 = 14;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

statements! {
    /// How an account stands, and what is lost with it: coins, and orders that could still be paid.
    FIND = "SELECT a.phone_hash, a.closes_at, \
              COALESCE((SELECT l.balance FROM wallets w JOIN ledger l ON l.account = w.holder \
                  AND l.number = (SELECT MAX(x.number) FROM ledger x \
                                  WHERE x.account = w.holder AND x.number > 0) \
                WHERE w.account_id = a.id), 0) AS coins, \
              (SELECT COUNT(*) FROM wallets w JOIN orders o ON o.holder = w.holder \
                WHERE w.account_id = a.id AND o.status = 'pending' AND o.expires_at > $1) AS pending_orders \
            FROM accounts a WHERE a.id = $2";
    /// The account closes, unless it does so earlier anyway.
    CLOSE = "UPDATE accounts SET closes_at = CASE WHEN closes_at < CAST($1 AS BIGINT) THEN closes_at \
               ELSE CAST($1 AS BIGINT) END \
             WHERE id = $2 RETURNING closes_at";
    /// Where the person was is nobody's business from now on.
    FORGET_LOCATION = "DELETE FROM locations WHERE account_id = $1";
    /// The account stays, if its deletion has not begun ($2).
    REOPEN = "UPDATE accounts SET closes_at = NULL \
              WHERE id = $1 AND (closes_at IS NULL OR closes_at > $2) RETURNING id";
}

/// What is lost with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DeletionRemaining)]
pub struct Remaining {
    /// Coins that were not spent.
    #[schema(example = 60)]
    coins: i64,
    /// Orders that could still be paid.
    #[schema(example = 0)]
    pending_orders: i64,
}

impl Remaining {
    /// Lets the deletion go on if nothing is lost, or the person forfeits it.
    ///
    /// # Errors
    /// [`Error::BalanceRemaining`].
    pub fn require_forfeit(self, forfeit: bool) -> Result<(), Error> {
        let is_nothing = self.coins == 0 && self.pending_orders == 0;
        if is_nothing || forfeit {
            Ok(())
        } else {
            Err(Error::BalanceRemaining(self))
        }
    }

    /// As it is answered.
    pub fn to_json(self) -> serde_json::Value {
        serde_json::to_value(self).expect("two numbers")
    }
}

/// How an account stands.
pub struct State {
    /// By which what belongs to its number is found.
    pub phone_hash: KeyedHash,
    /// When it is deleted, if that was asked for; never a moment that has passed.
    pub executes_at: Option<Timestamp>,
    /// What is lost then.
    pub remaining: Remaining,
}

/// How the account stands; `None` if it is gone.
///
/// # Errors
/// The database failed.
pub fn find(cx: &Context, account_id: Uuid) -> Result<Option<State>, Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::id(account_id)];
    let Some(row) = cx.sql()?.first(&FIND, &parameters)? else {
        return Ok(None);
    };
    let phone_hash: Vec<u8> = row.get("phone_hash")?;
    let closes_at: Option<Timestamp> = row.get("closes_at")?;
    Ok(Some(State {
        phone_hash: phone_hash.try_into().map_err(|_| Problem::internal())?,
        executes_at: closes_at.map(|closes_at| closes_at.max(cx.now())),
        remaining: Remaining {
            coins: row.get("coins")?,
            pending_orders: row.get("pending_orders")?,
        },
    }))
}

/// How long a person can come back: the variable `deletion_grace_days`.
///
/// # Errors
/// It is not 0 to 14.
pub fn grace() -> Result<Duration, Misconfigured> {
    const VARIABLE: &str = "deletion_grace_days";
    let days: u64 = variables::parsed(VARIABLE)?;
    if days > MOST_GRACE_DAYS {
        return Err(Misconfigured { variable: VARIABLE });
    }
    Ok(DAY * u32::try_from(days).expect("14 at most"))
}

/// Closes the account `at` a moment, or earlier if that was said before; from now on it is in no answer to anyone.
/// When it does; `None` if it is gone. The caller notes it, and ends its sessions.
///
/// # Errors
/// The database failed.
pub fn close(cx: &Context, account_id: Uuid, at: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let parameters = [Parameter::time(at), Parameter::id(account_id)];
    let Some(row) = cx.sql()?.first(&CLOSE, &parameters)? else {
        return Ok(None);
    };
    cx.sql()?
        .execute(&FORGET_LOCATION, &[Parameter::id(account_id)])?;
    Ok(Some(row.get("closes_at")?))
}

/// Takes the request for deletion back; done again, or where there was none, it changes nothing.
///
/// # Errors
/// [`Error::Begun`], or the database failed.
pub fn reopen(cx: &Context, account_id: Uuid) -> Result<(), Error> {
    let parameters = [Parameter::id(account_id), Parameter::time(BEGUN)];
    if cx.sql()?.first(&REOPEN, &parameters)?.is_none() {
        return Err(Error::Begun);
    }
    Ok(erasure::note(cx, account_id, &What::Closing(None))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_something_needs_a_word() {
        let remaining = |coins, pending_orders| Remaining {
            coins,
            pending_orders,
        };
        assert!(remaining(0, 0).require_forfeit(false).is_ok());
        for remaining in [remaining(1, 0), remaining(0, 1)] {
            assert!(remaining.require_forfeit(true).is_ok());
            let refused = remaining.require_forfeit(false);
            assert!(matches!(refused, Err(Error::BalanceRemaining(same)) if same == remaining));
        }
    }
}
