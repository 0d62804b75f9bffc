//! Requests in the database, and as they are answered.

use serde::Serialize;
use shared::crypto::{Broken, NoKey, PersonKey};
use shared::http::{Context, PageRequest, Problem};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::calendar::Calendar;
use crate::error::Error;
use crate::kind::{Kind, Proof, Reason, Status};
use crate::refusal::Case;

/// What every statement here selects: a request `r`, with the `$subject` as who asks sees it, and whose key its texts
/// lie under.
macro_rules! selected {
    ($subject:expr, $rest:literal) => {
        concat!(
            "SELECT r.id, r.account_id, r.kind, r.reason, ",
            $subject,
            " AS subject, r.text, r.status, r.identity, \
               r.received_at, r.due_at, r.calendar, r.closed_at, r.refusal, r.answer, r.fee_fen, \
               r.fee_reason, a.person_key_id \
             FROM requests r LEFT JOIN accounts a \
               ON a.id = CASE WHEN r.identity = 'stranger' THEN r.subject ELSE r.account_id END ",
            $rest
        )
    };
}

/// As operators see it.
macro_rules! whole {
    ($rest:literal) => {
        selected!("r.subject", $rest)
    };
}

/// As the person sees it who asked: a report tells nobody that somebody is there.
macro_rules! own {
    ($rest:literal) => {
        selected!(
            concat!(
                "CASE WHEN ",
                shared::known_to!("r.subject", "r.account_id"),
                " THEN r.subject END"
            ),
            $rest
        )
    };
}

statements! {
    /// One request.
    FIND = (whole!("WHERE r.id = $1"));
    /// One request of an account.
    FIND_OWN = (own!("WHERE r.id = $1 AND r.account_id = $2"));
    /// One page of an account's requests, the newest first.
    LIST_OWN = (own!("WHERE r.account_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3"));
    /// One page of all requests that are so far, the first due first: so what is overdue comes before the rest.
    LIST = (whole!(
        "WHERE r.status = $1 \
           AND (r.due_at, r.id) > (COALESCE((SELECT q.due_at FROM requests q WHERE q.id = $2), 0), $2) \
         ORDER BY r.due_at, r.id LIMIT $3"
    ));
}

/// A request as it is stored.
pub struct Request {
    item: RequestItem,
    reason: Option<Reason>,
    subject: Option<Uuid>,
    identity: Proof,
    refusal: Option<Case>,
    fee_fen: Option<i64>,
    text: Vec<u8>,
    answer: Option<Vec<u8>>,
    fee_reason: Option<Vec<u8>>,
    /// The key of who asked; of whom it is about, where a stranger asked. None when that account is gone.
    person_key_id: Option<Uuid>,
}

/// A request in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RequestItem {
    id: Uuid,
    /// Who asked; null for a stranger, and when the account is deleted.
    account_id: Option<Uuid>,
    kind: Kind,
    status: Status,
    /// When it reached us.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// The end of the fifteenth working day after.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    calendar: Calendar,
    /// Whether it is open although that day is over.
    is_overdue: bool,
    /// When it was decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
}

/// A request with its texts. They are null when nobody can read them any more, since the account is deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestDetails {
    #[serde(flatten)]
    item: RequestItem,
    /// Of a report: what is reported.
    reason: Option<Reason>,
    /// Of a report: whom it is about. Who asked reads it while the account can be seen, or is blocked by the reader.
    subject: Option<Uuid>,
    /// How it was made sure who asks.
    identity: Proof,
    /// What was asked.
    text: Option<String>,
    /// What was answered, also with a refusal.
    answer: Option<String>,
    refusal: Option<Refusal>,
    fee: Option<Fee>,
}

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    case: Case,
    /// The case in the policy's words.
    #[schema(example = "涉及商业秘密的")]
    sentence: &'static str,
}

/// What a request costs that repeats others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestFee)]
pub struct Fee {
    /// In fen.
    fen: i64,
    /// What the cost is.
    reason: Option<String>,
}

/// Where a text of a request is sealed to.
pub fn context(column: &str, id: Uuid) -> String {
    format!("requests.{column}:{id}")
}

impl Request {
    fn from_row(cx: &Context, row: &Row) -> Result<Self, SqlError> {
        let status = named(row, "status", Status::named)?;
        let due_at = row.get("due_at")?;
        Ok(Self {
            item: RequestItem {
                id: row.get("id")?,
                account_id: row.get("account_id")?,
                kind: named(row, "kind", Kind::named)?,
                status,
                received_at: row.get("received_at")?,
                due_at,
                calendar: named(row, "calendar", Calendar::named)?,
                is_overdue: status == Status::Open && due_at <= cx.now(),
                closed_at: row.get("closed_at")?,
            },
            reason: optional(row, "reason", Reason::named)?,
            subject: row.get("subject")?,
            identity: named(row, "identity", Proof::named)?,
            refusal: optional(row, "refusal", Case::named)?,
            fee_fen: row.get("fee_fen")?,
            text: row.get("text")?,
            answer: row.get("answer")?,
            fee_reason: row.get("fee_reason")?,
            person_key_id: row.get("person_key_id")?,
        })
    }

