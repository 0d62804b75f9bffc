//! What people asked to be erased, noted where a restored backup of the database does not reach (clause R8).
//!
//! A backup knows nothing of what was asked for since it was made. So that is noted twice: as a row of `erasures`, and
//! in the key-value store, which has a copy of all rows of a day under one key. What a copy has and the rows have not
//! was asked for since the backup, and the function `account-deletion` does it again.
//!
//! The store has no compare-and-set. So whoever notes something brings the copy up to all rows of its day, and looks
//! again until nothing is missing; nothing is ever taken out of a copy. What was stopped, or could not be copied, is
//! copied by the next sweep. A day's rows and its copy go when no backup is older.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::http::{Context, Problem};
use crate::log::Level;
use crate::sql::{Parameter, Row, SqlError, Statement, statements};
use crate::time::Timestamp;

const DAY: i64 = 24 * 60 * 60 * 1000;
/// How often a copy is looked at again: as many as may note something at one moment.
const LOOKS: usize = 5;

const CLOSING: &str = "closing";
const KEY: &str = "key";
const CATEGORY: &str = "category:";
const CONSENT: &str = "consent:";

macro_rules! note {
    ($rows:literal) => {
        concat!(
            "INSERT INTO erasures (day, what, noted_at, closes_at, person_key_id) ",
            $rows,
            " ON CONFLICT (day, person_key_id, what) DO UPDATE SET \
               noted_at = excluded.noted_at, closes_at = excluded.closes_at \
             WHERE erasures.noted_at <= excluded.noted_at"
        )
    };
}

statements! {
    /// Something of an account.
    NOTE = (note!(
        "SELECT CAST($1 AS BIGINT), $2, CAST($3 AS BIGINT), CAST($4 AS BIGINT), a.person_key_id \
         FROM accounts a WHERE a.id = $5"
    ));
    /// Something of whoever had a key.
    NOTE_OF_KEY = (note!("VALUES ($1, $2, $3, $4, $5)"));
    /// A day's rows.
    OF_DAY = "SELECT person_key_id, what, noted_at, closes_at FROM erasures WHERE day = $1";
    /// The first day whose time is over.
    OVER = "SELECT day FROM erasures WHERE day < $1 ORDER BY day LIMIT 1";
    /// The end of a day's rows.
    FORGET = "DELETE FROM erasures WHERE day = $1";
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The account closes at this moment; `None`: it stays after all.
    Closing(Option<Timestamp>),
    /// A category of data, by its name.
    Category(String),
    /// A consent was withdrawn, and with it goes what was held for its purpose, by its name.
    Consent(String),
    /// The person's key was destroyed: the account was deleted.
    Key,
}

impl What {
    fn columns(&self) -> (String, Option<Timestamp>) {
        match self {
            Self::Closing(at) => (CLOSING.to_owned(), *at),
            Self::Category(name) => (format!("{CATEGORY}{name}"), None),
            Self::Consent(purpose) => (format!("{CONSENT}{purpose}"), None),
            Self::Key => (KEY.to_owned(), None),
        }
    }

    fn from_columns(what: &str, closes_at: Option<Timestamp>) -> Option<Self> {
        let named = |prefix| what.strip_prefix(prefix).map(str::to_owned);
        match what {
            CLOSING => Some(Self::Closing(closes_at)),
            KEY => Some(Self::Key),
            _ => named(CATEGORY)
                .map(Self::Category)
                .or_else(|| named(CONSENT).map(Self::Consent)),
        }
    }
}

/// Something that was asked for since the backup that was restored.
#[derive(Debug)]
pub struct Missing {
    /// Whose it is.
    pub person_key_id: Uuid,
    /// What was asked for.
    pub what: What,
    day: i64,
    noted_at: Timestamp,
}

/// Notes what is asked for of an account. It is noted before it is answered; what cannot be copied at once stops
/// nothing.
///
/// # Errors
/// The database failed.
pub fn note(cx: &Context, account_id: Uuid, what: &What) -> Result<(), Problem> {
    let day = day_of(cx.now());
    write(cx, &NOTE, account_id, day, what, cx.now())?;
    copy_or_log(cx, day);
    Ok(())
}

