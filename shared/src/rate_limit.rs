//! Counters that hold under any number of requests at once.
//!
//! All counters of a call are taken in one statement. Each row carries what it allows, and a check in the
//! schema refuses the row that would go beyond: then the whole statement has no effect, on either engine.

use std::time::Duration;

use http::StatusCode;

use crate::crypto::{Key, KeyedHash, Purpose};
use crate::http::{Context, Problem};
use crate::sql::{Constraint, Parameter, SqlError, statements};
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The text that takes the counters of `$rows`, at the time `$now`.
macro_rules! take {
    ($rows:literal, $now:literal) => {
        concat!(
            "INSERT INTO rate_limits (bucket, taken, allowed, ends_at) VALUES ",
            $rows,
            " ON CONFLICT (bucket) DO UPDATE SET taken = CASE WHEN rate_limits.ends_at <= ",
            $now,
            " THEN 1 ELSE rate_limits.taken + 1 END, ends_at = CASE WHEN rate_limits.ends_at <= ",
            $now,
            " THEN excluded.ends_at ELSE rate_limits.ends_at END, allowed = excluded.allowed"
        )
    };
}

statements! {
    /// Takes one counter.
    TAKE_ONE = (take!("($1, 1, $2, $3)", "$4"));
    /// Takes two counters, or neither.
    TAKE_TWO = (take!("($1, 1, $2, $3), ($4, 1, $5, $6)", "$7"));
    /// Takes four counters, or none.
    TAKE_FOUR = (take!(
        "($1, 1, $2, $3), ($4, 1, $5, $6), ($7, 1, $8, $9), ($10, 1, $11, $12)",
        "$13"
    ));
    /// When one counter can be taken again.
    FIND = "SELECT taken, ends_at FROM rate_limits WHERE bucket = $1";
    /// Gives one back.
    GIVE_BACK = "UPDATE rate_limits SET taken = taken - 1 WHERE bucket = $1 AND taken > 0";
}

/// One limit: so many in such a time for one subject.
#[derive(Debug)]
pub struct Limit {
    kind: &'static str,
    subject: Vec<u8>,
    allowed: i64,
    window: Duration,
    is_kept: bool,
}

impl Limit {
    /// `allowed` in a minute.
    pub fn per_minute(kind: &'static str, subject: &[u8], allowed: i64) -> Self {
        Self::new(kind, subject, allowed, MINUTE)
    }

    /// `allowed` in an hour.
    pub fn per_hour(kind: &'static str, subject: &[u8], allowed: i64) -> Self {
        Self::new(kind, subject, allowed, HOUR)
    }

    /// `allowed` in a day.
    pub fn per_day(kind: &'static str, subject: &[u8], allowed: i64) -> Self {
        Self::new(kind, subject, allowed, DAY)
    }

    fn new(kind: &'static str, subject: &[u8], allowed: i64, window: Duration) -> Self {
        Self {
            kind,
            subject: subject.to_vec(),
            allowed,
            window,
            is_kept: false,
        }
    }

    /// The same, but never given back: what did not happen still cost us something.
    pub fn kept(self) -> Self {
        Self {
            is_kept: true,
            ..self
        }
    }

    fn bucket(&self, key: &Key) -> KeyedHash {
        key.hash(&[
            self.kind.as_bytes(),
            &self.window.as_secs().to_be_bytes(),
            &self.subject,
        ])
    }
}

/// Counters that were taken and can be given back.
#[must_use]
pub struct Taken(Vec<KeyedHash>);

/// Takes one from each of the limits, or from none. A window begins with its first taking.
///
/// # Errors
/// 429 `rate-limited` that says when all can be taken again; or the database failed.
pub fn take<const N: usize>(cx: &Context, limits: [Limit; N]) -> Result<Taken, Problem> {
    let statement = const {
        match N {
            1 => &TAKE_ONE,
            2 => &TAKE_TWO,
            4 => &TAKE_FOUR,
            _ => panic!("write a statement for as many limits"),
        }
    };
    let key = Key::for_purpose(Purpose::RateLimit)?;
    let buckets = limits.each_ref().map(|limit| limit.bucket(&key));
    let mut parameters = Vec::new();
    for (limit, bucket) in limits.iter().zip(&buckets) {
        parameters.extend([
            Parameter::blob(bucket),
            Parameter::Integer(limit.allowed),
            Parameter::time(cx.now().plus(limit.window)),
        ]);
    }
    parameters.push(Parameter::time(cx.now()));
    match cx.sql()?.execute(statement, &parameters) {
        Ok(()) => {
            let taken = limits.iter().zip(buckets);
            let returnable = taken.filter(|(limit, _)| !limit.is_kept);
            Ok(Taken(returnable.map(|(_, bucket)| bucket).collect()))
        }
        Err(SqlError::Constraint(Constraint::Check(_))) => {
            Err(limited(free_again(cx, &limits, &buckets)?))
        }
        Err(error) => Err(error.into()),
    }
}

/// Counted from when the answer is made, which can be seconds after the request came.
fn limited(until: Timestamp) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate-limited",
        "操作太频繁,请稍后再试",
    )
    .retry_at(Timestamp::now(), until)
}

/// The latest end among the windows that are used up.
fn free_again(cx: &Context, limits: &[Limit], buckets: &[KeyedHash]) -> Result<Timestamp, Problem> {
    let mut until = cx.now();
    for (limit, bucket) in limits.iter().zip(buckets) {
        let row = cx.sql()?.first(&FIND, &[Parameter::blob(bucket)])?;
        let used_up = match row {
            Some(row) => {
                let ends_at: Timestamp = row.get("ends_at")?;
                (row.get::<i64>("taken")? >= limit.allowed).then_some(ends_at)
            }
            None => (limit.allowed <= 0).then(|| cx.now().plus(limit.window)),
        };
        until = until.max(used_up.unwrap_or(until));
    }
    Ok(until)
}

impl Taken {
    /// Gives the counters back, for what did not happen after all.
    ///
    /// # Errors
    /// The database failed; what is not given back then comes back when its window ends.
    pub fn give_back(self, cx: &Context) -> Result<(), Problem> {
        for bucket in self.0 {
            cx.sql()?.execute(&GIVE_BACK, &[Parameter::blob(bucket)])?;
        }
        Ok(())
    }
}
