//! `/v1/auth/sessions`: logging in, and the account's sessions (clauses L1, L4).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json, Page, PageRequest, Problem, ProblemBody, Violation};
use shared::one_time_code::{CodePurpose, Redeemed, Redeemer};
use shared::policy::Versions;
use shared::random;
use shared::session::{self, Session};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::account::{self, Account};
use crate::client_address::ClientAddress;
use crate::device::Device;
use crate::error::Error;
use crate::password;
use crate::phone::Phone;
use crate::sign_in::{self, Plan, SignedIn};
use crate::tries;

/// How often a login begins again because the account that it found was deleted under it. A second time would
/// take a person who deletes the next one, too.
const TRIES: usize = 3;

statements! {
    /// One page of an account's living sessions.
    LIST = "SELECT s.id, s.created_at, s.last_used_on, s.expires_at, \
              d.model, d.os, d.app_version, d.first_seen_at \
            FROM sessions s LEFT JOIN devices d ON d.id = s.device_id \
            WHERE s.account_id = $1 AND s.id < $2 AND s.expires_at > $3 \
            ORDER BY s.id DESC LIMIT $4";
}

/// Who logs in: by `code`, or by `password`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// A mobile number of mainland China, in any form that people type.
    #[schema(example = "+8613800138000")]
    phone: String,
    /// The code that was sent for the purpose `login`.
    #[schema(example = "123456")]
    code: Option<String>,
    /// The password, if one was set before.
    password: Option<String>,
    /// The version of the policy that the person consents to. A new account needs the one in force.
    #[schema(example = "2023-10-25")]
    policy_version: Option<String>,
    /// The device, for the account's security. With it a lost answer can be asked for again with the same
    /// code, for a minute.
    device: Option<Device>,
}

