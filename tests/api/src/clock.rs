//! The wall clock that the components see.

use std::time::Duration;

use serde_json::{Value, json};

use crate::request::Wire;

/// One second.
pub const SECOND: Duration = Duration::from_secs(1);
/// One minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// One hour.
pub const HOUR: Duration = Duration::from_secs(60 * 60);
/// One day.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The stand-in host's clock.
pub struct Clock<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) control: &'a str,
}

impl Clock<'_> {
    /// Stops it at a time, in milliseconds since 1970.
    pub fn set(&self, now_ms: i64) {
        self.put(&json!({ "set_ms": now_ms }));
    }

    /// Moves it forward. It is stopped from then on, so that a test depends on no real time.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).expect("a short time");
        self.set(self.now_ms() + by);
    }

    /// Stops it where it is.
    pub fn stop(&self) {
        self.set(self.now_ms());
    }

    /// What it shows, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        let state = self
            .wire
            .control("GET", &format!("{}/clock", self.control), &Value::Null);
        state["now_ms"].as_i64().expect("the clock tells the time")
    }

    fn put(&self, change: &Value) {
        self.wire
            .control("PUT", &format!("{}/clock", self.control), change);
    }
}
