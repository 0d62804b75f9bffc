//! What is left of a deletion goes in its time: the key's tombstone when no backup can bring the account back, the
//! proofs of consent after three years (clauses D2, R8).

use std::time::Duration;

use shared::crypto::PersonKey;
use shared::data_map::THREE_YEARS;
use shared::http::{Context, Problem};
use shared::sql::{Parameter, statements};
use shared::variables::{self, Misconfigured};
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

macro_rules! over {
    ($before:literal, $column:literal, $after:literal) => {
        concat!(
            $before,
            " IN (SELECT d.",
            $column,
            " FROM deletions d WHERE d.finished_at <= $1 ORDER BY d.finished_at, d.id LIMIT $2)",
            $after
        )
    };
}

statements! {
    /// Tombstones whose time is over.
    TOMBSTONES = "SELECT id, person_key_id FROM deletions WHERE finished_at <= $1 AND person_key_id IS NOT NULL \
                  ORDER BY finished_at LIMIT $2";
    /// A tombstone is gone.
    FORGET_KEY = "UPDATE deletions SET person_key_id = NULL WHERE id = $1";
    /// Consents to the policy of those who left long ago.
    DELETE_POLICY_CONSENTS = (over!("DELETE FROM policy_consents WHERE account_id", "pseudonym", ""));
    /// Proofs of their other consents.
    DELETE_CONSENT_EVENTS = (over!("DELETE FROM consent_events WHERE account_id", "pseudonym", ""));
    /// The last that there was of them: only once their proofs are gone, whoever deletes them.
    DELETE_DELETIONS = (over!(
        "DELETE FROM deletions WHERE id",
        "id",
        " AND NOT EXISTS (SELECT 1 FROM policy_consents p WHERE p.account_id = deletions.pseudonym) \
          AND NOT EXISTS (SELECT 1 FROM consent_events e WHERE e.account_id = deletions.pseudonym) \
          RETURNING id"
    ));
}

/// For how many days a backup can bring an account back: the variable `backup_days`.
///
/// # Errors
/// It is no number.
pub fn backup_days() -> Result<u32, Misconfigured> {
    variables::parsed("backup_days")
}

/// Forgets at most `limit` tombstones whose time is over; how many.
///
/// A tombstone goes before its name does: stopped between, the same is done again.
///
/// # Errors
/// A store failed; what was not forgotten is still due.
pub fn forget_tombstones(cx: &Context, limit: i64) -> Result<usize, Problem> {
    let until = cx.now().minus(DAY * backup_days()?);
    let parameters = [Parameter::time(until), Parameter::Integer(limit)];
    let rows = cx.sql()?.query(&TOMBSTONES, &parameters)?;
    for row in &rows {
        PersonKey::forget(cx, row.get("person_key_id")?)?;
        let id: Uuid = row.get("id")?;
        cx.sql()?.execute(&FORGET_KEY, &[Parameter::id(id)])?;
    }
    Ok(rows.len())
}

/// Forgets the proofs of at most `limit` people who left three years ago, and that they left; how many.
///
/// # Errors
/// The database failed; what was not deleted is still due.
pub fn forget_proofs(cx: &Context, limit: i64) -> Result<usize, Problem> {
    let until = cx.now().minus(THREE_YEARS);
    let parameters = [Parameter::time(until), Parameter::Integer(limit)];
    cx.sql()?.execute(&DELETE_POLICY_CONSENTS, &parameters)?;
    cx.sql()?.execute(&DELETE_CONSENT_EVENTS, &parameters)?;
    Ok(cx.sql()?.query(&DELETE_DELETIONS, &parameters)?.len())
}
