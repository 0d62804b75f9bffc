//! Points in time, as they are stored, answered and compared.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// China's one time zone, UTC+8 all year: the policy's days and birthdays are counted in it.
const CHINA: Offset = Offset::constant(8);

/// Milliseconds since 1970-01-01T00:00:00Z, the form in which every time is stored. Answers carry it in
/// RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The host's wall clock.
    ///
    /// A clock before 1970 reads as 1970.
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// This moment in milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The moment `duration` earlier.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// From this moment until `later`; nothing if `later` has passed.
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0 - self.0).unwrap_or(0))
    }

    /// Whole seconds from this moment until `later`, rounded up; 0 if `later` has passed.
    pub fn seconds_until(self, later: Self) -> u64 {
        u64::try_from(later.0 - self.0).map_or(0, |left| left.div_ceil(1000))
    }

    /// The calendar date in China at this moment.
    pub fn china_date(self) -> jiff::civil::Date {
        let moment = self.to_jiff();
        CHINA.to_datetime(moment).date()
    }

    /// The start of a day in China, given as `YYYY-MM-DD`; `None` for any other text.
    pub fn start_of_china_date(date: &str) -> Option<Self> {
        let mut parts = date.splitn(3, '-');
        let year = parts.next()?.parse().ok()?;
        let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let date = jiff::civil::Date::new(year, month, day).ok()?;
        let start = CHINA.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
        Some(Self(start.ok()?.as_millisecond()))
    }

    /// The moment that a text in RFC 3339 names; `None` for any other text.
    pub fn from_rfc_3339(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        Some(Self(moment.as_millisecond()))
    }

    /// The start of this moment's day in China: for what is kept "to the day".
    pub fn china_day(self) -> Self {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        const EIGHT_HOURS: i64 = 8 * 60 * 60 * 1000;
        Self((self.0 + EIGHT_HOURS).div_euclid(DAY) * DAY - EIGHT_HOURS)
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_rfc_3339() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp(1_698_192_000_123).to_string(),
            "2023-10-25T00:00:00.123Z"
        );
        for text in ["2023-10-25T00:00:00.123Z", "2023-10-25T08:00:00.123+08:00"] {
            assert_eq!(
                Timestamp::from_rfc_3339(text),
                Some(Timestamp(1_698_192_000_123)),
                "{text}"
            );
        }
        assert_eq!(Timestamp::from_rfc_3339("2023-10-25"), None);
    }

    #[test]
    fn the_day_changes_at_midnight_in_china() {
        let before = Timestamp(1_698_163_199_999); // 2023-10-24T15:59:59.999Z
        let after = Timestamp(1_698_163_200_000); // 2023-10-24T16:00:00Z
        assert_eq!(before.china_date().to_string(), "2023-10-24");
        assert_eq!(after.china_date().to_string(), "2023-10-25");
        assert_eq!(after.china_day(), after);
        assert_eq!(Timestamp::start_of_china_date("2023-10-25"), Some(after));
        assert_eq!(Timestamp::start_of_china_date("25.10.2023"), None);
        assert_eq!(before.china_day().0, after.0 - 24 * 60 * 60 * 1000);
    }

    #[test]
    fn seconds_until_rounds_up_and_never_goes_below_zero() {
        assert_eq!(Timestamp(0).seconds_until(Timestamp(1)), 1);
        assert_eq!(Timestamp(0).seconds_until(Timestamp(2000)), 2);
        assert_eq!(Timestamp(5).seconds_until(Timestamp(5)), 0);
        assert_eq!(Timestamp(6).seconds_until(Timestamp(5)), 0);
    }
}
