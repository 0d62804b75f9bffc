//! Who owns coins: a pseudonym, so that the ledger can outlive the account (clause R5). Only `wallets` leads
//! from one to the other.

use uuid::Uuid;

use crate::http::{Context, Problem};
use crate::random;
use crate::sql::{Constraint, Parameter, Row, SqlError, statements};

statements! {
    /// The account's holder.
    FIND = "SELECT holder FROM wallets WHERE account_id = $1";
    /// The account's first use of coins. Of two at once, the second finds the first's.
    OPEN = "INSERT INTO wallets (account_id, holder, created_at) VALUES ($1, $2, $3) \
            ON CONFLICT (account_id) DO UPDATE SET created_at = wallets.created_at RETURNING holder";
}

/// The holder of an account's coins; `None` if there is no such account.
///
/// # Errors
/// The database failed.
pub fn holder(cx: &Context, account_id: Uuid) -> Result<Option<Uuid>, Problem> {
    let read = |row: Row| row.get("holder");
    let found = cx.sql()?.first(&FIND, &[Parameter::id(account_id)])?;
    if let Some(row) = found {
        return Ok(Some(read(row)?));
    }
    // Of no time and no order: nothing about it says whose it is.
    let holder = uuid::Builder::from_random_bytes(random::bytes(&mut random::host())).into_uuid();
    let parameters = [
        Parameter::id(account_id),
        Parameter::id(holder),
        Parameter::time(cx.now()),
    ];
    match cx.sql()?.first(&OPEN, &parameters) {
        Ok(row) => Ok(row.map(read).transpose()?),
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