/// Notes that a key is destroyed.
///
/// # Errors
/// The database failed.
pub fn note_key(cx: &Context, person_key_id: Uuid) -> Result<(), Problem> {
    let day = day_of(cx.now());
    write(cx, &NOTE_OF_KEY, person_key_id, day, &What::Key, cx.now())?;
    copy_or_log(cx, day);
    Ok(())
}

/// Notes that what was missing is done again.
///
/// # Errors
/// The database failed.
pub fn done_again(cx: &Context, missing: &Missing) -> Result<(), Problem> {
    let Missing {
        person_key_id,
        what,
        day,
        noted_at,
    } = missing;
    write(cx, &NOTE_OF_KEY, *person_key_id, *day, what, *noted_at)
}

/// One note `of` an account, or of a key, as the statement has it.
fn write(
    cx: &Context,
    statement: &Statement,
    of: Uuid,
    day: i64,
    what: &What,
    noted_at: Timestamp,
) -> Result<(), Problem> {
    let (what, closes_at) = what.columns();
    let parameters = [
        Parameter::Integer(day),
        Parameter::text(what),
        Parameter::time(noted_at),
        Parameter::optional(closes_at.map(Parameter::time)),
        Parameter::id(of),
    ];
    Ok(cx.sql()?.execute(statement, &parameters)?)
}

/// What the copies of the last `days` days have and the rows have not, destroyed keys first: of whoever is gone,
/// nothing else need be done.
///
/// # Errors
/// A store failed.
pub fn missing(cx: &Context, days: u32) -> Result<Vec<Missing>, Problem> {
    let today = day_of(cx.now());
    let mut missing = Vec::new();
    for day in today - i64::from(days)..=today {
        let Some(copied) = cx.key_value()?.get(&key(day))? else {
            continue;
        };
        let rows = Notes::of_day(cx, day)?;
        for ((person_key_id, what), note) in Notes::read(&copied).0 {
            let found = rows.0.get(&(person_key_id, what.clone()));
            if found.is_some_and(|found| found.noted_at >= note.noted_at) {
                continue;
            }
            missing.extend(
                What::from_columns(&what, note.closes_at).map(|what| Missing {
                    person_key_id,
                    what,
                    day,
                    noted_at: note.noted_at,
                }),
            );
        }
    }
    missing.sort_by_key(|missing| (missing.what != What::Key, missing.noted_at));
    Ok(missing)
}

/// Copies what of today and yesterday is not copied yet.
pub fn copy_rest(cx: &Context) {
    let today = day_of(cx.now());
    for day in [today - 1, today] {
        copy_or_log(cx, day);
    }
}

/// Forgets the first day that is more than `days` days ago.
///
/// Its copy goes before its rows: stopped between, the same is done again.
///
/// # Errors
/// A store failed.
pub fn forget(cx: &Context, days: u32) -> Result<(), Problem> {
    let first = day_of(cx.now()) - i64::from(days);
    let row = cx.sql()?.first(&OVER, &[Parameter::Integer(first)])?;
    let Some(row) = row else { return Ok(()) };
    let day: i64 = row.get("day")?;
    cx.key_value()?.delete(&key(day))?;
    Ok(cx.sql()?.execute(&FORGET, &[Parameter::Integer(day)])?)
}

fn copy_or_log(cx: &Context, day: i64) {
    if let Err(problem) = copy(cx, day) {
        problem.log(cx);
        cx.log(Level::Warning, "erasures-not-copied", &[]);
    }
}

fn copy(cx: &Context, day: i64) -> Result<(), Problem> {
    let key = key(day);
    for _ in 0..LOOKS {
        let rows = Notes::of_day(cx, day)?;
        if rows.0.is_empty() {
            break;
        }
        let store = cx.key_value()?;
        let copied = store.get(&key)?.unwrap_or_default();
        let mut notes = Notes::read(&copied);
        if !notes.take_in(rows) {
            break;
        }
        store.set(&key, &notes.to_bytes())?;
    }
    Ok(())
}

fn key(day: i64) -> String {
    format!("erasures:{day}")
}

