//! Exports in the database. An export's states: `building` while `step` says what comes next; `mailing` from when its
//! token is made, which `step` then holds sealed; `ready` when the mail is on its way; `failed` if the address takes no
//! mail. The schema allows a person one export that is building or mailing.

use std::time::Duration;

use serde::Serialize;
use shared::http::{Context, Page, PageRequest, Problem};
use shared::random;
use shared::rate_limit::{self, Limit};
use shared::sql::{Constraint, Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use super::step::Step;
use crate::person::Person;

/// How long a copy may take until its link is mailed; then it goes.
pub const BUILT_WITHIN: Duration = Duration::from_secs(6 * 24 * 60 * 60);

/// How often a person can give another address in a day: a mail to each may be under way already.
const ADDRESSES_PER_DAY: i64 = 10;

statements! {
    /// A person's export that is under way.
    UNDER_WAY = "SELECT id, email FROM exports WHERE account_id = $1 AND status IN ('building', 'mailing')";
    /// The newest address counts, until the link is mailed, and is tried at once, with a link of its own: what was
    /// mailed to the address before may have arrived there.
    READDRESS = "UPDATE exports SET email = $1, due_at = $2, token_hash = NULL, downloaded_at = NULL, \
                   step = CASE WHEN status = 'mailing' THEN 'mail' ELSE step END, status = 'building' \
                 WHERE id = $3 AND status IN ('building', 'mailing')";
    /// A new one.
    CREATE = "INSERT INTO exports (id, account_id, email, status, step, parts, created_at, due_at, expires_at) \
              VALUES ($1, $2, $3, 'building', $4, 0, $5, $5, $6)";
    /// One of a person's.
    FIND = "SELECT id, status, created_at, ready_at, downloaded_at, expires_at FROM exports \
            WHERE id = $1 AND account_id = $2";
    /// One page of a person's.
    LIST = "SELECT id, status, created_at, ready_at, downloaded_at, expires_at FROM exports \
            WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
}

/// A copy of one's data.
#[derive(Serialize, ToSchema)]
pub struct Export {
    /// The export.
    pub id: Uuid,
    /// `building`, `mailing`, `ready`, or `failed`: the address takes no mail.
    #[schema(example = "building")]
    status: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its link was mailed.
    #[schema(value_type = Option<String>, format = DateTime)]
    ready_at: Option<Timestamp>,
    /// When it was first downloaded.
    #[schema(value_type = Option<String>, format = DateTime)]
    downloaded_at: Option<Timestamp>,
    /// When it goes.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl Export {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.get("id")?,
            status: row.get("status")?,
            created_at: row.get("created_at")?,
            ready_at: row.get("ready_at")?,
            downloaded_at: row.get("downloaded_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// What an address is bound to.
pub fn email_context(id: Uuid) -> String {
    format!("exports.email:{id}")
}

/// Begins an export. Where another request was faster, that one's has this address from now on.
///
/// # Errors
/// The database failed.
pub fn start(cx: &Context, person: &Person, email: &str) -> Result<Export, Problem> {
    let id = cx.new_id();
    let created = cx.sql()?.execute(
        &CREATE,
        &[
            Parameter::id(id),
            Parameter::id(person.account_id),
            Parameter::blob(seal(person, id, email)),
            Parameter::text(Step::first().to_string()),
            Parameter::time(cx.now()),
            Parameter::time(cx.now().plus(BUILT_WITHIN)),
        ],
    );
    match created {
        Ok(()) => find(cx, person.account_id, id),
        Err(SqlError::Constraint(Constraint::Unique(_))) => {
            readdress(cx, person, email)?.ok_or_else(Problem::unavailable)
        }
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Problem::unauthenticated()),
        Err(error) => Err(error.into()),
    }
}

/// Gives the export that is under way, if one is, another address; the same one changes nothing.
///
/// # Errors
/// 429 where that was done too often; or the database failed.
pub fn readdress(cx: &Context, person: &Person, email: &str) -> Result<Option<Export>, Problem> {
    let row = cx
        .sql()?
        .first(&UNDER_WAY, &[Parameter::id(person.account_id)])?;
    let Some(row) = row else { return Ok(None) };
    let id = row.get("id")?;
    let before: Vec<u8> = row.get("email")?;
    let before = person.key.open(&email_context(id), &before).ok();
    if before.as_deref() == Some(email.as_bytes()) {
        return find(cx, person.account_id, id).map(Some);
    }
    let account = person.account_id.as_bytes();
    let limit = Limit::per_day("export-address", account, ADDRESSES_PER_DAY);
    // Each can cost a mail.
    let _ = rate_limit::take(cx, [limit.kept()])?;
    let sealed = seal(person, id, email);
    cx.sql()?.execute(
        &READDRESS,
        &[
            Parameter::blob(sealed),
            Parameter::time(cx.now()),
            Parameter::id(id),
        ],
    )?;
    find(cx, person.account_id, id).map(Some)
}

fn seal(person: &Person, id: Uuid, email: &str) -> Vec<u8> {
    let context = email_context(id);
    person
        .key
        .seal(&context, email.as_bytes(), &mut random::host())
}

/// One of a person's exports.
///
/// # Errors
/// 404, or the database failed.
pub fn find(cx: &Context, account_id: Uuid, id: Uuid) -> Result<Export, Problem> {
    let parameters = [Parameter::id(id), Parameter::id(account_id)];
    let row = cx.sql()?.first(&FIND, &parameters)?;
    Ok(Export::from_row(&row.ok_or_else(Problem::not_found)?)?)
}

/// One page of a person's exports, the newest first.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, account_id: Uuid, page: PageRequest) -> Result<Page<Export>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(account_id),
            Parameter::text(page.before()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    let exports: Result<Vec<_>, _> = rows.iter().map(Export::from_row).collect();
    Ok(page.page(exports?, |export| export.id))
}
