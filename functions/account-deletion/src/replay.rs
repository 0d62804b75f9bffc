//! Deleting again who a restored backup brought back: an account whose key's tombstone says that it was deleted.
//!
//! A key that is merely missing says nothing: the account stays, and is counted.

use shared::crypto::{NoKey, PersonKey};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::{execution, plan};

/// How many accounts one call looks at.
const PAGE: usize = 100;
/// How many of them it deletes at most.
const MOST: usize = 5;

statements! {
    /// Some accounts, and their keys.
    ACCOUNTS = "SELECT id, person_key_id FROM accounts WHERE id > $1 ORDER BY id LIMIT $2";
}

/// What a call came to.
#[derive(Debug, Default)]
pub struct Page {
    /// How many accounts were deleted again.
    pub replayed: usize,
    /// The last account that was looked at, if there may be more.
    pub next: Option<Uuid>,
    /// How many have no key, and no tombstone.
    pub keys_missing: usize,
}

/// Looks at the accounts after one, and deletes those that were deleted before.
///
/// # Errors
/// A store failed; what was deleted until then stays so, and the same page can be asked for again.
pub fn page(cx: &Context, after: Option<Uuid>) -> Result<Page, Problem> {
    let limit = i64::try_from(PAGE).expect("a hundred");
    let after = after.unwrap_or(Uuid::nil());
    let rows = cx.sql()?.query(
        &ACCOUNTS,
        &[Parameter::id(after), Parameter::Integer(limit)],
    )?;
    let mut page = Page::default();
    for (at, row) in rows.iter().enumerate() {
        let account_id: Uuid = row.get("id")?;
        let key_id: Uuid = row.get("person_key_id")?;
        if PersonKey::is_destroyed(cx, key_id)? {
            if let Some(plan) = plan::begin_again(cx, account_id)? {
                execution::carry_out(cx, &plan)?;
            }
            page.replayed += 1;
        } else if let Err(NoKey::Missing) = PersonKey::find(cx, key_id)? {
            page.keys_missing += 1;
        }
        if at + 1 == PAGE || page.replayed == MOST {
            page.next = Some(account_id);
            return Ok(page);
        }
    }
    Ok(page)
}
