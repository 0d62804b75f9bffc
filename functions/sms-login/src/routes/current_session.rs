//! `/v1/auth/sessions/current`: the session that asks.

use serde::Serialize;
use shared::crypto::PersonKey;
use shared::http::{Answer, Context, Problem};
use shared::one_time_code;
use shared::policy::Versions;
use shared::session::{self, AnySession};
use shared::sql::{Parameter, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use super::sessions::DeviceItem;
use crate::phone::{self, Phone};
use crate::sign_in::{AccountState, PolicyState};

statements! {
    /// The account's sealed number and consent, when this session began, and how many notices wait.
    FIND = "SELECT a.phone, a.person_key_id, a.policy_version, s.created_at, \
              (SELECT COUNT(*) FROM notices n JOIN announcements m ON m.id = n.announcement_id \
                WHERE n.account_id = a.id AND n.read_at IS NULL AND m.kind <> 'policy-minor') AS unread_notices \
            FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1";
    /// Devices that the account was first used on after a moment.
    NEW_DEVICES = "SELECT model, os, app_version, first_seen_at FROM devices \
                   WHERE account_id = $1 AND first_seen_at > $2 \
                   ORDER BY first_seen_at DESC LIMIT 20";
    /// Ends a session.
    END = "DELETE FROM sessions WHERE id = $1";
}

/// The session that asks.
#[derive(Serialize, ToSchema)]
pub struct CurrentSession {
    id: Uuid,
    /// The account's number, with the middle hidden.
    #[schema(example = "138****8000")]
    phone: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    account: AccountState,
    policy: PolicyState,
    /// Devices on which the account was used for the first time since this session began.
    new_devices: Vec<DeviceItem>,
    /// How many prominent notices at `GET /v1/notices` the person has not read.
    unread_notices: i64,
}

/// Read the current session
#[utoipa::path(get, path = "/v1/auth/sessions/current", tag = "auth", security(("session" = [])),
    responses((status = 200, body = CurrentSession)))]
pub fn read(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Problem> {
    let row = cx
        .sql()?
        .first(&FIND, &[Parameter::id(session.id)])?
        .ok_or_else(Problem::unauthenticated)?;
    let key = PersonKey::load(cx, row.get("person_key_id")?)?;
    let sealed: Vec<u8> = row.get("phone")?;
    let phone = key.open(&phone::sealed_context(session.account_id), &sealed)?;
    let phone = String::from_utf8(phone)
        .ok()
        .and_then(|text| Phone::parse(&text).ok())
        .ok_or_else(Problem::internal)?;
    let new_devices = cx.sql()?.query(
        &NEW_DEVICES,
        &[
            Parameter::id(session.account_id),
            Parameter::time(row.get("created_at")?),
        ],
    )?;
    Ok(Answer::ok(&CurrentSession {
        id: session.id,
        phone: phone.to_string(),
        expires_at: session.expires_at,
        account: AccountState::of(cx, session.account_id, session.closes_at)?,
        policy: PolicyState::of(&Versions::in_force(cx)?, row.get("policy_version")?),
        new_devices: new_devices
            .iter()
            .map(DeviceItem::from_row)
            .collect::<Result<_, _>>()?,
        unread_notices: row.get("unread_notices")?,
    }))
}

/// Log out
///
/// The session ends at once.
#[utoipa::path(delete, path = "/v1/auth/sessions/current", tag = "auth", security(("session" = [])),
    responses((status = 204, description = "ended")))]
pub fn delete(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Problem> {
    one_time_code::void_login(cx, session.account_id)?;
    cx.sql()?.execute(&END, &[Parameter::id(session.id)])?;
    session::forget(cx, &[session.token_hash])?;
    Ok(Answer::no_content())
}
