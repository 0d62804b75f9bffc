//! Accounts: found by number, opened once.

use shared::crypto::{KeyedHash, PersonKey};
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::random;
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::phone::{self, Phone};

/// The record of a consent; `$lock` is what PostgreSQL needs so that the account stays until the record stands.
macro_rules! consent {
    ($lock:literal) => {
        concat!(
            "INSERT INTO policy_consents (account_id, version, given_at) \
             SELECT a.id, $1, CAST($2 AS BIGINT) FROM accounts a WHERE a.id = $3 ",
            $lock,
            "ON CONFLICT (account_id, version) DO NOTHING"
        )
    };
}

statements! {
    /// An account by its number.
    FIND = "SELECT id, policy_version, password_hash, closes_at, frozen_at, \
              (SELECT COUNT(*) FROM profiles p WHERE p.account_id = a.id) AS profiles \
            FROM accounts a WHERE phone_hash = $1";
    /// The consent of an account that is to be opened: it refers to nothing yet.
    CONSENT_TO_OPEN = "INSERT INTO policy_consents (account_id, version, given_at) VALUES ($1, $2, $3) \
                       ON CONFLICT (account_id, version) DO NOTHING";
    /// A consent of an account. The same one given again changes nothing, nor does one whose account is gone: the
    /// row's lock makes a deletion at the same moment wait, and then find this record.
    CONSENT = {
        sqlite: consent!(""),
        postgres: consent!("FOR KEY SHARE ")
    };
    /// A new account; the schema refuses it without its consent, and refuses a number's second.
    OPEN = "INSERT INTO accounts (id, phone_hash, phone, person_key_id, policy_version, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    /// A new account's empty profile.
    OPEN_PROFILE = "INSERT INTO profiles (account_id, version, hidden) VALUES ($1, 0, 0) \
                    ON CONFLICT (account_id) DO NOTHING";
    /// The account stands by the newer version.
    ADVANCE = "UPDATE accounts SET policy_version = $1 WHERE id = $2 AND policy_version < $1";
}

/// An account, as logging in needs it.
pub struct Account {
    /// The account.
    pub id: Uuid,
    /// The newest version of the policy that was consented to.
    pub policy_version: String,
    /// The password's hash in PHC form, if one was set.
    pub password_hash: Option<String>,
    /// When the account is deleted, if that was asked for.
    pub closes_at: Option<Timestamp>,
    /// Whether it is frozen, so that nobody can log in.
    pub is_frozen: bool,
}

/// The account of this number, if there is one. One whose opening was stopped half-way is completed.
///
/// # Errors
/// The database failed.
pub fn find(cx: &Context, phone_hash: &KeyedHash) -> Result<Option<Account>, Problem> {
    let row = cx.sql()?.first(&FIND, &[Parameter::blob(phone_hash)])?;
    let Some(row) = row else { return Ok(None) };
    let id = row.get("id")?;
    if row.get::<i64>("profiles")? == 0 {
        match cx.sql()?.execute(&OPEN_PROFILE, &[Parameter::id(id)]) {
            // Deleted at this moment.
            Err(SqlError::Constraint(Constraint::ForeignKey)) => return Ok(None),
            opened => opened?,
        }
    }
    Ok(Some(Account {
        id,
        policy_version: row.get("policy_version")?,
        password_hash: row.get("password_hash")?,
        closes_at: row.get("closes_at")?,
        is_frozen: row.get::<Option<i64>>("frozen_at")?.is_some(),
    }))
}

/// Opens the account `id` for a number, with consent to `policy_version`; where the number has an
/// account by now, that one is answered, and `None` if that was deleted at this moment.
///
/// The steps are in the order in which each can be done again: a data key that no row names protects
/// nothing, a consent without an account says nothing, and from the account's row on, [`find`] completes
/// the rest.
///
/// # Errors
/// The database or the key store failed.
pub fn open(
    cx: &Context,
    phone: &Phone,
    phone_hash: &KeyedHash,
    id: Uuid,
    policy_version: &str,
) -> Result<Option<Account>, Problem> {
    let mut rng = random::host();
    let key = PersonKey::create(cx, &mut rng)?;
    let sealed = key.seal(
        &phone::sealed_context(id),
        phone.e164().as_bytes(),
        &mut rng,
    );
    cx.sql()?.execute(
        &CONSENT_TO_OPEN,
        &[
            Parameter::id(id),
            Parameter::text(policy_version),
            Parameter::time(cx.now()),
        ],
    )?;
    cx.sql()?.execute(
        &OPEN,
        &[
            Parameter::id(id),
            Parameter::blob(phone_hash),
            Parameter::blob(sealed),
            Parameter::id(key.id),
            Parameter::text(policy_version),
            Parameter::time(cx.now()),
        ],
    )?;
    let account = find(cx, phone_hash)?;
    if account.as_ref().is_some_and(|account| account.id == id) {
        cx.log(Level::Info, "account-opened", &[]);
    }
    Ok(account)
}

/// Records consent to `version` and lets the account stand by it. The record comes first: the account's
/// row refers to it. An account that is gone consents to nothing.
///
/// # Errors
/// The database failed.
pub fn consent(cx: &Context, account_id: Uuid, version: &str) -> Result<(), Problem> {
    cx.sql()?.execute(
        &CONSENT,
        &[
            Parameter::text(version),
            Parameter::time(cx.now()),
            Parameter::id(account_id),
        ],
    )?;
    cx.sql()?.execute(
        &ADVANCE,
        &[Parameter::text(version), Parameter::id(account_id)],
    )?;
    Ok(())
}
