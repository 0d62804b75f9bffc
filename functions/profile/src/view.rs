//! A profile as its owner and as others see it.

use serde_json::{Map, Value, json};

use crate::completeness::completeness;
use crate::fields::{self, Field, OPTIONAL, REQUIRED};
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
pub fn own(profile: &Profile) -> Value {
    let mut view = Map::new();
    view.insert("id".into(), profile.id.to_string().into());
    for field in fields::all() {
        view.insert(field.name.into(), answered(field, profile));
    }
    let visibility: Map<_, _> = OPTIONAL
        .iter()
        .enumerate()
        .map(|(bit, field)| (field.name.to_owned(), (!is_hidden(profile, bit)).into()))
        .collect();
    let missing: Vec<_> = REQUIRED
        .iter()
        .map(|field| field.name)
        .filter(|name| profile.value(name).is_none())
        .collect();
    view.insert("visibility".into(), visibility.into());
    view.insert("completeness".into(), completeness(profile).into());
    view.insert("missing".into(), missing.into());
    view.into()
}

/// What others see. A hidden field looks like one that was never given.
pub fn public(profile: &Profile) -> Value {
    let mut view = Map::new();
    view.insert("id".into(), profile.id.to_string().into());
    for field in fields::all().filter(|field| PUBLIC.contains(&field.name)) {
        let hidden = OPTIONAL
            .iter()
            .position(|optional| optional.name == field.name)
            .is_some_and(|bit| is_hidden(profile, bit));
        let value = if hidden {
            Value::Null
        } else {
            answered(field, profile)
        };
        view.insert(field.name.into(), value);
    }
    view.into()
}

fn is_hidden(profile: &Profile, bit: usize) -> bool {
    profile.hidden & (1 << bit) != 0
}

/// The stored form as it is answered: lists as lists, codes with their names.
fn answered(field: &Field, profile: &Profile) -> Value {
    let Some(stored) = profile.value(field.name) else {
        return Value::Null;
    };
    if field.is_list() {
        // It was written by us, as JSON.
        return serde_json::from_str(stored).unwrap_or_default();
    }
    if field.is_region() {
        return json!({ "code": stored, "name": region::full_name(stored) });
    }
    stored.into()
}
