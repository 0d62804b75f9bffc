//! When an order or a refund is looked at next, though nobody asks: soon, and then more and more rarely.

use std::time::Duration;

use shared::time::Timestamp;

/// The first look comes after so long: by then most have been told of.
pub const SHORTEST: Duration = Duration::from_secs(60);
/// However long it has waited, it is looked at this often.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

/// The first look at what is so from now on.
pub fn first(now: Timestamp) -> Timestamp {
    now.plus(SHORTEST)
}

/// The look after one now, at what has waited since a moment: after as long as it has waited, so that the time
/// between looks doubles, from a minute to six hours. (WeChat asks for such a schedule:
/// <https://pay.weixin.qq.com/doc/v3/merchant/4013071041>.)
pub fn next(since: Timestamp, now: Timestamp) -> Timestamp {
    now.plus(since.until(now).clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp(1_764_000_000_000);

    #[test]
    fn the_time_between_looks_doubles_from_a_minute_to_six_hours() {
        let mut now = first(SINCE);
        let mut waits = Vec::new();
        for _ in 0..14 {
            let then = next(SINCE, now);
            waits.push((then.as_millis() - now.as_millis()) / 60_000);
            now = then;
        }
        let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360, 360, 360];
        assert_eq!(waits, expected);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_hold_it_up() {
        assert_eq!(next(SINCE, Timestamp(0)), Timestamp(60_000));
    }
}
