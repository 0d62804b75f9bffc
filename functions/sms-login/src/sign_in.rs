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

/// The text that starts a session; `$lock` ends its look at the account.
macro_rules! start {
    ($lock:literal) => {
        concat!(
            "INSERT INTO sessions (id, account_id, device_id, token_hash, created_at, last_used_on, expires_at) \
             SELECT $1, a.id, $2, $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) \
             FROM accounts a WHERE a.id = $7 AND a.frozen_at IS NULL",
            $lock,
            " ON CONFLICT (device_id) DO UPDATE SET id = excluded.id, \
               token_hash = excluded.token_hash, created_at = excluded.created_at, \
               last_used_on = excluded.last_used_on, expires_at = excluded.expires_at \
             RETURNING id"
        )
    };
}

statements! {
    /// The session that a device has.
    OF_DEVICE = "SELECT token_hash FROM sessions WHERE device_id = $1";
    /// A new session, unless the account is frozen or gone; a device's new one takes the place of its old one.
    /// Freezing waits for it, or it for freezing: whoever freezes finds the session afterwards.
    START = {
        sqlite: start!(""),
        postgres: start!(" FOR SHARE OF a")
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
}

impl AccountState {
    /// The account's state.
    ///
    /// # Errors
    /// The database failed.
    pub fn of(cx: &Context, id: Uuid) -> Result<Self, Problem> {
        let missing = profile::missing(cx, id)?;
        Ok(Self {
            id,
            profile_complete: missing.is_empty(),
            missing,
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
    pub fn of(versions: Versions, consented_version: String) -> Self {
        Self {
            consent_required: consented_version < versions.major,
            version: versions.current,
            consented_version,
        }
    }
}

/// Starts the planned session of `account`. Done again with the same plan it starts no second one.
///
/// # Errors
/// [`Error::AccountFrozen`], [`Error::AccountChanged`], or the database failed.
pub fn start(
    cx: &Context,
    account: Account,
    device: Option<&Device>,
    plan: Plan,
    versions: Versions,
) -> Result<SignedIn, Error> {
    let token = Token::parse(&plan.token).ok_or_else(Problem::internal)?;
    let expires_at = cx.now().plus(LIFETIME);
    let device_id = device.map(|device| device.note(cx, &account)).transpose()?;
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
            ],
        );
        match (started, device_id) {
            // The same login, repeated at the same moment, was faster.
            (Err(SqlError::Constraint(Constraint::Unique(_))), Some(device_id))
                if of_device(cx, device_id)? == Some(token.hash()) => {}
            (Err(SqlError::Constraint(Constraint::ForeignKey)), _) => {
                return Err(Error::AccountChanged);
            }
            (started, _) => {
                started?.ok_or_else(|| refused(cx, account.id))?;
            }
        }
        session::forget(cx, replaced.as_slice())?;
    }
    Ok(SignedIn {
        token: plan.token,
        expires_at,
        account: AccountState::of(cx, account.id)?,
        policy: PolicyState::of(versions, account.policy_version),
    })
}

/// Why no session was started: the account was frozen, or deleted, after it was found.
fn refused(cx: &Context, account_id: Uuid) -> Error {
    match freeze::is_frozen(cx, account_id) {
        Ok(true) => Error::AccountFrozen,
        Ok(false) => Error::AccountChanged,
        Err(problem) => problem.into(),
    }
}

fn of_device(cx: &Context, device_id: Uuid) -> Result<Option<TokenHash>, Problem> {
    let row = cx.sql()?.first(&OF_DEVICE, &[Parameter::id(device_id)])?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.get::<Vec<u8>>("token_hash")?.try_into().ok())
}