/// Log in
///
/// Opens the account of a new number. A device has one session: its older one ends.
#[utoipa::path(post, path = "/v1/auth/sessions", tag = "auth",
    request_body = LoginRequest,
    responses(
        (status = 201, body = SignedIn),
        (status = 401, description = "`credentials-invalid`: wrong, used or too old",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`policy-consent-required`: names the `policy_version` in force; \
            the code stays good. `account-frozen`: reported as leaked; only resetting the password opens it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`phone-invalid`, `invalid-fields`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`: too many passwords tried; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    address: ClientAddress,
    Json(request): Json<LoginRequest>,
) -> Result<Answer, Error> {
    let phone = Phone::parse(&request.phone)?;
    let violations = request.device.as_ref().map(Device::violations);
    if let Some(violations) = violations.filter(|violations| !violations.is_empty()) {
        return Err(Error::Invalid(violations));
    }
    let versions = Versions::in_force(cx)?;
    // Consent to a version that is no longer in force is none; the answer announces the newer one.
    let consents = request.policy_version.as_deref() == Some(versions.current.as_str());
    let login = Login {
        phone,
        consents,
        device: request.device,
        versions,
    };
    let signed_in = match (request.code, request.password) {
        (Some(code), None) => login.by_code(cx, &code)?,
        (None, Some(password)) => login.by_password(cx, &address, &password)?,
        _ => {
            return Err(Error::Invalid(vec![Violation::new(
                "code",
                "one-of-code-password",
            )]));
        }
    };
    Ok(Answer::json(StatusCode::CREATED, &signed_in))
}

struct Login {
    phone: Phone,
    /// Whether the person consents to the version in force.
    consents: bool,
    device: Option<Device>,
    versions: Versions,
}

impl Login {
    fn by_code(self, cx: &Context, digits: &str) -> Result<SignedIn, Error> {
        let phone_hash = self.phone.hash()?;
        let redeemer = Redeemer {
            phone_hash: &phone_hash,
            purpose: CodePurpose::Login,
            digits,
            identity: match &self.device {
                Some(device) => device.hash()?,
                // Nobody else can present this, so nobody can repeat the login.
                None => random::bytes(&mut random::host()),
            },
            may_open_account: self.consents,
        };
        let plan = match redeemer.redeem(cx, Plan::draw(cx.now()))? {
            Redeemed::Used(plan) => plan,
            Redeemed::WouldOpenAccount => return Err(Error::ConsentRequired(self.versions)),
        };
        for _ in 0..TRIES {
            let account = match account::find(cx, &phone_hash)? {
                Some(account) => Some(account),
                None if self.consents => account::open(
                    cx,
                    &self.phone,
                    &phone_hash,
                    plan.account_id,
                    &self.versions.current,
                )?,
                // Deleted since the code was used.
                None => return Err(Error::ConsentRequired(self.versions)),
            };
            let Some(mut account) = account else {
                continue;
            };
            // The code is the proof, whatever becomes of the password.
            account.password_hash = None;
            if let Some(signed_in) = self.start(cx, account, &plan)? {
                return Ok(signed_in);
            }
        }
        Err(Problem::unavailable().into())
    }

    fn by_password(
        self,
        cx: &Context,
        address: &ClientAddress,
        text: &str,
    ) -> Result<SignedIn, Error> {
        let phone_hash = self.phone.hash()?;
        let taken = tries::take(cx, &phone_hash, address)?;
        let account = account::find(cx, &phone_hash)?;
        let stored = account
            .as_ref()
            .and_then(|account| account.password_hash.as_deref());
        let is_right = password::verify(text, stored);
        let account = account
            .filter(|_| is_right)
            .ok_or(Error::CredentialsInvalid)?;
        taken.give_back(cx)?;
        let plan = Plan::draw(cx.now());
        let signed_in = self.start(cx, account, &plan)?;
        // Deleted at this moment, and its password with it; or the password was changed.
        signed_in.ok_or(Error::CredentialsInvalid)
    }

    /// `None` if the account is gone by now, or its password is another.
    fn start(
        &self,
        cx: &Context,
        mut account: Account,
        plan: &Plan,
    ) -> Result<Option<SignedIn>, Error> {
        if account.is_frozen {
            return Err(Error::AccountFrozen);
        }
        if self.consents && account.policy_version < self.versions.current {
            account::consent(cx, account.id, &self.versions.current)?;
            account.policy_version.clone_from(&self.versions.current);
        }
        let device = self.device.as_ref();
        sign_in::start(cx, account, device, plan, &self.versions)
    }
}

/// One session of the account.
#[derive(Serialize, ToSchema)]
pub struct SessionItem {
    id: Uuid,
    /// Whether it is the session that asks.
    current: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The day of its last use, in China.
    #[schema(value_type = String, format = Date)]
    last_used_on: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The device, if one was named.
    device: Option<DeviceItem>,
}

/// A device that the account was used on.
#[derive(Serialize, ToSchema)]
pub struct DeviceItem {
    model: String,
    os: String,
    app_version: String,
    /// When the account was first used on it.
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
}

impl DeviceItem {
    /// Reads a device's columns.
    ///
    /// # Errors
    /// The row has other columns.
    pub fn from_row(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            model: row.get("model")?,
            os: row.get("os")?,
            app_version: row.get("app_version")?,
            first_seen_at: row.get("first_seen_at")?,
        })
    }
}

impl SessionItem {
    fn from_row(row: &Row, asking: &Session) -> Result<Self, SqlError> {
        let id = row.get("id")?;
        let last_used_on: Timestamp = row.get("last_used_on")?;
        let has_device = row.get::<Option<String>>("model")?.is_some();
        Ok(Self {
            id,
            current: id == asking.id,
            created_at: row.get("created_at")?,
            last_used_on: last_used_on.china_date().to_string(),
            expires_at: row.get("expires_at")?,
            device: has_device.then(|| DeviceItem::from_row(row)).transpose()?,
        })
    }
}

/// List the sessions
///
/// The account's living sessions, newest first.
#[utoipa::path(get, path = "/v1/auth/sessions", tag = "auth", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses((status = 200, body = Page<SessionItem>)))]
pub fn list(cx: &Context, session: Session, page: PageRequest) -> Result<Answer, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(session.account_id),
            Parameter::text(page.before()),
            Parameter::time(cx.now()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    let items = rows
        .iter()
        .map(|row| SessionItem::from_row(row, &session))
        .collect::<Result<_, _>>()?;
    Ok(Answer::ok(&page.page(items, |item: &SessionItem| item.id)))
}

/// End all other sessions
#[utoipa::path(delete, path = "/v1/auth/sessions", tag = "auth", security(("session" = [])),
    responses((status = 204, description = "only the session that asks is left")))]
pub fn delete_others(cx: &Context, session: Session) -> Result<Answer, Problem> {
    session::end_all(cx, session.account_id, Some(session.id))?;
    Ok(Answer::no_content())
}
