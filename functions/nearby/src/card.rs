//! Someone as they are answered in a list: less than the whole profile, and nothing that others do not see
//! (clauses T1, S2).

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use shared::profile::show;
use shared::sql::{Row, SqlError};
use uuid::Uuid;

/// The fields that are answered, as long as they may be.
const FIELDS: [&str; 8] = [
    "avatar",
    "gender",
    "real_name",
    "company",
    "job_title",
    "motto",
    "city",
    "industries",
];

/// What a statement selects for a card of the profile `p`.
macro_rules! columns {
    () => {
        "p.hidden, p.avatar, p.gender, p.real_name, p.company, p.job_title, p.motto, p.city, p.industries"
    };
}

pub(crate) use columns;

/// A card.
#[derive(Debug)]
pub struct Card {
    id: Uuid,
    hidden: i64,
    fields: [Option<String>; FIELDS.len()],
    /// The step of the distance; `None` in lists that do not say it.
    within: Option<i64>,
}

impl Card {
    /// The card in a row, with the step to tell.
    ///
    /// # Errors
    /// A column is not what it should be.
    pub fn from_row(row: &Row, within: Option<i64>) -> Result<Self, SqlError> {
        let mut fields = [const { None }; FIELDS.len()];
        for (field, name) in fields.iter_mut().zip(FIELDS) {
            *field = row.get(name)?;
        }
        Ok(Self {
            id: row.get("account_id")?,
            hidden: row.get("hidden")?,
            fields,
            within,
        })
    }
}

impl Serialize for Card {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_map(None)?;
        view.serialize_entry("id", &self.id)?;
        let values = self.fields.iter().map(Option::as_deref);
        show(&mut view, self.hidden, FIELDS.into_iter().zip(values))?;
        if let Some(within) = self.within {
            view.serialize_entry("within", &within)?;
        }
        view.end()
    }
}
