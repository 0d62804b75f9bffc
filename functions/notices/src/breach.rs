//! What operators see of a breach notice: how far it came, whom it reached, and how (clause C2).

use serde::Serialize;
use shared::announcement::Audience;
use shared::http::{Context, PageRequest, Problem};
use shared::sql::{Parameter, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::announcement;
use crate::content::{BreachNotice, Content};
use crate::error::Error;

statements! {
    /// A breach notice, and how many it reached in which way. It counts all of them; operators ask seldom.
    FIND = "SELECT a.id, a.content, a.audience, a.is_public, a.created_at, a.delivered_at, \
              CAST(COUNT(n.account_id) AS BIGINT) AS delivered, CAST(COUNT(n.read_at) AS BIGINT) AS read, \
              CAST(COUNT(CASE WHEN n.sms_status = 'due' THEN 1 END) AS BIGINT) AS sms_due, \
              CAST(COUNT(CASE WHEN n.sms_status = 'sent' THEN 1 END) AS BIGINT) AS sms_sent, \
              CAST(COUNT(CASE WHEN n.sms_status = 'failed' THEN 1 END) AS BIGINT) AS sms_failed, \
              CAST(COUNT(CASE WHEN n.sms_status = 'unknown' THEN 1 END) AS BIGINT) AS sms_unknown, \
              CAST(COUNT(CASE WHEN n.read_at IS NULL AND COALESCE(n.sms_status, '') <> 'sent' \
                THEN n.account_id END) AS BIGINT) AS untold \
            FROM announcements a LEFT JOIN notices n ON n.announcement_id = a.id \
            WHERE a.id = $1 AND a.kind = 'breach' GROUP BY a.id";
    /// One page of the accounts that it reached.
    TOLD = "SELECT account_id, created_at, read_at, sms_status, sms_at FROM notices \
            WHERE announcement_id = $1 AND account_id > $2 ORDER BY account_id LIMIT $3";
    /// Everybody can read it from now on.
    PUBLISH = "UPDATE announcements SET is_public = 1 WHERE id = $1 AND kind = 'breach' RETURNING id";
}

/// Whom a breach notice is for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = BreachAudience)]
pub enum Concerned {
    Everybody,
    RegisteredBefore,
    Accounts,
}

/// A breach notice, and how far it came.
#[derive(Serialize, ToSchema)]
pub struct BreachState {
    id: Uuid,
    content: BreachNotice,
    audience: Concerned,
    /// Whether everybody can read it.
    is_public: bool,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    /// When the last inbox had it.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    counts: Counts,
}

/// How many accounts; those that were deleted since are not counted.
#[derive(Serialize, ToSchema)]
pub struct Counts {
    /// Concerned: as many as were listed; for others, known when all are delivered.
    affected: Option<i64>,
    /// That have it in their inbox.
    delivered: i64,
    /// That have read it there.
    read: i64,
    /// Whose SMS waits.
    sms_due: i64,
    /// Whose SMS the provider took.
    sms_sent: i64,
    /// Whose number the provider refused, or for whom two tries stayed without an answer.
    sms_failed: i64,
    /// Whose SMS was tried without an answer, and is tried once more.
    sms_unknown: i64,
    /// That have neither read it nor were sent an SMS: where telling them one by one fails, the notice is to be made
    /// public.
    untold: i64,
}

/// How one account was told.
#[derive(Serialize, ToSchema)]
pub struct Told {
    pub account_id: Uuid,
    /// When it was in the inbox.
    #[schema(value_type = String, format = DateTime)]
    delivered_at: Timestamp,
    /// When it was read there first.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    /// `due`, `sent`, `failed` or `unknown`; null where no SMS is sent.
    #[schema(example = "sent")]
    sms_status: Option<String>,
    /// When the SMS was sent or had failed; while it is due or unknown, when it is tried.
    #[schema(value_type = Option<String>, format = DateTime)]
    sms_at: Option<Timestamp>,
}

/// A breach notice's state.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find(cx: &Context, id: Uuid) -> Result<BreachState, Error> {
    let row = cx.sql()?.first(&FIND, &[Parameter::id(id)])?;
    let row = row.ok_or(Error::NotFound)?;
    let Content::Breach(content) = announcement::content(&row)? else {
        return Err(Problem::internal().into());
    };
    let audience = Audience::from_text(&row.get::<String>("audience")?);
    let delivered_at: Option<Timestamp> = row.get("delivered_at")?;
    let delivered: i64 = row.get("delivered")?;
    let listed = |count: usize| i64::try_from(count).ok();
    let (audience, affected) = match audience.ok_or_else(Problem::internal)? {
        Audience::Everybody => (Concerned::Everybody, delivered_at.map(|_| delivered)),
        Audience::RegisteredBefore(_) => {
            (Concerned::RegisteredBefore, delivered_at.map(|_| delivered))
        }
        Audience::Accounts(ids) => (Concerned::Accounts, listed(ids.len())),
        Audience::Told(count) => (Concerned::Accounts, listed(count)),
    };
    Ok(BreachState {
        id,
        content,
        audience,
        is_public: row.get("is_public")?,
        issued_at: row.get("created_at")?,
        delivered_at,
        counts: Counts {
            affected,
            delivered,
            read: row.get("read")?,
            sms_due: row.get("sms_due")?,
            sms_sent: row.get("sms_sent")?,
            sms_failed: row.get("sms_failed")?,
            sms_unknown: row.get("sms_unknown")?,
            untold: row.get("untold")?,
        },
    })
}

/// One page of the accounts that it reached, and one more.
///
/// # Errors
/// The database failed.
pub fn told(cx: &Context, id: Uuid, page: PageRequest) -> Result<Vec<Told>, Problem> {
    let rows = cx.sql()?.query(
        &TOLD,
        &[
            Parameter::id(id),
            Parameter::text(page.after()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    let told = rows.iter().map(|row| {
        Ok(Told {
            account_id: row.get("account_id")?,
            delivered_at: row.get("created_at")?,
            read_at: row.get("read_at")?,
            sms_status: row.get("sms_status")?,
            sms_at: row.get("sms_at")?,
        })
    });
    Ok(told.collect::<Result<_, SqlError>>()?)
}

/// Lets everybody read it.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn publish(cx: &Context, id: Uuid) -> Result<(), Error> {
    let row = cx.sql()?.first(&PUBLISH, &[Parameter::id(id)])?;
    row.map(drop).ok_or(Error::NotFound)
}
