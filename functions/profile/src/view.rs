//! A profile as its owner and as others see it.

use serde::ser::{Serialize, SerializeMap as _, SerializeStruct as _, Serializer};
use serde_json::value::RawValue;

use crate::completeness::completeness;
use crate::fields::{Field, OPTIONAL};
use crate::region;
use crate::store::Profile;

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

/// What the owner sees: all fields, who sees them, and what is missing.
pub struct Own<'a>(pub &'a Profile);

/// What others see. A hidden field looks like one that was never given.
pub struct Public<'a>(pub &'a Profile);

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let profile = self.0;
        let missing: Vec<_> = profile.missing().collect();
        let mut view = serializer.serialize_map(None)?;
        view.serialize_entry("id", &profile.id)?;
        for (field, value) in profile.fields() {
            view.serialize_entry(field.name, &Answered(field, value))?;
        }
        view.serialize_entry("visibility", &Visibility(profile.hidden))?;
        view.serialize_entry("completeness", &completeness(profile))?;
        view.serialize_entry("missing", &missing)?;
        view.end()
    }
}

impl Serialize for Public<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let profile = self.0;
        let mut view = serializer.serialize_map(None)?;
        view.serialize_entry("id", &profile.id)?;
        let public = profile
            .fields()
            .filter(|(field, _)| PUBLIC.contains(&field.name));
        for (field, value) in public {
            let shown = value.filter(|_| !is_hidden(profile.hidden, field));
            view.serialize_entry(field.name, &Answered(field, shown))?;
        }
        view.end()
    }
}

fn is_hidden(hidden: i64, field: &Field) -> bool {
    OPTIONAL
        .iter()
        .position(|optional| optional.name == field.name)
        .is_some_and(|bit| hidden & (1 << bit) != 0)
}

/// Of each optional field, whether others see it.
struct Visibility(i64);

impl Serialize for Visibility {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            OPTIONAL
                .iter()
                .map(|field| (field.name, !is_hidden(self.0, field))),
        )
    }
}

/// A field's stored form as it is answered: lists as lists, codes with their names.
struct Answered<'a>(&'a Field, Option<&'a str>);

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(field, stored) = self;
        let Some(stored) = stored else {
            return serializer.serialize_none();
        };
        if field.is_list() {
            // It was written by us, as JSON.
            let list: &RawValue =
                serde_json::from_str(stored).map_err(serde::ser::Error::custom)?;
            return list.serialize(serializer);
        }
        if field.is_region() {
            let mut region = serializer.serialize_struct("Region", 2)?;
            region.serialize_field("code", stored)?;
            region.serialize_field("name", &region::full_name(stored))?;
            return region.end();
        }
        serializer.serialize_str(stored)
    }
}
