//! The wall clock that components see. Tests can move it; the monotonic clock stays real.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::HostWallClock;

/// A wall clock that can be frozen and moved; shared by all instances.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<Setting>>);

#[derive(Clone, Copy)]
enum Setting {
    /// Real time, moved by so many milliseconds.
    Running {
        offset_ms: i64,
    },
    Frozen {
        at_ms: u64,
    },
}

impl Default for Setting {
    fn default() -> Self {
        Self::Running { offset_ms: 0 }
    }
}

impl Clock {
    /// Milliseconds since 1970, UTC.
    pub fn now_ms(&self) -> u64 {
        match *self.setting() {
            Setting::Running { offset_ms } => real_ms().saturating_add_signed(offset_ms),
            Setting::Frozen { at_ms } => at_ms,
        }
    }

    /// Whether the clock stands still.
    pub fn is_frozen(&self) -> bool {
        matches!(*self.setting(), Setting::Frozen { .. })
    }

    /// Stops the clock at a time, in milliseconds since 1970.
    pub fn freeze(&self, at_ms: u64) {
        *self.setting() = Setting::Frozen { at_ms };
    }

    /// Moves the clock by milliseconds; a running one runs on, a frozen one stays frozen.
    pub fn advance(&self, by_ms: i64) {
        let mut setting = self.setting();
        *setting = match *setting {
            Setting::Running { offset_ms } => Setting::Running {
                offset_ms: offset_ms.saturating_add(by_ms),
            },
            Setting::Frozen { at_ms } => Setting::Frozen {
                at_ms: at_ms.saturating_add_signed(by_ms),
            },
        };
    }

    /// Real time again.
    pub fn reset(&self) {
        *self.setting() = Setting::default();
    }

    fn setting(&self) -> MutexGuard<'_, Setting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.now_ms())
    }
}

fn real_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = Clock::default();
        clock.freeze(1_000);
        clock.advance(500);
        clock.advance(-200);
        assert!(clock.is_frozen());
        assert_eq!(clock.now_ms(), 1_300);
    }

    #[test]
    fn a_running_clock_runs_on_with_an_offset() {
        let clock = Clock::default();
        clock.advance(3_600_000);
        assert!(!clock.is_frozen());
        assert!(clock.now_ms() >= real_ms() + 3_599_000);
        clock.reset();
        assert!(clock.now_ms() <= real_ms());
    }
}
