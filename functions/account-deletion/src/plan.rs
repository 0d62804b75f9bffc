//! The plan of a deletion: a row that stays until everything is done, and says what to do it with. Whatever stops
//! on the way is finished by the next that finds the row.

use std::time::Duration;

use shared::crypto::KeyedHash;
use shared::http::{Context, Problem};
use shared::random;
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use uuid::{Builder, Uuid};

use crate::closing::BEGUN;

/// A plan that is stopped is tried again after a minute, and then later and later,
const LEAST_WAIT: Duration = Duration::from_secs(60);
/// but once an hour at least.
const MOST_WAIT: Duration = Duration::from_secs(60 * 60);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, phone_hash, person_key_id, pseudonym, began_at FROM deletions ",
            $rest
        )
    };
}

statements! {
    /// From here on nothing calls the deletion back: the account is marked ($1), if its time has come.
    COMMIT = "UPDATE accounts SET closes_at = $1 WHERE id = $2 AND closes_at <= $3 RETURNING id";
    /// An account that was deleted before and that a backup brought back.
    COMMIT_AGAIN = "UPDATE accounts SET closes_at = $1 WHERE id = $2";
    /// The plan of an account that is marked.
    PLAN = "INSERT INTO deletions (id, account_id, phone_hash, person_key_id, pseudonym, began_at, due_at) \
            SELECT $1, a.id, a.phone_hash, a.person_key_id, $2, CAST($3 AS BIGINT), CAST($3 AS BIGINT) FROM accounts a \
            WHERE a.id = $4 AND a.closes_at = $5 ON CONFLICT DO NOTHING";
    /// An account's plan.
    FIND = (select!("WHERE account_id = $1"));
    /// Plans that are not carried out, and due to be tried again.
    UNFINISHED = (select!("WHERE finished_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2"));
    /// When it is tried next, if this time it is stopped.
    PUT_OFF = "UPDATE deletions SET due_at = $1 WHERE id = $2";
    /// Accounts whose time has come, and that have no plan yet.
    DUE = "SELECT a.id FROM accounts a WHERE a.closes_at <= $1 \
             AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.account_id = a.id) \
           ORDER BY a.closes_at LIMIT $2";
    /// It is done: what led to the person goes. The key's name stays while a backup can bring the account back.
    FINISH = "UPDATE deletions SET finished_at = $1, account_id = NULL, phone_hash = NULL \
              WHERE id = $2 AND finished_at IS NULL";
}

/// A deletion that has begun.
#[derive(Debug)]
pub struct Plan {
    /// The plan's row.
    pub id: Uuid,
    /// Who leaves.
    pub account_id: Uuid,
    /// By which what belongs to the number is found.
    pub phone_hash: KeyedHash,
    /// The key that is destroyed.
    pub person_key_id: Uuid,
    /// What is written in the account's place where the law keeps a row.
    pub pseudonym: Uuid,
    /// When it began.
    pub began_at: Timestamp,
}

impl Plan {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        let phone_hash: Vec<u8> = row.get("phone_hash")?;
        Ok(Self {
            id: row.get("id")?,
            account_id: row.get("account_id")?,
            phone_hash: phone_hash.try_into().map_err(|_| SqlError::Mismatch {
                column: "phone_hash",
            })?,
            person_key_id: row.get("person_key_id")?,
            pseudonym: row.get("pseudonym")?,
            began_at: row.get("began_at")?,
        })
    }

    /// Puts the next try off, for as long as the plan is old: whatever stops this one holds up no other's.
    ///
    /// # Errors
    /// The database failed.
    pub fn put_off(&self, cx: &Context) -> Result<(), Problem> {
        let due_at = cx.now().plus(wait(self.began_at, cx.now()));
        let parameters = [Parameter::time(due_at), Parameter::id(self.id)];
        Ok(cx.sql()?.execute(&PUT_OFF, &parameters)?)
    }

    /// Everything is done.
    ///
    /// # Errors
    /// The database failed.
    pub fn finish(&self, cx: &Context) -> Result<(), Problem> {
        let parameters = [Parameter::time(cx.now()), Parameter::id(self.id)];
        Ok(cx.sql()?.execute(&FINISH, &parameters)?)
    }
}

/// Begins the deletion of an account whose time has come; `None` if it has not, or if the account is gone. One that
/// began before goes on with its first plan.
///
/// # Errors
/// The database failed.
pub fn begin(cx: &Context, account_id: Uuid) -> Result<Option<Plan>, Problem> {
    let parameters = [
        Parameter::time(BEGUN),
        Parameter::id(account_id),
        Parameter::time(cx.now()),
    ];
    if cx.sql()?.first(&COMMIT, &parameters)?.is_none() {
        return Ok(None);
    }
    plan(cx, account_id)
}

/// Begins the deletion of an account that was deleted before, whatever it says of itself.
///
/// # Errors
/// The database failed.
pub fn begin_again(cx: &Context, account_id: Uuid) -> Result<Option<Plan>, Problem> {
    let parameters = [Parameter::time(BEGUN), Parameter::id(account_id)];
    cx.sql()?.execute(&COMMIT_AGAIN, &parameters)?;
    plan(cx, account_id)
}

fn plan(cx: &Context, account_id: Uuid) -> Result<Option<Plan>, Problem> {
    // Of no time and no order: nothing about it says whose it was.
    let pseudonym = Builder::from_random_bytes(random::bytes(&mut random::host())).into_uuid();
    cx.sql()?.execute(
        &PLAN,
        &[
            Parameter::id(cx.new_id()),
            Parameter::id(pseudonym),
            Parameter::time(cx.now()),
            Parameter::id(account_id),
            Parameter::time(BEGUN),
        ],
    )?;
    let row = cx.sql()?.first(&FIND, &[Parameter::id(account_id)])?;
    Ok(row.as_ref().map(Plan::from_row).transpose()?)
}

/// How long after this try of a plan the next one comes.
fn wait(began_at: Timestamp, now: Timestamp) -> Duration {
    began_at.until(now).clamp(LEAST_WAIT, MOST_WAIT)
}

/// Plans that were stopped and are due again, or are being carried out at this moment: at most `limit`.
///
/// # Errors
/// The database failed.
pub fn unfinished(cx: &Context, limit: i64) -> Result<Vec<Plan>, Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::Integer(limit)];
    let rows = cx.sql()?.query(&UNFINISHED, &parameters)?;
    Ok(rows.iter().map(Plan::from_row).collect::<Result<_, _>>()?)
}

/// Accounts whose time has come, at most `limit`.
///
/// # Errors
/// The database failed.
pub fn due(cx: &Context, limit: i64) -> Result<Vec<Uuid>, Problem> {
    let parameters = [Parameter::time(cx.now()), Parameter::Integer(limit)];
    let rows = cx.sql()?.query(&DUE, &parameters)?;
    let ids = rows.iter().map(|row| row.get("id"));
    Ok(ids.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause R5
    #[test]
    fn a_plan_waits_as_long_as_it_is_old_within_bounds() {
        let waits = |age| wait(Timestamp(0), Timestamp(age)).as_secs();
        assert_eq!(waits(0), 60);
        assert_eq!(waits(-1), 60, "a clock set back");
        assert_eq!(waits(90_000), 90);
        assert_eq!(waits(24 * 60 * 60 * 1000), 60 * 60);
    }
}
