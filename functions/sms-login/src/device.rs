//! Devices, held for the account's security alone (clause L4): a new one is noticed.

use serde::Deserialize;
use shared::crypto::{Key, KeyedHash, Purpose};
use shared::http::{Context, Problem, Violation};
use shared::log::Level;
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use shared::variables::Misconfigured;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::account::Account;

const PURPOSE: &str = "account-security";
const MAX_ID_LENGTH: usize = 128;
const MAX_NAME_LENGTH: usize = 64;

statements! {
    /// Notes a device; one that is known keeps its identifier and the time of its first login.
    NOTE = "INSERT INTO devices (id, account_id, device_hash, model, os, app_version, purpose, \
              policy_version, first_seen_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
            ON CONFLICT (account_id, device_hash) DO UPDATE SET model = excluded.model, \
              os = excluded.os, app_version = excluded.app_version, \
              policy_version = excluded.policy_version \
            RETURNING id, first_seen_at";
}

/// The device that a person logs in on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The app's identifier of this installation. Only a keyed hash of it is stored.
    #[schema(min_length = 1, max_length = 128)]
    id: String,
    /// The model, as the device names it.
    #[schema(max_length = 64)]
    model: String,
    /// The operating system and its version.
    #[schema(max_length = 64)]
    os: String,
    /// The app's version.
    #[schema(max_length = 64)]
    app_version: String,
}

impl Device {
    /// What is wrong with it.
    pub fn violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        if self.id.is_empty() || self.id.chars().count() > MAX_ID_LENGTH {
            violations.push(Violation::new("device.id", "length"));
        }
        let names = [
            ("device.model", &self.model),
            ("device.os", &self.os),
            ("device.app_version", &self.app_version),
        ];
        for (field, value) in names {
            if value.chars().count() > MAX_NAME_LENGTH {
                violations.push(Violation::new(field, "length"));
            } else if value.contains(char::is_control) {
                violations.push(Violation::new(field, "characters"));
            }
        }
        violations
    }

    /// The keyed hash under which the device is recognised.
    ///
    /// # Errors
    /// The application's key is unusable.
    pub fn hash(&self) -> Result<KeyedHash, Misconfigured> {
        Ok(Key::for_purpose(Purpose::DeviceLookup)?.hash(&[self.id.as_bytes()]))
    }

    /// Notes that `account` logs in on this device, and answers the device's row; `None` if the account is gone.
    ///
    /// # Errors
    /// The database failed.
    pub fn note(&self, cx: &Context, account: &Account) -> Result<Option<Uuid>, Problem> {
        let noted = cx.sql()?.first(
            &NOTE,
            &[
                Parameter::id(cx.new_id()),
                Parameter::id(account.id),
                Parameter::blob(self.hash()?),
                Parameter::text(&self.model),
                Parameter::text(&self.os),
                Parameter::text(&self.app_version),
                Parameter::text(PURPOSE),
                Parameter::text(&account.policy_version),
                Parameter::time(cx.now()),
            ],
        );
        let row = match noted {
            Err(SqlError::Constraint(Constraint::ForeignKey)) => return Ok(None),
            noted => noted?.ok_or_else(Problem::internal)?,
        };
        if row.get::<Timestamp>("first_seen_at")? == cx.now() {
            cx.log(Level::Info, "new-device", &[]);
        }
        Ok(Some(row.get("id")?))
    }
}
