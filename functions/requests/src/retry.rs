//! When a notice that was not acknowledged is sent again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(60);
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait after so many tries, at least one: a minute, doubled with each try up to a day, and of that a
/// random part between the half and the whole, so that what failed together does not come again together. `random`
/// chooses evenly. (The Standard Webhooks specification, "Deliverability and reliability", asks for such a schedule
/// over several days, with jitter.)
pub fn wait(tries: i64, random: u16) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0);
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    let whole = FIRST.saturating_mul(factor).min(MOST);
    whole / 2 + whole / 2 * u32::from(random) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // clause R3
    #[test]
    fn the_wait_doubles_from_a_minute_to_a_day() {
        let longest = |tries| wait(tries, u16::MAX).as_secs();
        assert_eq!((longest(1), longest(2), longest(3)), (60, 120, 240));
        assert_eq!(longest(11), 61_440);
        for tries in [12, 13, 33, 34, i64::MAX] {
            assert_eq!(longest(tries), 24 * 60 * 60);
        }
        assert_eq!(wait(1, 0).as_secs(), 30);
    }

    proptest! {
        #[test]
        fn it_is_between_the_half_and_the_whole(tries in 0..100_i64, random: u16) {
            let (least, most) = (wait(tries, 0), wait(tries, u16::MAX));
            let chosen = wait(tries, random);
            prop_assert!(least * 2 == most && (least..=most).contains(&chosen));
        }
    }
}
