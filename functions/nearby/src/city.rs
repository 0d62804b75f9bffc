//! People in the same city, from what their profiles say: no location is needed (clause E4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::http::{Context, Page, Problem};
use shared::profile::hidden_bit;
use shared::region;
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::card::{Card, columns};

statements! {
    /// The city that a person gave.
    OWN = "SELECT city FROM profiles WHERE account_id = $1";
    /// One page of the people who show a city from $1 to $2, after the one with $3 and $4.
    PAGE = (concat!(
        "SELECT p.account_id, ",
        columns!(),
        " FROM profiles p WHERE p.city IS NOT NULL AND p.city BETWEEN $1 AND $2 \
           AND (p.city, p.account_id) > ($3, $4) AND (p.hidden & $5) = 0 AND p.account_id <> $6 AND ",
        shared::seen_by!("$6"),
        " ORDER BY p.city, p.account_id LIMIT $7"
    ));
}

/// A place in the list: by code, then by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    city: String,
    account_id: String,
}

impl Place {
    /// The place that a cursor names.
    pub fn from_cursor(cursor: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (city, account_id) = bytes.split_at_checked(6)?;
        let city = String::from_utf8(city.to_vec()).ok()?;
        region::is_known(&city).then_some(())?;
        Some(Self {
            city,
            account_id: Uuid::from_slice(account_id).ok()?.to_string(),
        })
    }
}

/// A cursor for the place of `city` and `account_id`.
fn cursor(city: &str, account_id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode([city.as_bytes(), account_id.as_bytes()].concat())
}

/// The whole city around the place where a person lives, if that was given.
///
/// # Errors
/// The database failed.
pub fn of(cx: &Context, account_id: Uuid) -> Result<Option<String>, Problem> {
    let row = cx.sql()?.first(&OWN, &[Parameter::id(account_id)])?;
    let city = row.map(|row| row.get::<Option<String>>("city"));
    Ok(city
        .transpose()?
        .flatten()
        .as_deref()
        .map(region::whole_city))
}

/// The people who show that they live in `city`, or in a part of it.
///
/// # Errors
/// The database failed.
pub fn page(
    cx: &Context,
    asker: Uuid,
    city: &str,
    after: &Place,
    limit: u32,
) -> Result<Page<Card>, Problem> {
    let (first, last) = region::codes_within(city);
    let rows = cx.sql()?.query(
        &PAGE,
        &[
            Parameter::text(first),
            Parameter::text(last),
            Parameter::text(&after.city),
            Parameter::text(&after.account_id),
            Parameter::Integer(hidden_bit("city")),
            Parameter::id(asker),
            Parameter::Integer(i64::from(limit) + 1),
        ],
    )?;
    let (shown, more) = rows.split_at(rows.len().min(limit as usize));
    let next_cursor = match shown.last().filter(|_| !more.is_empty()) {
        Some(row) => Some(cursor(&row.get::<String>("city")?, row.get("account_id")?)),
        None => None,
    };
    let items = shown.iter().map(|row| Card::from_row(row, None));
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_place() {
        let account_id = Uuid::from_u128(7);
        let place = Place::from_cursor(&cursor("350203", account_id)).unwrap();
        assert_eq!(place.city, "350203");
        assert_eq!(place.account_id, account_id.to_string());
        for garbage in ["", "x", "MzUwMjAz", &cursor("999999", account_id)] {
            assert_eq!(Place::from_cursor(garbage), None, "{garbage}");
        }
    }
}