/// Days since 1970, UTC.
fn day_of(moment: Timestamp) -> i64 {
    moment.as_millis().div_euclid(DAY)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    noted_at: Timestamp,
    closes_at: Option<Timestamp>,
}

/// What was noted on a day, by whose it is and what.
#[derive(Debug, Default, PartialEq)]
struct Notes(BTreeMap<(Uuid, String), Note>);

impl Notes {
    fn of_day(cx: &Context, day: i64) -> Result<Self, Problem> {
        let rows = cx.sql()?.query(&OF_DAY, &[Parameter::Integer(day)])?;
        let notes = rows.iter().map(|row: &Row| {
            let note = Note {
                noted_at: row.get("noted_at")?,
                closes_at: row.get("closes_at")?,
            };
            Ok::<_, SqlError>(((row.get("person_key_id")?, row.get("what")?), note))
        });
        Ok(Self(notes.collect::<Result<_, _>>()?))
    }

    /// Takes in the rows of its day, where they are newer; whether that changed anything.
    fn take_in(&mut self, rows: Self) -> bool {
        let mut changed = false;
        for (of, note) in rows.0 {
            let mine = self.0.get(&of);
            if mine.is_none_or(|mine| *mine != note && mine.noted_at <= note.noted_at) {
                self.0.insert(of, note);
                changed = true;
            }
        }
        changed
    }

    /// A line each.
    fn to_bytes(&self) -> Vec<u8> {
        let lines = self.0.iter().map(|((person_key_id, what), note)| {
            let closes_at = note.closes_at.map(|at| at.as_millis().to_string());
            format!(
                "{person_key_id} {what} {} {}\n",
                note.noted_at.as_millis(),
                closes_at.unwrap_or_default()
            )
        });
        lines.collect::<String>().into_bytes()
    }

    /// What is no line of ours says nothing.
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self(text.lines().filter_map(read_line).collect())
    }
}

fn read_line(line: &str) -> Option<((Uuid, String), Note)> {
    let mut words = line.split(' ');
    let person_key_id = words.next()?.parse().ok()?;
    let what = words.next()?.to_owned();
    let noted_at = Timestamp(words.next()?.parse().ok()?);
    let closes_at = match words.next()? {
        "" => None,
        millis => Some(Timestamp(millis.parse().ok()?)),
    };
    Some((
        (person_key_id, what),
        Note {
            noted_at,
            closes_at,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(entries: &[(u128, &What, i64)]) -> Notes {
        let entries = entries.iter().map(|(id, what, noted_at)| {
            let (what, closes_at) = what.columns();
            let noted_at = Timestamp(*noted_at);
            (
                (Uuid::from_u128(*id), what),
                Note {
                    noted_at,
                    closes_at,
                },
            )
        });
        Notes(entries.collect())
    }

    // clause R8
    #[test]
    fn notes_are_read_as_they_were_written() {
        let all = [
            What::Closing(Some(Timestamp(7))),
            What::Closing(None),
            What::Category("profile".into()),
            What::Consent("location".into()),
            What::Key,
        ];
        for what in &all {
            let (text, closes_at) = what.columns();
            assert_eq!(What::from_columns(&text, closes_at).as_ref(), Some(what));
            let notes = notes(&[(1, what, 5), (2, what, 6)]);
            assert_eq!(Notes::read(&notes.to_bytes()), notes);
        }
        assert_eq!(What::from_columns("other", None), None);
        assert_eq!(Notes::read(b"nonsense\n\n"), Notes::default());
    }

    #[test]
    fn a_copy_takes_in_what_is_newer_and_loses_nothing() {
        let (open, closing) = (What::Closing(None), What::Closing(Some(Timestamp(9))));
        let mut copy = notes(&[(1, &closing, 5), (2, &What::Key, 5)]);
        assert!(!copy.take_in(notes(&[(1, &closing, 5)])));
        assert!(!copy.take_in(notes(&[(1, &open, 4)])));
        assert!(copy.take_in(notes(&[(1, &open, 5), (3, &What::Key, 1)])));
        let expected = notes(&[(1, &open, 5), (2, &What::Key, 5), (3, &What::Key, 1)]);
        assert_eq!(copy, expected);
    }
}
