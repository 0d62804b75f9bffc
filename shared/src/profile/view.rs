//! What others see of a profile.

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeStruct as _, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::region;

/// Every field that may ever leave for another person (clause T1); the optional ones among them only as
/// long as the owner does not hide them (clause S2).
pub const PUBLIC: [&str; 15] = [
    "avatar",
    "gender",
    "real_name",
    "company",
    "job_title",
    "motto",
    "about",
    "offers",
    "needs",
    "birthday",
    "hometown",
    "city",
    "hobbies",
    "industries",
    "education",
];

/// The fields that a person gives or not. A field's place here is its bit in the column `hidden`: new ones
/// come last.
pub const OPTIONAL: [&str; 10] = [
    "motto",
    "about",
    "offers",
    "needs",
    "birthday",
    "hometown",
    "city",
    "hobbies",
    "industries",
    "education",
];

/// The bit that hides a field; none for a required one.
pub fn hidden_bit(name: &str) -> i64 {
    let place = OPTIONAL.iter().position(|optional| *optional == name);
    place.map_or(0, |place| 1 << place)
}

/// Writes the fields of a profile as others see them. A hidden field looks like one that was never given.
///
/// # Errors
/// The serializer's.
pub fn show<'a, M: SerializeMap>(
    view: &mut M,
    hidden: i64,
    fields: impl Iterator<Item = (&'static str, Option<&'a str>)>,
) -> Result<(), M::Error> {
    for (name, value) in fields.filter(|(name, _)| PUBLIC.contains(name)) {
        let shown = value.filter(|_| hidden & hidden_bit(name) == 0);
        view.serialize_entry(name, &Answered(name, shown))?;
    }
    Ok(())
}

/// A field's stored form as it is answered: lists as lists, codes with their names.
pub struct Answered<'a>(pub &'static str, pub Option<&'a str>);

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(name, Some(stored)) = self else {
            return serializer.serialize_none();
        };
        match *name {
            "hobbies" | "industries" => {
                // It was written by us, as JSON.
                let list: &RawValue = serde_json::from_str(stored).map_err(S::Error::custom)?;
                list.serialize(serializer)
            }
            "hometown" | "city" => {
                let mut region = serializer.serialize_struct("Region", 2)?;
                region.serialize_field("code", stored)?;
                region.serialize_field("name", &region::full_name(stored))?;
                region.end()
            }
            _ => serializer.serialize_str(stored),
        }
    }
}

/// A gender.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Gender {
    Male,
    Female,
    Other,
}

/// An administrative division.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct Region {
    /// Its code (GB/T 2260).
    #[schema(example = "350203")]
    code: String,
    /// Its whole name, from the province down.
    #[schema(example = "福建省厦门市思明区")]
    name: Option<String>,
}
