//! Which export has its turn, and when again.
//!
//! An export has its turn at `due_at`. That moment is moved on before anything is done for it: whoever moves it has the
//! export to itself until then. What fails is left there, behind those that wait, and so is what is stopped in a way
//! that nobody here can see. What came forward is due at once.

use std::time::Duration;

use shared::http::{Context, Problem};
use shared::sql::{Parameter, Row, statements};
use shared::time::Timestamp;
use uuid::Uuid;

/// The least time until an export is tried again; longer than one mail takes.
const LEAST: Duration = Duration::from_secs(60);
/// The most.
const MOST: Duration = Duration::from_secs(6 * 60 * 60);

statements! {
    /// Exports in this state whose turn it is, what has waited longest first. A frozen account has none: somebody else
    /// may have asked.
    NEXT = "SELECT e.id, e.account_id, e.email, e.step, e.parts, e.created_at, e.due_at, a.person_key_id \
            FROM exports e JOIN accounts a ON a.id = e.account_id \
            WHERE e.status = $1 AND e.due_at <= $2 AND e.expires_at > $2 AND a.frozen_at IS NULL \
            ORDER BY e.due_at, e.id LIMIT $3";
    /// Takes the turn, if nobody has.
    TAKE = "UPDATE exports SET due_at = $1 WHERE id = $2 AND due_at = $3 RETURNING id";
    /// The next turn is at once, unless something else has moved it.
    AGAIN = "UPDATE exports SET due_at = $1 WHERE id = $2 AND due_at = $3";
}

/// The right to go on with an export.
pub struct Turn {
    export_id: Uuid,
    /// When somebody else has it.
    until: Timestamp,
}

/// At most `limit` exports in this state whose turn it is, each to be taken.
///
/// # Errors
/// The database failed.
pub fn next(cx: &Context, status: &str, limit: usize) -> Result<Vec<Row>, Problem> {
    let parameters = [
        Parameter::text(status),
        Parameter::time(cx.now()),
        Parameter::Integer(i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    Ok(cx.sql()?.query(&NEXT, &parameters)?)
}

impl Turn {
    /// Takes the turn of an export that [`next`] found; `None` if somebody else has.
    ///
    /// # Errors
    /// The database failed.
    pub fn take(cx: &Context, row: &Row) -> Result<Option<Self>, Problem> {
        let export_id = row.get("id")?;
        let until = following(row.get("created_at")?, cx.now());
        let taken = cx.sql()?.first(
            &TAKE,
            &[
                Parameter::time(until),
                Parameter::id(export_id),
                Parameter::time(row.get("due_at")?),
            ],
        )?;
        Ok(taken.map(|_| Self { export_id, until }))
    }

    /// Ends the turn of an export that came forward: its next one is at once.
    ///
    /// # Errors
    /// The database failed.
    pub fn again(&self, cx: &Context) -> Result<(), Problem> {
        let parameters = [
            Parameter::time(cx.now()),
            Parameter::id(self.export_id),
            Parameter::time(self.until),
        ];
        Ok(cx.sql()?.execute(&AGAIN, &parameters)?)
    }
}

/// When the next try follows one at `now`: the longer an export takes, the later.
fn following(created_at: Timestamp, now: Timestamp) -> Timestamp {
    let age = Duration::from_secs(created_at.seconds_until(now));
    now.plus((age / 2).clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_a_minute_apart_at_first_and_never_more_than_six_hours() {
        let start = Timestamp(0);
        let mut now = start;
        let mut waits = Vec::new();
        while now < start.plus(Duration::from_secs(24 * 60 * 60)) {
            let next = following(start, now);
            waits.push(now.seconds_until(next));
            now = next;
        }
        assert_eq!(waits[..3], [60, 60, 60]);
        assert!(waits.is_sorted());
        assert_eq!(waits.last(), Some(&(6 * 60 * 60)));
        assert!((15..30).contains(&waits.len()), "{waits:?}");
        // A clock that was put back.
        assert_eq!(following(now, start), start.plus(LEAST));
    }
}
