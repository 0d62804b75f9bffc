//! Consents in the database: the row that says what holds, and the events that prove how it came about.

use shared::consent::{Purpose, Terms};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, Row, statements};
use shared::time::Timestamp;
use uuid::Uuid;

// A proof refers to its account by no constraint, for it outlives it under a pseudonym. So that none is written for
// an account that is deleted at this moment, PostgreSQL locks the row that it is written from: `$lock`.

macro_rules! prove_given {
    ($lock:literal) => {
        concat!(
            "INSERT INTO consent_events (id, account_id, purpose, version, granted, happened_at) \
             SELECT $1, a.id, $2, $3, 1, CAST($4 AS BIGINT) FROM accounts a WHERE a.id = $5 \
               AND NOT EXISTS (SELECT 1 FROM consents c \
                 WHERE c.account_id = a.id AND c.purpose = $2 AND c.version = $3)",
            $lock
        )
    };
}

macro_rules! prove_withdrawn {
    ($lock:literal) => {
        concat!(
            "INSERT INTO consent_events (id, account_id, purpose, version, granted, happened_at) \
             SELECT $1, c.account_id, c.purpose, c.version, 0, CAST($2 AS BIGINT) FROM consents c \
             WHERE c.account_id = $3 AND c.purpose = $4",
            $lock
        )
    };
}

statements! {
    /// Every consent of an account. The policy's own is the basic one; an account has always one row.
    LIST = "SELECT p.version AS policy_version, p.given_at AS policy_given_at, \
              c.purpose, c.version, c.given_at \
            FROM accounts a \
            JOIN policy_consents p ON p.account_id = a.id AND p.version = a.policy_version \
            LEFT JOIN consents c ON c.account_id = a.id \
            WHERE a.id = $1";
    /// Proof that it was given; nothing where this version stands already, or the account is gone.
    PROVE_GIVEN = { sqlite: prove_given!(""), postgres: prove_given!(" FOR KEY SHARE") };
    /// Gives what was proven, and nothing without its proof: the consent that needed none may have been
    /// withdrawn since. The same one given again keeps its time.
    GIVE = "INSERT INTO consents (account_id, purpose, version, given_at) \
        SELECT e.account_id, e.purpose, e.version, e.happened_at FROM consent_events e WHERE e.id = $1 \
        ON CONFLICT (account_id, purpose) DO UPDATE SET \
          version = excluded.version, given_at = excluded.given_at \
        WHERE consents.version <> excluded.version";
    /// Proof that it was withdrawn; nothing where none stands.
    PROVE_WITHDRAWN = { sqlite: prove_withdrawn!(""), postgres: prove_withdrawn!(" FOR KEY SHARE") };
    /// Withdraws what was proven to be, and with it goes what refers to it.
    WITHDRAW = "DELETE FROM consents WHERE account_id = $1 AND purpose = $2 \
        AND EXISTS (SELECT 1 FROM consent_events e WHERE e.id = $3)";
}

/// A consent that stands.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its purpose's name.
    pub purpose: String,
    /// The version that was agreed to.
    pub version: String,
    /// When.
    pub given_at: Timestamp,
}

/// Every consent that stands, the policy's own first.
///
/// # Errors
/// The database failed, or the account is gone.
pub fn list(cx: &Context, account_id: Uuid) -> Result<Vec<Given>, Problem> {
    let rows = cx.sql()?.query(&LIST, &[Parameter::id(account_id)])?;
    let first = rows.first().ok_or_else(Problem::unauthenticated)?;
    let mut given = vec![Given {
        purpose: Purpose::Account.terms().name.to_owned(),
        version: first.get("policy_version")?,
        given_at: first.get("policy_given_at")?,
    }];
    for row in &rows {
        given.extend(of_purpose(row)?);
    }
    Ok(given)
}

fn of_purpose(row: &Row) -> Result<Option<Given>, Problem> {
    let Some(purpose) = row.get::<Option<String>>("purpose")? else {
        return Ok(None);
    };
    Ok(Some(Given {
        purpose,
        version: row.get("version")?,
        given_at: row.get("given_at")?,
    }))
}

/// Gives a consent. Its proof comes first: a consent without one would be worth nothing, and a proof whose
/// consent did not come is followed by the next try's.
///
/// # Errors
/// The database failed.
pub fn give(cx: &Context, account_id: Uuid, terms: &Terms) -> Result<(), Problem> {
    let id = cx.new_id();
    cx.sql()?.execute(
        &PROVE_GIVEN,
        &[
            Parameter::id(id),
            Parameter::text(terms.name),
            Parameter::text(terms.version),
            Parameter::time(cx.now()),
            Parameter::id(account_id),
        ],
    )?;
    cx.sql()?.execute(&GIVE, &[Parameter::id(id)])?;
    Ok(())
}

/// Withdraws a consent, its proof first. What the schema ties to it is gone with it.
///
/// # Errors
/// The database failed.
pub fn withdraw(cx: &Context, account_id: Uuid, terms: &Terms) -> Result<(), Problem> {
    let id = cx.new_id();
    cx.sql()?.execute(
        &PROVE_WITHDRAWN,
        &[
            Parameter::id(id),
            Parameter::time(cx.now()),
            Parameter::id(account_id),
            Parameter::text(terms.name),
        ],
    )?;
    cx.sql()?.execute(
        &WITHDRAW,
        &[
            Parameter::id(account_id),
            Parameter::text(terms.name),
            Parameter::id(id),
        ],
    )?;
    Ok(())
}
