//! Taking requests in: from people in the app, and from operators whom people called or wrote to.

use shared::crypto::PersonKey;
use shared::http::{Context, Violation};
use shared::rate_limit::{self, Limit};
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use shared::{random, variables};
use uuid::Uuid;

use crate::calendar::{self, TERM};
use crate::error::Error;
use crate::kind::{Identity, Kind, Reason};
use crate::request::{self, Request};

statements! {
    /// Under which key an account's texts are sealed.
    FIND_KEY = "SELECT person_key_id FROM accounts WHERE id = $1";
    /// Somebody whom the asker may see.
    FIND_SEEN = (concat!(
        "SELECT p.account_id FROM profiles p WHERE p.account_id = $1 AND ",
        shared::seen_by!("$2")
    ));
    /// Takes a request in.
    INSERT = "INSERT INTO requests (id, account_id, kind, reason, subject, text, status, identity, received_at, \
                due_at, calendar) \
              VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10)";
}

/// What is asked.
pub struct Asked<'a> {
    /// Who asks; `None` for a stranger.
    pub account_id: Option<Uuid>,
    /// What is asked for.
    pub kind: Kind,
    /// Of a report: what is reported.
    pub reason: Option<Reason>,
    /// Of a report: whom it is about.
    pub subject: Option<Uuid>,
    /// In the asker's words, checked.
    pub text: &'a str,
    /// How it was made sure who asks.
    pub identity: Identity,
    /// When it reached us: the clock begins here, whatever else has to be checked (clause R7).
    pub received_at: Timestamp,
}

/// What a report must have, and nothing else may.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_report(
    kind: Kind,
    reason: Option<Reason>,
    subject: Option<Uuid>,
) -> Result<(), Violation> {
    match (kind, reason, subject) {
        (Kind::Report, None, _) => Err(Violation::new("reason", "missing")),
        (Kind::Report, ..) | (_, None, None) => Ok(()),
        (_, Some(_), _) => Err(Violation::new("reason", "not-a-report")),
        (_, None, Some(_)) => Err(Violation::new("subject", "not-a-report")),
    }
}

/// Takes in what somebody asks who is logged in. Only whom one may see can be reported.
///
/// # Errors
/// [`Error::NotFound`], 429 `rate-limited`, or a store failed.
pub fn ask(cx: &Context, asker: Uuid, asked: &Asked) -> Result<Request, Error> {
    if let Some(subject) = asked.subject {
        let parameters = [Parameter::id(subject), Parameter::id(asker)];
        let seen = cx.sql()?.first(&FIND_SEEN, &parameters)?;
        seen.ok_or(Error::NotFound)?;
    }
    let key = key(cx, asker)?.ok_or_else(shared::http::Problem::unauthenticated)?;
    if let Some(same) = same(cx, asked, &key)? {
        return Ok(same);
    }
    let allowed = variables::parsed("requests_per_day")?;
    let limit = Limit::per_day("request", asker.as_bytes(), allowed);
    let taken = rate_limit::take(cx, [limit])?;
    let inserted = insert(cx, asked, &key);
    if inserted.is_err() {
        taken.give_back(cx)?;
    }
    inserted
}

/// Takes in what reached an operator.
///
/// # Errors
/// [`Error::Invalid`] where an account is not there, or a store failed.
pub fn record(cx: &Context, asked: &Asked) -> Result<Request, Error> {
    let (field, owner) = match asked.account_id {
        Some(account_id) => ("account_id", Some(account_id)),
        None => ("subject", asked.subject),
    };
    let unknown = || Violation::new(field, "account");
    let key = key(cx, owner.ok_or_else(unknown)?)?.ok_or_else(unknown)?;
    match same(cx, asked, &key)? {
        Some(same) => Ok(same),
        None => insert(cx, asked, &key),
    }
}

fn key(cx: &Context, account_id: Uuid) -> Result<Option<PersonKey>, Error> {
    let row = cx.sql()?.first(&FIND_KEY, &[Parameter::id(account_id)])?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(PersonKey::load(cx, row.get("person_key_id")?)?))
}

/// The open request that says just the same. Asked again, for whatever reason, it stays one: a call that was
/// stopped half-way leaves no second behind when it is repeated.
fn same(cx: &Context, asked: &Asked, key: &PersonKey) -> Result<Option<Request>, Error> {
    let is_stranger = asked.account_id.is_none();
    let Some(owner) = asked.account_id.or(asked.subject) else {
        return Ok(None);
    };
    for request in request::latest(cx, owner, is_stranger, asked.kind)? {
        if request.says(key, asked.reason, asked.subject, asked.text)? {
            return Ok(Some(request));
        }
    }
    Ok(None)
}

fn insert(cx: &Context, asked: &Asked, key: &PersonKey) -> Result<Request, Error> {
    let id = cx.new_id();
    let due = calendar::after(asked.received_at, TERM);
    let context = request::context("text", id);
    let sealed = key.seal(&context, asked.text.as_bytes(), &mut random::host());
    let inserted = cx.sql()?.execute(
        &INSERT,
        &[
            Parameter::id(id),
            Parameter::optional(asked.account_id.map(Parameter::id)),
            Parameter::text(asked.kind.name()),
            Parameter::optional(asked.reason.map(|reason| Parameter::text(reason.name()))),
            Parameter::optional(asked.subject.map(Parameter::id)),
            Parameter::blob(sealed),
            Parameter::text(asked.identity.name()),
            Parameter::time(asked.received_at),
            Parameter::time(due.at),
            Parameter::text(due.calendar.name()),
        ],
    );
    match inserted {
        Ok(()) => request::find(cx, id),
        // Whom it is about has just gone, or was never there.
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Error::NotFound),
        Err(error) => Err(error.into()),
    }
}
