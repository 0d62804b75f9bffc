//! Taking requests in: from people in the app, and from operators whom people called or wrote to.

use shared::crypto::{KeyedHash, PersonKey, Purpose};
use shared::http::{Context, Problem, Violation};
use shared::rate_limit::{self, Limit};
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use shared::{random, variables};
use uuid::Uuid;

use crate::calendar::{self, TERM};
use crate::error::Error;
use crate::kind::{Kind, Proof, Reason};
use crate::request::{self, Request};

statements! {
    /// Under which key an account's texts are sealed.
    FIND_KEY = "SELECT person_key_id FROM accounts WHERE id = $1";
    /// An account's open request that says this.
    SAME_OF = "SELECT id FROM requests WHERE account_id = $1 AND asked_hash = $2 AND status = 'open' \
               ORDER BY id LIMIT 1";
    /// A stranger's open request about an account that says this.
    SAME_ABOUT = "SELECT id FROM requests \
                  WHERE subject = $1 AND identity = 'stranger' AND asked_hash = $2 AND status = 'open' \
                  ORDER BY id LIMIT 1";
    /// Takes a request in. A subject that is no account is none.
    INSERT = "INSERT INTO requests (id, account_id, kind, reason, subject, text, status, identity, received_at, \
                due_at, calendar, asked_hash) \
              VALUES ($1, $2, $3, $4, (SELECT a.id FROM accounts a WHERE a.id = $5), $6, 'open', $7, $8, $9, \
                $10, $11)";
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
    pub identity: Proof,
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

/// Takes in what somebody asks who is logged in. Anybody can be reported: who has blocked the asker, who is about to
/// leave and who never was here are answered alike, so that nobody learns from a report which it is.
///
/// # Errors
/// 429 `rate-limited`, or a store failed.
pub fn ask(cx: &Context, asker: Uuid, asked: &Asked) -> Result<Request, Error> {
    let key = key(cx, asker)?.ok_or_else(Problem::unauthenticated)?;
    if let Some(same) = same(cx, asked, &key)? {
        return request::find_own(cx, same, asker);
    }
    let allowed = variables::parsed("requests_per_day")?;
    let limit = Limit::per_day("request", asker.as_bytes(), allowed);
    let taken = rate_limit::take(cx, [limit])?;
    let inserted = insert(cx, asked, &key);
    if inserted.is_err() {
        taken.give_back(cx)?;
    }
    request::find_own(cx, inserted?, asker)
}

/// Takes in what reached an operator.
///
/// # Errors
/// [`Error::Invalid`] where an account is not there, [`Error::NotFound`] where the one is not that an account reports;
/// or a store failed.
pub fn record(cx: &Context, asked: &Asked) -> Result<Request, Error> {
    let (field, owner) = match asked.account_id {
        Some(account_id) => ("account_id", Some(account_id)),
        None => ("subject", asked.subject),
    };
    let unknown = || Violation::new(field, "account");
    let key = key(cx, owner.ok_or_else(unknown)?)?.ok_or_else(unknown)?;
    if let Some(subject) = asked.subject {
        let found = cx.sql()?.first(&FIND_KEY, &[Parameter::id(subject)])?;
        found.ok_or(Error::NotFound)?;
    }
    let id = match same(cx, asked, &key)? {
        Some(same) => same,
        None => insert(cx, asked, &key)?,
    };
    request::find(cx, id)
}

fn key(cx: &Context, account_id: Uuid) -> Result<Option<PersonKey>, Error> {
    let row = cx.sql()?.first(&FIND_KEY, &[Parameter::id(account_id)])?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(PersonKey::load(cx, row.get("person_key_id")?)?))
}

/// The open request that says just the same. Asked again, for whatever reason, it stays one: a call that was
/// stopped half-way leaves no second behind when it is repeated.
fn same(cx: &Context, asked: &Asked, key: &PersonKey) -> Result<Option<Uuid>, Error> {
    let (statement, owner) = match asked.account_id {
        Some(account_id) => (&SAME_OF, Some(account_id)),
        None => (&SAME_ABOUT, asked.subject),
    };
    let parameters = [
        Parameter::optional(owner.map(Parameter::id)),
        Parameter::blob(asked.hash(key)),
    ];
    let same = cx.sql()?.first(statement, &parameters)?;
    Ok(same.map(|row| row.get("id")).transpose()?)
}

impl Asked<'_> {
    /// What is asked, as it is found again. The subject is the one that was named, whether it is an account or not: so
    /// a second report tells no more than the first.
    fn hash(&self, key: &PersonKey) -> KeyedHash {
        let reason = self.reason.map(Reason::name).unwrap_or_default();
        let subject = self.subject.map(|id| id.to_string()).unwrap_or_default();
        let parts = [self.kind.name(), reason, &subject, self.text];
        key.hash(Purpose::AskedAgain, &parts.map(str::as_bytes))
    }
}

fn insert(cx: &Context, asked: &Asked, key: &PersonKey) -> Result<Uuid, Error> {
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
            Parameter::blob(asked.hash(key)),
        ],
    );
    match inserted {
        Ok(()) => Ok(id),
        // Who asks, or whom it is about, has gone at this moment: asked again, it is as it is then.
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Problem::unavailable().into()),
        Err(error) => Err(error.into()),
    }
}
