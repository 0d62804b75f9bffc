//! Where people are: one row each, overwritten, expiring, and referring to the consent to it (clause E20).

use std::time::Duration;

use shared::consent::{self, Purpose};
use shared::http::{Context, Problem};
use shared::sql::{Constraint, Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};
use uuid::Uuid;

use crate::cell::Cell;
use crate::error::Error;

statements! {
    /// Moves a location that has not expired to the cell $1, unless a later update was there first, or that
    /// would be too fast: $9 metres are free, and $10 kilometres an hour.
    MOVE = "UPDATE locations SET cell = $1, x = $2, y = $3, z = $4, \
              hidden = COALESCE(CAST($5 AS BIGINT), hidden), \
              moved_at = CASE WHEN cell = $1 THEN moved_at ELSE $6 END, updated_at = $6, expires_at = $7 \
            WHERE account_id = $8 AND expires_at > $6 AND updated_at <= $6 \
              AND ((x - $2) * (x - $2) + (y - $3) * (y - $3) + (z - $4) * (z - $4)) \
                / ($9 + ($6 - updated_at) * $10 / 3600) <= $9 + ($6 - updated_at) * $10 / 3600 \
            RETURNING cell, hidden, updated_at, expires_at";
    /// Places a location where there is none, or one that has expired.
    PLACE = "INSERT INTO locations \
               (account_id, purpose, cell, x, y, z, hidden, moved_at, updated_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, COALESCE(CAST($7 AS BIGINT), 0), CAST($8 AS BIGINT), \
               CAST($8 AS BIGINT), $9) \
             ON CONFLICT (account_id) DO UPDATE SET cell = excluded.cell, x = excluded.x, y = excluded.y, \
               z = excluded.z, hidden = COALESCE(CAST($7 AS BIGINT), locations.hidden), \
               moved_at = excluded.moved_at, updated_at = excluded.updated_at, \
               expires_at = excluded.expires_at \
             WHERE locations.expires_at <= excluded.updated_at \
             RETURNING cell, hidden, updated_at, expires_at";
    /// A location that has not expired.
    FIND = "SELECT cell, hidden, updated_at, expires_at FROM locations \
            WHERE account_id = $1 AND expires_at > $2";
    /// Forgets a location.
    FORGET = "DELETE FROM locations WHERE account_id = $1";
}

