//! Verifications as their person sees them.

use serde::Serialize;
use shared::http::{Context, PageRequest, Problem};
use shared::sql::{Constraint, Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::claim::{Kind, Summary};
use crate::error::Error;

statements! {
    /// Shows a claim to its person. It comes last: until then nobody can have seen it.
    PUBLISH = "INSERT INTO verifications (id, account_id, kind, created_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (id) DO NOTHING";
    /// One page of a person's verifications.
    LIST = "SELECT v.id, v.kind, v.created_at, c.status, c.reason, c.purpose, c.expires_at, c.decided_at, \
              c.summary, a.person_key_id \
            FROM verifications v JOIN accounts a ON a.id = v.account_id \
            LEFT JOIN verification_claims c ON c.id = v.id \
            WHERE v.account_id = $1 AND v.id < $2 ORDER BY v.id DESC LIMIT $3";
    /// One verification of a person.
    FIND = "SELECT v.id, v.kind, v.created_at, c.status, c.reason, c.purpose, c.expires_at, c.decided_at, \
              c.summary, a.person_key_id \
            FROM verifications v JOIN accounts a ON a.id = v.account_id \
            LEFT JOIN verification_claims c ON c.id = v.id \
            WHERE v.id = $1 AND v.account_id = $2";
}

/// How a verification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VerificationStatus)]
pub enum Status {
    /// The person has to act, or Alipay has not said yet.
    Pending,
    /// It is so.
    Passed,
    /// It is not so; the reason says why.
    Failed,
    /// The person has not acted in time.
    Expired,
    /// An operator looks at it.
    InReview,
    /// The person has withdrawn the consent; what was collected is gone.
    Revoked,
}

/// A verification.
#[derive(Serialize, ToSchema)]
pub struct Verification {
    /// Its identifier.
    pub id: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// How it stands.
    pub status: Status,
    /// Why it failed, or what the operator said.
    pub reason: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Until when the person can act.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    #[serde(skip)]
    claim: Option<Claim>,
}

/// What of the claim only some answers need.
struct Claim {
    /// Whether a person decides, or has decided, instead of Alipay.
    is_reviewed: bool,
    summary: Vec<u8>,
    person_key_id: Uuid,
}

impl Verification {
    fn from_row(row: &Row, now: Timestamp) -> Result<Self, SqlError> {
        let kind: String = row.get("kind")?;
        let status: Option<String> = row.get("status")?;
        let expires_at: Option<Timestamp> = row.get("expires_at")?;
        let purpose: Option<String> = row.get("purpose")?;
        let is_late = expires_at.is_some_and(|expires_at| expires_at <= now);
        let claim = match row.get::<Option<Vec<u8>>>("summary")? {
            Some(summary) => Some(Claim {
                is_reviewed: purpose.as_deref() != Some("real-name-verification"),
                summary,
                person_key_id: row.get("person_key_id")?,
            }),
            None => None,
        };
        Ok(Self {
            id: row.get("id")?,
            kind: Kind::named(&kind).ok_or(SqlError::Mismatch { column: "kind" })?,
            status: match status.as_deref() {
                None => Status::Revoked,
                Some("pending") if is_late => Status::Expired,
                Some("pending") => Status::Pending,
                Some("passed") => Status::Passed,
                Some("failed") => Status::Failed,
                Some("in_review") => Status::InReview,
                Some(_) => return Err(SqlError::Mismatch { column: "status" }),
            },
            reason: row.get("reason")?,
            created_at: row.get("created_at")?,
            expires_at,
            decided_at: row.get("decided_at")?,
            claim,
        })
    }

    /// Whether the person may object: the result, or the lack of one, is the machine's.
    pub fn is_appealable(&self) -> bool {
        let is_machines = self.claim.as_ref().is_some_and(|claim| !claim.is_reviewed);
        let is_open = matches!(
            self.status,
            Status::Pending | Status::Failed | Status::Expired
        );
        self.kind == Kind::RealName && is_machines && is_open
    }

    /// Whom it is about; nobody any more after the consent was withdrawn.
    ///
    /// # Errors
    /// The key store failed.
    pub fn subject(&self, cx: &Context) -> Result<Option<Summary>, Problem> {
        let open = |claim: &Claim| Summary::open(cx, claim.person_key_id, self.id, &claim.summary);
        self.claim.as_ref().map(open).transpose()
    }
}

/// Shows the claim `id` to its person. Doing it again changes nothing.
///
/// # Errors
/// 401 if the account has just gone; or the database failed.
pub fn publish(cx: &Context, id: Uuid, account_id: Uuid, kind: Kind) -> Result<(), Problem> {
    let published = cx.sql()?.execute(
        &PUBLISH,
        &[
            Parameter::id(id),
            Parameter::id(account_id),
            Parameter::text(kind.name()),
            Parameter::time(cx.now()),
        ],
    );
    match published {
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Problem::unauthenticated()),
        published => Ok(published?),
    }
}

/// One page of a person's verifications, newest first.
///
/// # Errors
/// The database failed.
pub fn list(
    cx: &Context,
    account_id: Uuid,
    page: PageRequest,
) -> Result<Vec<Verification>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(account_id),
            Parameter::text(page.before()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    let items = rows.iter().map(|row| Verification::from_row(row, cx.now()));
    Ok(items.collect::<Result<_, _>>()?)
}

/// One verification of a person.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find(cx: &Context, id: Uuid, account_id: Uuid) -> Result<Verification, Error> {
    let row = cx
        .sql()?
        .first(&FIND, &[Parameter::id(id), Parameter::id(account_id)])?
        .ok_or(Error::NotFound)?;
    Ok(Verification::from_row(&row, cx.now())?)
}
