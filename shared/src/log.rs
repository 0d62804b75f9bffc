//! One JSON line an event, to the component's log. No personal data goes in: names of things, counts,
//! identifiers that mean nothing outside.

use serde_json::{Map, Value};
use uuid::Uuid;

/// How much an event matters to the people who run the service.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// Worth knowing later.
    Info,
    /// Something went wrong that the request survived.
    Warning,
    /// A request failed on our side.
    Error,
    /// A person must act: configuration, money or a contract stands in the way.
    Alarm,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Alarm => "alarm",
        }
    }
}

/// Writes the event `name` of the request `request_id`.
pub fn event(level: Level, request_id: Uuid, name: &str, fields: &[(&str, Value)]) {
    println!("{}", line(level, request_id, name, fields));
}

/// A code that somebody else sent, as far as it looks like one: what an event may hold of it.
pub fn code(sent: &str) -> String {
    let is_plain =
        |character: &char| character.is_ascii_alphanumeric() || "._-".contains(*character);
    sent.chars().filter(is_plain).take(64).collect()
}

fn line(level: Level, request_id: Uuid, name: &str, fields: &[(&str, Value)]) -> Value {
    let mut line = Map::new();
    line.insert("level".into(), level.name().into());
    line.insert("event".into(), name.into());
    line.insert("request_id".into(), request_id.to_string().into());
    for (key, value) in fields {
        line.insert((*key).into(), value.clone());
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_its_fields_hold() {
        let line = line(Level::Alarm, Uuid::nil(), "x", &[("a", "b\nc".into())]).to_string();
        assert_eq!(line.lines().count(), 1);
        assert_eq!(
            line,
            r#"{"a":"b\nc","event":"x","level":"alarm","request_id":"00000000-0000-0000-0000-000000000000"}"#
        );
    }
}