/// A location as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    /// The cell.
    pub cell: Cell,
    /// Whether nobody else is shown it.
    pub is_hidden: bool,
    /// When it was given.
    pub updated_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Location {
    /// The location in a row.
    ///
    /// # Errors
    /// A column is not what it should be.
    pub fn from_row(row: &Row) -> Result<Self, SqlError> {
        let cell = Cell::from_number(row.get("cell")?);
        Ok(Self {
            cell: cell.ok_or(SqlError::Mismatch { column: "cell" })?,
            is_hidden: row.get::<i64>("hidden")? != 0,
            updated_at: row.get("updated_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// A location as it is given.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The cell.
    pub cell: Cell,
    /// How far the position can be off, in metres.
    pub accuracy: i64,
    /// Whether nobody else is shown it; `None` leaves that as it is.
    pub is_hidden: Option<bool>,
}

/// How fast people are, and for how long a location holds.
pub struct Rules {
    /// In kilometres an hour.
    max_speed: i64,
    time_to_live: Duration,
}

impl Rules {
    /// What the variables say.
    ///
    /// # Errors
    /// A variable is not a number in its range.
    pub fn configured() -> Result<Self, Misconfigured> {
        let hours: u64 = variables::parsed("location_ttl_hours")?;
        Ok(Self {
            max_speed: within("location_max_speed_kmh", 1, 100_000)?,
            time_to_live: Duration::from_secs(hours.min(MAX_HOURS) * 60 * 60),
        })
    }
}

/// A month: nobody's last location is worth more.
const MAX_HOURS: u64 = 31 * 24;

fn within(variable: &'static str, least: i64, most: i64) -> Result<i64, Misconfigured> {
    let value = variables::parsed(variable)?;
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Misconfigured { variable })
    }
}

/// What a move may always measure: from one edge of a cell to the centre of the next.
const SLACK: i64 = 1500;

/// What became of a move.
pub enum Moved {
    /// The location is there now.
    Done(Location),
    /// A later update was there first; this is what holds.
    Overtaken(Location),
    /// Nobody is that fast.
    TooFast {
        /// When the same move would be slow enough.
        possible_at: Timestamp,
    },
    /// There was none when the move was tried, and now there is one that can be moved.
    Raced,
    /// There is no location to be moved.
    Missing,
}

/// Moves a location.
///
/// # Errors
/// The database failed.
pub fn advance(
    cx: &Context,
    account_id: Uuid,
    given: &Given,
    rules: &Rules,
) -> Result<Moved, Problem> {
    let centre = given.cell.centre();
    let slack = SLACK + given.accuracy;
    let row = cx.sql()?.first(
        &MOVE,
        &[
            Parameter::Integer(given.cell.number()),
            Parameter::Integer(centre.x),
            Parameter::Integer(centre.y),
            Parameter::Integer(centre.z),
            Parameter::optional(given.is_hidden.map(Parameter::flag)),
            Parameter::time(cx.now()),
            Parameter::time(cx.now().plus(rules.time_to_live)),
            Parameter::id(account_id),
            Parameter::Integer(slack),
            Parameter::Integer(rules.max_speed),
        ],
    )?;
    if let Some(row) = row {
        return Ok(Moved::Done(Location::from_row(&row)?));
    }
    let Some(location) = find(cx, account_id)? else {
        return Ok(Moved::Missing);
    };
    if location.updated_at > cx.now() {
        return Ok(Moved::Overtaken(location));
    }
    // A metre more, for what the statement's integers round down.
    let distance = (centre.squared_distance(location.cell.centre()) as f64).sqrt() + 1.0;
    let excess = (distance - slack as f64).max(0.0);
    let wait = Duration::from_secs_f64(excess * 3.6 / rules.max_speed as f64);
    let possible_at = location.updated_at.plus(wait);
    Ok(if possible_at > cx.now() {
        Moved::TooFast { possible_at }
    } else {
        Moved::Raced
    })
}

/// Places a location where there is none; `None` if there is one after all.
///
/// # Errors
/// 403 `consent-required` if the consent was withdrawn just now; or the database failed.
pub fn place(
    cx: &Context,
    account_id: Uuid,
    given: &Given,
    rules: &Rules,
) -> Result<Option<Location>, Error> {
    let centre = given.cell.centre();
    let placed = cx.sql()?.first(
        &PLACE,
        &[
            Parameter::id(account_id),
            Parameter::text(Purpose::Location.terms().name),
            Parameter::Integer(given.cell.number()),
            Parameter::Integer(centre.x),
            Parameter::Integer(centre.y),
            Parameter::Integer(centre.z),
            Parameter::optional(given.is_hidden.map(Parameter::flag)),
            Parameter::time(cx.now()),
            Parameter::time(cx.now().plus(rules.time_to_live)),
        ],
    );
    match placed {
        Ok(row) => Ok(row.map(|row| Location::from_row(&row)).transpose()?),
        Err(SqlError::Constraint(Constraint::ForeignKey)) => {
            Err(consent::required(Purpose::Location).into())
        }
        Err(error) => Err(error.into()),
    }
}

fn find(cx: &Context, account_id: Uuid) -> Result<Option<Location>, Problem> {
    let parameters = [Parameter::id(account_id), Parameter::time(cx.now())];
    let row = cx.sql()?.first(&FIND, &parameters)?;
    Ok(row.map(|row| Location::from_row(&row)).transpose()?)
}

/// Forgets a location, if there is one.
///
/// # Errors
/// The database failed.
pub fn forget(cx: &Context, account_id: Uuid) -> Result<(), Problem> {
    Ok(cx.sql()?.execute(&FORGET, &[Parameter::id(account_id)])?)
}
