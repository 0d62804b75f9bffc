//! What the host and its components print.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a line may take from the component to the test.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lines so far, of standard output and standard error.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    /// Reads lines from a stream until it ends.
    pub(crate) fn collect(&self, stream: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                let Ok(line) = line else { return };
                let line = String::from_utf8_lossy(&line).into_owned();
                let (lines, arrived) = &*log.0;
                lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
                arrived.notify_all();
            }
        });
    }

    /// All lines.
    pub fn lines(&self) -> Vec<String> {
        let (lines, _) = &*self.0;
        lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.lines().len()
    }

    /// The first line from `start` on that `wanted` accepts; `None` if it does not come in time.
    pub(crate) fn wait_for(
        &self,
        start: usize,
        patience: Duration,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let deadline = Instant::now() + patience;
        let (lines, arrived) = &*self.0;
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(line) = lines.iter().skip(start).find(|line| wanted(line)) {
                return Some(line.clone());
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            lines = arrived
                .wait_timeout(lines, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The event `name` of the request `request_id`, which must come.
    ///
    /// # Panics
    /// If none comes.
    pub fn event(&self, name: &str, request_id: &str) -> Value {
        self.event_with(name, "request_id", request_id)
    }

    /// The first event `name` whose `member` is this, which must come.
    ///
    /// # Panics
    /// If none comes.
    pub fn event_with(&self, name: &str, member: &str, value: &str) -> Value {
        let is_it = |event: &Value| event["event"] == name && event[member] == value;
        let line = self.wait_for(0, PATIENCE, |line| {
            parse(line).is_some_and(|event| is_it(&event))
        });
        line.and_then(|line| parse(&line))
            .unwrap_or_else(|| panic!("no event {name} with {member} {value}: {self}"))
    }

    /// The events so far that have this name.
    pub fn events(&self, name: &str) -> Vec<Value> {
        let events = self.lines().into_iter().filter_map(|line| parse(&line));
        events.filter(|event| event["event"] == name).collect()
    }
}

/// Spin prefixes nothing to a component's lines, and neither does the stand-in.
fn parse(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}
