//! Seals over the ledger's closed days. Each is a keyed hash of the day's digest and of the seal before it,
//! so that whoever changes a row behind the application's back breaks every seal from there on.
//! `scripts/ledger-check` computes them again.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use shared::crypto::{Key, Purpose, hex};
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;

/// A day is closed this long after its end: whatever began in it has ended.
const MARGIN: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many days one call seals.
const MOST_DAYS: usize = 31;
/// How many rows are read at once.
const ROWS: i64 = 5000;

macro_rules! rows_of_day {
    ($as_bytes:literal) => {
        concat!(
            "SELECT created_at, reference, kind, \
               reference || '|' || kind || '|' || account || '|' \
                 || COALESCE(CAST(number AS TEXT), '') || '|' || CAST(amount AS TEXT) || '|' \
                 || COALESCE(CAST(balance AS TEXT), '') || '|' \
                 || COALESCE(CAST(debt AS TEXT), '') || '|' || CAST(created_at AS TEXT) AS line \
             FROM ledger WHERE (created_at, reference",
            $as_bytes,
            ", kind",
            $as_bytes,
            ") > ($1, $2, $3) AND created_at < $4 ORDER BY created_at, reference",
            $as_bytes,
            ", kind",
            $as_bytes,
            " LIMIT $5"
        )
    };
}

statements! {
    /// The newest seal.
    LAST = "SELECT day, seal FROM ledger_seals ORDER BY day DESC LIMIT 1";
    /// The first entry from a moment on.
    NEXT = "SELECT created_at FROM ledger WHERE created_at >= $1 ORDER BY created_at LIMIT 1";
    /// The entries after one, up to a moment, as the texts that are hashed: in the order of their bytes, whatever
    /// the database's language is.
    ROWS_OF_DAY = {
        sqlite: rows_of_day!(""),
        postgres: rows_of_day!(" COLLATE \"C\"")
    };
    /// Seals a day, if nobody has in the meantime.
    SEAL = "INSERT INTO ledger_seals (day, entries, digest, seal, sealed_at) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (day) DO NOTHING";
}

/// What was sealed.
#[derive(Debug)]
pub struct Sealed {
    /// The days, as `YYYY-MM-DD`.
    pub days: Vec<String>,
    /// Whether there may be more to seal.
    pub more: bool,
}

/// Seals the days that are closed and are not sealed yet, the oldest first. Days without entries have no
/// seal.
///
/// # Errors
/// The database failed; what was sealed until then stays.
pub fn seal_closed_days(cx: &Context) -> Result<Sealed, Problem> {
    let key = Key::for_purpose(Purpose::LedgerSeal)?;
    let closed = cx.now().minus(MARGIN).china_day();
    let (mut from, mut before) = last(cx)?;
    let mut days = Vec::new();
    while days.len() < MOST_DAYS {
        let Some(first) = next(cx, from)?.filter(|first| *first < closed) else {
            return Ok(Sealed { days, more: false });
        };
        let start = first.china_day();
        let end = start.plus(DAY);
        let day = start.china_date().to_string();
        let (entries, digest) = digest(cx, start, end)?;
        let text = format!("{before}|{day}|{entries}|{digest}");
        let seal = hex(&key.hash(&[text.as_bytes()]));
        let parameters = [
            Parameter::text(day.as_str()),
            Parameter::Integer(entries),
            Parameter::text(digest),
            Parameter::text(seal.as_str()),
            Parameter::time(cx.now()),
        ];
        cx.sql()?.execute(&SEAL, &parameters)?;
        // An anchor outside of the database: who can change that, and has the key, does not reach the log.
        let fields = [
            ("day", day.as_str().into()),
            ("entries", entries.into()),
            ("seal", seal.as_str().into()),
        ];
        cx.log(Level::Info, "ledger-sealed", &fields);
        days.push(day);
        (from, before) = (end, seal);
    }
    Ok(Sealed { days, more: true })
}

/// From when on nothing is sealed, and the seal before that.
fn last(cx: &Context) -> Result<(Timestamp, String), Problem> {
    let Some(row) = cx.sql()?.first(&LAST, &[])? else {
        return Ok((Timestamp(0), String::new()));
    };
    let day: String = row.get("day")?;
    let start = Timestamp::start_of_china_date(&day).ok_or_else(Problem::internal)?;
    Ok((start.plus(DAY), row.get("seal")?))
}

fn next(cx: &Context, from: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let row = cx.sql()?.first(&NEXT, &[Parameter::time(from)])?;
    Ok(row.map(|row| row.get("created_at")).transpose()?)
}

/// How many entries there are from `start` to `end`, and the SHA-256 of their lines in hexadecimal.
fn digest(cx: &Context, start: Timestamp, end: Timestamp) -> Result<(i64, String), Problem> {
    let mut hash = Sha256::new();
    let mut entries = 0;
    let mut after = (start, String::new(), String::new());
    loop {
        let rows = cx.sql()?.query(
            &ROWS_OF_DAY,
            &[
                Parameter::time(after.0),
                Parameter::text(after.1.as_str()),
                Parameter::text(after.2.as_str()),
                Parameter::time(end),
                Parameter::Integer(ROWS),
            ],
        )?;
        for row in &rows {
            let line: String = row.get("line")?;
            hash.update(line.as_bytes());
            hash.update(b"\n");
            entries += 1;
        }
        match rows.last() {
            Some(row) => after = place(row)?,
            None => return Ok((entries, hex(&hash.finalize()))),
        }
    }
}

fn place(row: &Row) -> Result<(Timestamp, String, String), SqlError> {
    Ok((
        row.get("created_at")?,
        row.get("reference")?,
        row.get("kind")?,
    ))
}
