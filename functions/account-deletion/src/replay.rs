//! Doing again what was asked for since a restored backup was made (clause R8): what was noted of it
//! ([`shared::erasure`]), and the deletion of who has a tombstone in the place of a key.
//!
//! A key that is merely missing says nothing: the account stays, and is counted.

use serde::Deserialize;
use serde_json::json;
use shared::chain::{self, Unanswered};
use shared::consent::{self, Purpose};
use shared::crypto::{NoKey, PersonKey};
use shared::erasure::{self, What};
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::error::Error;
use crate::{aftermath, closing, execution, leaving, plan};

/// How many accounts one call looks at.
const PAGE: usize = 100;
/// How many of them it deletes at most, or how many other things it does again.
const MOST: usize = 5;

statements! {
    /// Some accounts, and their keys.
    ACCOUNTS = "SELECT id, person_key_id FROM accounts WHERE id > $1 ORDER BY id LIMIT $2";
    /// The account with this key.
    OF_KEY = "SELECT id FROM accounts WHERE person_key_id = $1";
}

/// What a call came to.
#[derive(Debug, Default)]
pub struct Page {
    /// How many accounts were deleted again.
    pub replayed: usize,
    /// How much else was done again.
    pub done_again: usize,
    /// The last account that was looked at, if there may be more.
    pub next: Option<Uuid>,
    /// How many have no key, and no tombstone.
    pub keys_missing: usize,
}

/// Does again what was noted since the backup, and when that is done, looks at the accounts after one, and deletes
/// those that were deleted before.
///
/// # Errors
/// A store or another component failed; what was done until then stays so, and the same page can be asked for again.
pub fn page(cx: &Context, after: Option<Uuid>) -> Result<Page, Problem> {
    let mut page = Page::default();
    // No account has the nil identifier: it says that what was noted is not done yet.
    let after = after.unwrap_or_default();
    if after.is_nil() {
        let missing = erasure::missing(cx, aftermath::backup_days()?)?;
        for missing in missing.iter().take(MOST) {
            do_again(cx, missing, &mut page)?;
            erasure::done_again(cx, missing)?;
        }
        if missing.len() >= MOST {
            page.next = Some(after);
            return Ok(page);
        }
    }
    delete_destroyed(cx, after, &mut page)?;
    Ok(page)
}

/// Nothing here notes what it does: the note says that it is done, and comes after it.
fn do_again(cx: &Context, missing: &erasure::Missing, page: &mut Page) -> Result<(), Problem> {
    let parameters = [Parameter::id(missing.person_key_id)];
    // Who came after the backup is not there.
    let Some(row) = cx.sql()?.first(&OF_KEY, &parameters)? else {
        return Ok(());
    };
    let account_id = row.get("id")?;
    if missing.what == What::Key || PersonKey::is_destroyed(cx, missing.person_key_id)? {
        return delete_again(cx, account_id, page);
    }
    match &missing.what {
        What::Closing(Some(at)) => {
            leaving::leave_noted(cx, account_id, *at)?;
        }
        What::Closing(None) => match closing::reopen(cx, account_id) {
            // The backup knows better: it was too late.
            Ok(()) | Err(Error::Begun) => {}
            Err(error) => return Err(error.into()),
        },
        What::Category(name) => erase(account_id, name)?,
        What::Consent(purpose) => {
            if let Some(purpose) = Purpose::named(purpose) {
                consent::withdraw_noted(cx, account_id, purpose)?;
            }
        }
        What::Key => {}
    }
    page.done_again += 1;
    Ok(())
}

fn erase(account_id: Uuid, category: &str) -> Result<(), Problem> {
    #[derive(Deserialize)]
    struct Erased {}
    let question = json!({ "account_id": account_id, "category": category });
    let Erased {} = chain::ask("rights", "/internal/erase", &question).map_err(|Unanswered| {
        Problem::unavailable().because(Level::Error, "rights did not answer")
    })?;
    Ok(())
}

fn delete_again(cx: &Context, account_id: Uuid, page: &mut Page) -> Result<(), Problem> {
    if let Some(plan) = plan::begin_again(cx, account_id)? {
        execution::carry_out(cx, &plan)?;
    }
    page.replayed += 1;
    Ok(())
}

fn delete_destroyed(cx: &Context, after: Uuid, page: &mut Page) -> Result<(), Problem> {
    let limit = i64::try_from(PAGE).expect("a hundred");
    let parameters = [Parameter::id(after), Parameter::Integer(limit)];
    let rows = cx.sql()?.query(&ACCOUNTS, &parameters)?;
    for (at, row) in rows.iter().enumerate() {
        let account_id: Uuid = row.get("id")?;
        let key_id: Uuid = row.get("person_key_id")?;
        if PersonKey::is_destroyed(cx, key_id)? {
            delete_again(cx, account_id, page)?;
        } else if let Err(NoKey::Missing) = PersonKey::find(cx, key_id)? {
            page.keys_missing += 1;
        }
        if at + 1 == PAGE || page.replayed == MOST {
            page.next = Some(account_id);
            break;
        }
    }
    Ok(())
}