    /// The key that its texts lie under; `None` if the account is gone, or about to be.
    ///
    /// # Errors
    /// The store is unavailable, or the key is not there.
    pub fn key(&self, cx: &Context) -> Result<Option<PersonKey>, Problem> {
        let Some(id) = self.person_key_id else {
            return Ok(None);
        };
        match PersonKey::find(cx, id)? {
            Ok(key) => Ok(Some(key)),
            Err(NoKey::Destroyed) => Ok(None),
            Err(missing) => Err(missing.into()),
        }
    }

    /// Whether it waits for a decision.
    pub fn is_open(&self) -> bool {
        self.item.status == Status::Open
    }

    /// What a list shows of it.
    pub fn into_item(self) -> RequestItem {
        self.item
    }

    /// All of it, its texts opened.
    ///
    /// # Errors
    /// The key store is unavailable, or a text does not open.
    pub fn details(self, cx: &Context) -> Result<RequestDetails, Problem> {
        let key = self.key(cx)?;
        let id = self.item.id;
        let open = |column: &str, sealed: Option<&Vec<u8>>| -> Result<Option<String>, Problem> {
            let (Some(key), Some(sealed)) = (&key, sealed) else {
                return Ok(None);
            };
            let text = key.open(&context(column, id), sealed)?;
            Ok(Some(String::from_utf8(text).map_err(|_| Broken)?))
        };
        Ok(RequestDetails {
            text: open("text", Some(&self.text))?,
            answer: open("answer", self.answer.as_ref())?,
            fee: match self.fee_fen {
                Some(fen) => Some(Fee {
                    fen,
                    reason: open("fee_reason", self.fee_reason.as_ref())?,
                }),
                None => None,
            },
            refusal: self.refusal.map(|case| Refusal {
                case,
                sentence: case.sentence(),
            }),
            item: self.item,
            reason: self.reason,
            subject: self.subject,
            identity: self.identity,
        })
    }
}

impl RequestItem {
    /// Its identifier.
    pub fn id(&self) -> Uuid {
        self.id
    }
}

impl RequestDetails {
    /// Whether it was decided so. What cannot be read any more is not compared.
    pub fn was_decided(&self, status: Status, case: Option<Case>, text: &str) -> bool {
        self.item.status == status
            && self.refusal.as_ref().map(|refusal| refusal.case) == case
            && self.answer.as_deref().is_none_or(|answer| answer == text)
    }

    /// Whether it has this fee.
    pub fn has_fee(&self, fen: i64, reason: &str) -> bool {
        let fee = self.fee.as_ref();
        fee.is_some_and(|fee| fee.fen == fen && fee.reason.as_deref() == Some(reason))
    }

    /// Whether it has a fee at all.
    pub fn is_charged(&self) -> bool {
        self.fee.is_some()
    }

    /// Whether it waits for a decision.
    pub fn is_open(&self) -> bool {
        self.item.status == Status::Open
    }
}

fn named<T>(
    row: &Row,
    column: &'static str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, SqlError> {
    let name: String = row.get(column)?;
    find(&name).ok_or(SqlError::Mismatch { column })
}

fn optional<T>(
    row: &Row,
    column: &'static str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, SqlError> {
    match row.get::<Option<String>>(column)? {
        Some(name) => find(&name).map(Some).ok_or(SqlError::Mismatch { column }),
        None => Ok(None),
    }
}

/// A request, whoever asked.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find(cx: &Context, id: Uuid) -> Result<Request, Error> {
    let row = cx.sql()?.first(&FIND, &[Parameter::id(id)])?;
    Ok(Request::from_row(cx, &row.ok_or(Error::NotFound)?)?)
}

/// A request of this account, as the account sees it.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find_own(cx: &Context, id: Uuid, account_id: Uuid) -> Result<Request, Error> {
    let parameters = [Parameter::id(id), Parameter::id(account_id)];
    let row = cx.sql()?.first(&FIND_OWN, &parameters)?;
    Ok(Request::from_row(cx, &row.ok_or(Error::NotFound)?)?)
}

/// One page of an account's requests.
///
/// # Errors
/// The database failed.
pub fn list_own(
    cx: &Context,
    account_id: Uuid,
    page: PageRequest,
) -> Result<Vec<Request>, Problem> {
    let rows = cx.sql()?.query(
        &LIST_OWN,
        &[
            Parameter::id(account_id),
            Parameter::text(page.before()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    read(cx, &rows)
}

/// One page of all requests that are so far.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, status: Status, page: PageRequest) -> Result<Vec<Request>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::text(status.name()),
            Parameter::text(page.after()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    read(cx, &rows)
}

fn read(cx: &Context, rows: &[Row]) -> Result<Vec<Request>, Problem> {
    let requests = rows.iter().map(|row| Request::from_row(cx, row));
    Ok(requests.collect::<Result<_, _>>()?)
}
