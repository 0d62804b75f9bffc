//! Bringing announcements into people's inboxes, some accounts a call (clauses N1, G3, T4, C2).
//!
//! `announcements.step` is the last account that was looked at. A part is three steps, in this order: where the part
//! ends, the notices of its accounts, the new step. Stopped before the last, the same part comes again, and the
//! notices that it has made are there already. Two calls at once do the same part, once.

use std::time::Duration;

use shared::announcement::Audience;
use shared::chain::Part;
use shared::http::{Context, Problem};
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use shared::variables;
use uuid::Uuid;

/// How many accounts one call looks at.
pub const PART: usize = 500;

statements! {
    /// What is not delivered yet: breaches first, for they are told without delay (clause C2), then the oldest.
    NEXT = "SELECT id, kind, audience, step, created_at FROM announcements \
            WHERE delivered_at IS NULL ORDER BY kind <> 'breach', id LIMIT 1";
    /// Where the part after an account ends.
    PART_END = "SELECT MAX(p.id) AS last FROM \
                (SELECT a.id FROM accounts a WHERE a.id > $1 ORDER BY a.id LIMIT 500) p";
    /// The notices of a part of all accounts. Whoever came after the moment was not there to be told.
    TELL_PART = "INSERT INTO notices (account_id, announcement_id, created_at, sms_status, sms_at) \
        SELECT a.id, $1, CAST($2 AS BIGINT), $3, CAST($4 AS BIGINT) FROM accounts a \
        WHERE a.id > $5 AND a.id <= $6 AND a.created_at <= $7 \
        ON CONFLICT (account_id, announcement_id) DO NOTHING";
    /// The notices of accounts whose identifiers stand one after the other in a text, of 36 characters each.
    TELL_LISTED = "INSERT INTO notices (account_id, announcement_id, created_at, sms_status, sms_at) \
        WITH RECURSIVE listed (id, rest) AS ( \
          SELECT SUBSTR($1, 1, 36), SUBSTR($1, 37) \
          UNION ALL SELECT SUBSTR(rest, 1, 36), SUBSTR(rest, 37) FROM listed WHERE rest <> '') \
        SELECT a.id, $2, CAST($3 AS BIGINT), $4, CAST($5 AS BIGINT) \
        FROM listed JOIN accounts a ON a.id = listed.id WHERE a.created_at <= $6 \
        ON CONFLICT (account_id, announcement_id) DO NOTHING";
    /// How far it came. It never goes back.
    ADVANCE = "UPDATE announcements SET step = $1 WHERE id = $2 AND step < $1 AND delivered_at IS NULL";
    /// Everybody was told; whom last is not kept.
    FINISH = "UPDATE announcements SET delivered_at = $1, audience = $2, step = '' \
              WHERE id = $3 AND delivered_at IS NULL";
}

struct Next {
    id: Uuid,
    audience: Audience,
    step: String,
    created_at: Timestamp,
    by_sms: bool,
}

/// Delivers a part of the announcement that is next: to how many accounts.
///
/// # Errors
/// The database failed, or the variables are unusable; what was done stays.
pub fn part(cx: &Context) -> Result<Part, Problem> {
    let Some(next) = next(cx)? else {
        return Ok(Part::default());
    };
    let told = match &next.audience {
        Audience::Everybody => next.tell_part(cx, next.created_at),
        Audience::RegisteredBefore(moment) => {
            let last = moment.minus(Duration::from_millis(1));
            next.tell_part(cx, next.created_at.min(last))
        }
        Audience::Accounts(ids) => next.tell_listed(cx, ids),
        Audience::Told(_) => next.finish(cx).map(|()| 0),
    };
    match told {
        Ok(done) => Ok(Part { done, more: true }),
        // An account was deleted while it was told: the part comes again without it.
        Err(Failure::AccountGone) => Ok(Part {
            done: 0,
            more: true,
        }),
        Err(Failure::Problem(problem)) => Err(problem),
    }
}

fn next(cx: &Context) -> Result<Option<Next>, Problem> {
    let Some(row) = cx.sql()?.first(&NEXT, &[])? else {
        return Ok(None);
    };
    let audience = Audience::from_text(&row.get::<String>("audience")?);
    let is_breach = row.get::<String>("kind")? == "breach";
    Ok(Some(Next {
        id: row.get("id")?,
        audience: audience.ok_or_else(Problem::internal)?,
        step: row.get("step")?,
        created_at: row.get("created_at")?,
        by_sms: is_breach && !variables::text("aliyun_sms_notice_template_code")?.is_empty(),
    }))
}

enum Failure {
    AccountGone,
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// A reference to an account that is gone is no fault.
fn told(result: Result<(), SqlError>) -> Result<(), Failure> {
    match result {
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Failure::AccountGone),
        result => Ok(result?),
    }
}

impl Next {
    /// The columns `created_at`, `sms_status` and `sms_at` of a new notice.
    fn columns(&self, cx: &Context) -> [Parameter; 3] {
        let now = Parameter::time(cx.now());
        if self.by_sms {
            [now.clone(), Parameter::text("due"), now]
        } else {
            [now, Parameter::Null, Parameter::Null]
        }
    }

    fn tell_part(&self, cx: &Context, opened_until: Timestamp) -> Result<usize, Failure> {
        let row = cx.sql()?.first(&PART_END, &[Parameter::text(&self.step)])?;
        let last: Option<String> = row.map(|row| row.get("last")).transpose()?.flatten();
        let Some(last) = last else {
            self.finish(cx)?;
            return Ok(0);
        };
        let [created_at, sms_status, sms_at] = self.columns(cx);
        told(cx.sql()?.execute(
            &TELL_PART,
            &[
                Parameter::id(self.id),
                created_at,
                sms_status,
                sms_at,
                Parameter::text(&self.step),
                Parameter::text(&last),
                Parameter::time(opened_until),
            ],
        ))?;
        self.advance(cx, &last)?;
        Ok(PART)
    }

    fn tell_listed(&self, cx: &Context, ids: &[Uuid]) -> Result<usize, Failure> {
        let ids = ids.iter().map(Uuid::to_string);
        let part: Vec<_> = ids.filter(|id| *id > self.step).take(PART).collect();
        let Some(last) = part.last() else {
            self.finish(cx)?;
            return Ok(0);
        };
        let [created_at, sms_status, sms_at] = self.columns(cx);
        told(cx.sql()?.execute(
            &TELL_LISTED,
            &[
                Parameter::text(part.concat()),
                Parameter::id(self.id),
                created_at,
                sms_status,
                sms_at,
                Parameter::time(self.created_at),
            ],
        ))?;
        self.advance(cx, last)?;
        Ok(part.len())
    }

    fn advance(&self, cx: &Context, last: &str) -> Result<(), Failure> {
        let step = [Parameter::text(last), Parameter::id(self.id)];
        Ok(cx.sql()?.execute(&ADVANCE, &step)?)
    }

    fn finish(&self, cx: &Context) -> Result<(), Failure> {
        let audience = self.audience.when_told().to_text();
        let finish = [
            Parameter::time(cx.now()),
            Parameter::text(audience),
            Parameter::id(self.id),
        ];
        Ok(cx.sql()?.execute(&FINISH, &finish)?)
    }
}
