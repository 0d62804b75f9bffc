//! Whose data it is: the key that opens what is sealed.

use shared::crypto::PersonKey;
use shared::http::{Context, Problem};
use shared::sql::{Parameter, statements};
use uuid::Uuid;

statements! {
    /// An account's key.
    FIND = "SELECT person_key_id FROM accounts WHERE id = $1";
}

/// A person with an account.
pub struct Person {
    /// The account.
    pub account_id: Uuid,
    /// Under which everything sensitive is sealed.
    pub key: PersonKey,
}

impl Person {
    /// The person of an account.
    ///
    /// # Errors
    /// 401 if the account is gone; the key or a store failed.
    pub fn load(cx: &Context, account_id: Uuid) -> Result<Self, Problem> {
        let row = cx.sql()?.first(&FIND, &[Parameter::id(account_id)])?;
        let row = row.ok_or_else(Problem::unauthenticated)?;
        Ok(Self {
            account_id,
            key: PersonKey::load(cx, row.get("person_key_id")?)?,
        })
    }
}
