//! What to do after a race for a row was lost: wait a little, and try again.

use std::time::Duration;

use wasi::clocks::monotonic_clock;

use crate::random;

/// The longest pause after the first lost race; twice that after the second, and so on.
const FIRST: Duration = Duration::from_millis(4);
/// Pauses grow no further than this.
const LONGEST: Duration = Duration::from_millis(256);

/// Random pauses, longer and longer, so that those who lost a race do not meet again.
#[derive(Debug)]
pub struct Pauses {
    longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { longest: FIRST }
    }
}

impl Pauses {
    /// Waits.
    pub fn wait(&mut self) {
        let random = u64::from_le_bytes(random::bytes(&mut random::host()));
        let nanoseconds = u64::try_from(self.longest.as_nanos()).unwrap_or(u64::MAX);
        monotonic_clock::subscribe_duration(random % nanoseconds).block();
        self.longest = (self.longest * 2).min(LONGEST);
    }
}
