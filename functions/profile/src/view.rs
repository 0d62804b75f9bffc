//! A profile as its owner and as others see it.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use shared::profile::{Answered, OPTIONAL, hidden_bit, show};

use crate::completeness::completeness;
use crate::store::Profile;

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
            view.serialize_entry(field.name, &Answered(field.name, value))?;
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
        let fields = profile.fields().map(|(field, value)| (field.name, value));
        show(&mut view, profile.hidden, fields)?;
        view.end()
    }
}

/// Of each optional field, whether others see it.
struct Visibility(i64);

impl Serialize for Visibility {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_shown = |name: &str| self.0 & hidden_bit(name) == 0;
        serializer.collect_map(OPTIONAL.map(|name| (name, is_shown(name))))
    }
}
