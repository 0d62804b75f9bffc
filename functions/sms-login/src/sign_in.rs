//! From proven identity to a session.

use serde::{Deserialize, Serialize};
use shared::http::{Context, Problem};
use shared::policy::Versions;
use shared::profile;
use shared::random;
use shared::session::{self, LIFETIME, Token, TokenHash};
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::account::Account;
use crate::device::Device;
use crate::error::Error;
use crate::freeze;

/// The text that starts a session. `$lock` is what PostgreSQL needs so that freezing the account waits for it: whoever
/// freezes finds the session afterwards, and ends it.
macro_rules! start {
    ($lock:literal) => {
        concat!(
            "INSERT INTO sessions (id, account_id, device_id, token_hash, created_at, last_used_on, expires_at) \
             SELECT $1, a.id, $2, $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) \
             FROM accounts a WHERE a.id = $7 AND a.frozen_at IS NULL \
               AND (CAST($8 AS TEXT) IS NULL OR a.password_hash = $8) ",
            $lock,
            "ON CONFLICT (device_id) DO UPDATE SET id = excluded.id, \
               token_hash = excluded.token_hash, created_at = excluded.created_at, \
               last_used_on = excluded.last_used_on, expires_at = excluded.expires_at \
             RETURNING id"
        )
    };
}

statements! {
    /// The session that a device has.
    OF_DEVICE = "SELECT token_hash FROM sessions WHERE device_id = $1";
    /// A new session, unless the account is frozen or gone, or has another password than the one that was right;
    /// a device's new one takes the place of its old one.
    START = {
        sqlite: start!(""),
        postgres: start!("FOR SHARE OF a ")
    };
}

/// The identifiers that a login will use, drawn before its code is spent: the code's row keeps them,
/// sealed, so that the same login done again ends in the same account and the same session.
#[derive(Serialize, Deserialize)]
pub struct Plan {
    /// The account, if one must be opened.
    pub account_id: Uuid,
    session_id: Uuid,
    token: String,
}

impl Plan {
    /// New identifiers and a new token.
    pub fn draw(now: Timestamp) -> Self {
        let mut rng = random::host();
        Self {
            account_id: random::id(now, &mut rng),
            session_id: random::id(now, &mut rng),
            token: Token::generate(&mut rng).to_text(),
        }
    }
}

/// A started session.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    /// The bearer token. It is answered here and never again.
    #[schema(min_length = 43, max_length = 43)]
    token: String,
    /// When the session ends if it is not used; each day of use moves it 30 days on.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    account: AccountState,
    policy: PolicyState,
}

/// Whose session it is, and whether the app's door is open.
#[derive(Serialize, ToSchema)]
pub struct AccountState {
    id: Uuid,
    /// Whether the five required fields of the profile are there.
    profile_complete: bool,
    /// Which of them are not.
    missing: Vec<&'static str>,
    /// When the account is deleted, if that was asked for: until then it is closed, and that can be taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    deletion_executes_at: Option<Timestamp>,
}

impl AccountState {
    /// The state of the account `id`, which is deleted at `closes_at`, if ever.
    ///
    /// # Errors
    /// The database failed.
    pub fn of(cx: &Context, id: Uuid, closes_at: Option<Timestamp>) -> Result<Self, Problem> {
        let missing = profile::missing(cx, id)?;
        Ok(Self {
            id,
            profile_complete: missing.is_empty(),
            missing,
            deletion_executes_at: closes_at.map(|closes_at| closes_at.max(cx.now())),
        })
    }
}

/// How the account stands to the policy in force.
#[derive(Serialize, ToSchema)]
pub struct PolicyState {
    /// The version in force. One that is newer than the consent, but not required, is only announced.
    version: String,
    /// The version consented to.
    consented_version: String,
    /// Whether the session is closed, but for a few calls, until consent is given.
    consent_required: bool,
}

impl PolicyState {
    /// How a consent to `consented_version` stands to the versions in force.
    pub fn of(versions: &Versions, consented_version: String) -> Self {
        Self {
            consent_required: consented_version < versions.major,
            version: versions.current.clone(),
            consented_version,
        }
    }
}

/// Starts the planned session of `account`. Done again with the same plan it starts no second one. `None` if the
/// account is gone by now, or its password is not `account`'s any more.
///
/// # Errors
/// [`Error::AccountFrozen`]; or the database failed.
pub fn start(
    cx: &Context,
    account: Account,
    device: Option<&Device>,
    plan: &Plan,
    versions: &Versions,
) -> Result<Option<SignedIn>, Error> {
    let token = Token::parse(&plan.token).ok_or_else(Problem::internal)?;
    let expires_at = cx.now().plus(LIFETIME);
    let device_id = match device.map(|device| device.note(cx, &account)).transpose()? {
        Some(None) => return Ok(None),
        noted => noted.flatten(),
    };
    let replaced = match device_id {
        Some(device_id) => of_device(cx, device_id)?,
        None => None,
    };
    if replaced != Some(token.hash()) {
        // Forgotten before, for a request that is stopped then could not find it again, and after, for the
        // cache may have been filled in between.
        session::forget(cx, replaced.as_slice())?;
        let started = cx.sql()?.first(
            &START,
            &[
                Parameter::id(plan.session_id),
                Parameter::optional(device_id.map(Parameter::id)),
                Parameter::blob(token.hash()),
                Parameter::time(cx.now()),
                Parameter::time(cx.now().china_day()),
                Parameter::time(expires_at),
                Parameter::id(account.id),
                Parameter::optional(account.password_hash.map(Parameter::text)),
            ],
        );
        match (started, device_id) {
            // The same login, repeated at the same moment, was faster.
            (Err(SqlError::Constraint(Constraint::Unique(_))), Some(device_id))
                if of_device(cx, device_id)? == Some(token.hash()) => {}
            (Err(SqlError::Constraint(Constraint::ForeignKey)), _) => return Ok(None),
            (Ok(None), _) => {
                // Since the account was found it was frozen, or deleted, or its password is another.
                return match freeze::is_frozen(cx, account.id)? {
                    true => Err(Error::AccountFrozen),
                    false => Ok(None),
                };
            }
            (started, _) => {
                started?;
            }
        }
        session::forget(cx, replaced.as_slice())?;
    }
    Ok(Some(SignedIn {
        token: plan.token.clone(),
        expires_at,
        account: AccountState::of(cx, account.id, account.closes_at)?,
        policy: PolicyState::of(versions, account.policy_version),
    }))
}

fn of_device(cx: &Context, device_id: Uuid) -> Result<Option<TokenHash>, Problem> {
    let row = cx.sql()?.first(&OF_DEVICE, &[Parameter::id(device_id)])?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.get::<Vec<u8>>("token_hash")?.try_into().ok())
}
