//! A change to a profile: a JSON merge patch (RFC 7396), read whole before anything is stored, so that
//! one answer names every violation.

use serde_json::{Map, Value};
use shared::http::Violation;

use crate::error::Error;
use crate::fields::{self, Fault, OPTIONAL, Setting};

/// A valid change.
#[derive(Debug, Default, PartialEq)]
pub struct Patch {
    /// By field, in the order of the columns: the new stored form, `None` inside to clear it.
    pub values: Vec<Option<Option<String>>>,
    /// The bits of optional fields to hide.
    pub hide: i64,
    /// The bits of optional fields to show.
    pub show: i64,
}

impl Patch {
    /// Reads a merge patch.
    ///
    /// # Errors
    /// [`Error::Underage`], or [`Error::Invalid`] with every violation.
    pub fn read(patch: &Map<String, Value>, setting: &Setting) -> Result<Self, Error> {
        let mut violations = Vec::new();
        let mut read = Self::default();
        for field in fields::all() {
            let value = match patch.get(field.name) {
                None => None,
                Some(Value::Null) => Some(None),
                Some(value) => match field.normal_form(value, setting) {
                    Ok(stored) => Some(Some(stored)),
                    Err(Fault::Underage) => return Err(Error::Underage),
                    Err(Fault::Violation(code)) => {
                        violations.push(Violation::new(field.name, code));
                        None
                    }
                },
            };
            read.values.push(value);
        }
        if let Some(visibility) = patch.get("visibility") {
            read.read_visibility(visibility, &mut violations);
        }
        let is_known =
            |name: &str| name == "visibility" || fields::all().any(|field| field.name == name);
        let unknown = patch.keys().filter(|name| !is_known(name));
        violations.extend(unknown.map(|name| Violation::new(name, "unknown")));
        if violations.is_empty() {
            Ok(read)
        } else {
            Err(Error::Invalid(violations))
        }
    }

    /// The change of the avatar, if there is one; `None` inside to clear it.
    pub fn avatar(&self) -> Option<&Option<String>> {
        let at = fields::all().position(|field| field.name == "avatar")?;
        self.values.get(at)?.as_ref()
    }

    /// `null` stands for what holds if nothing was said: shown.
    fn read_visibility(&mut self, visibility: &Value, violations: &mut Vec<Violation>) {
        let members = match visibility {
            Value::Object(members) => members,
            Value::Null => {
                self.show = (1 << OPTIONAL.len()) - 1;
                return;
            }
            _ => return violations.push(Violation::new("visibility", "type")),
        };
        for (name, value) in members {
            let member = || format!("visibility.{name}");
            let Some(bit) = OPTIONAL.iter().position(|field| field.name == name) else {
                violations.push(Violation::new(member(), "unknown"));
                continue;
            };
            match value {
                Value::Bool(false) => self.hide |= 1 << bit,
                Value::Bool(true) | Value::Null => self.show |= 1 << bit,
                _ => violations.push(Violation::new(member(), "type")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    fn read(patch: Value) -> Result<Patch, Error> {
        let setting = Setting {
            today: date(2026, 11, 23),
            avatar_url_prefixes: vec!["https://".into()],
        };
        Patch::read(patch.as_object().unwrap(), &setting)
    }

    #[test]
    fn absent_is_kept_and_null_is_cleared() {
        let patch = read(json!({ "motto": "a", "about": null })).unwrap();
        let names: Vec<_> = fields::all().map(|field| field.name).collect();
        let of = |name| patch.values[names.iter().position(|n| *n == name).unwrap()].clone();
        assert_eq!(of("motto"), Some(Some("a".into())));
        assert_eq!(of("about"), Some(None));
        assert_eq!(of("needs"), None);
    }

    #[test]
    fn every_violation_is_named_at_once() {
        let Err(Error::Invalid(violations)) = read(json!({
            "gender": "x", "city": "1", "x": 1, "visibility": { "motto": 1, "avatar": false },
        })) else {
            panic!("valid");
        };
        let mut named: Vec<_> = violations
            .iter()
            .map(|violation| (violation.field.as_str(), violation.code))
            .collect();
        named.sort_unstable();
        assert_eq!(
            named,
            [
                ("city", "region"),
                ("gender", "value"),
                ("visibility.avatar", "unknown"),
                ("visibility.motto", "type"),
                ("x", "unknown"),
            ]
        );
    }

    // clause M1
    #[test]
    fn a_minor_is_refused_whatever_else_is_wrong() {
        let patch = json!({ "birthday": "2010-01-01", "gender": "x" });
        assert!(matches!(read(patch), Err(Error::Underage)));
    }

    #[test]
    fn visibility_is_merged_bit_by_bit() {
        let patch = read(json!({ "visibility": { "motto": false, "about": true, "needs": null } }));
        let patch = patch.unwrap();
        assert_eq!((patch.hide, patch.show), (0b1, 0b1010));
        assert_eq!(
            read(json!({ "visibility": null })).unwrap().show,
            0b11_1111_1111
        );
    }
}
