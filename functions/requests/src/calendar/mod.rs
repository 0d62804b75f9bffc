//! The clock of clause R7: working days in China, as the State Council arranges each year's.
//!
//! A week's working days are Monday to Friday; a notice of the State Council takes holidays out and puts weekend
//! days in (国务院关于职工工作时间的规定, article 7, and each year's notice in [`notices`]). Of days that no
//! notice speaks of yet, each counts as a working day: then a deadline comes too early, never too late, and says that
//! it was assumed.

mod notices;

use jiff::civil::{Date, Weekday, date};
use serde::Serialize;
use shared::time::Timestamp;
use utoipa::ToSchema;

use notices::{NOTICES, Notice};

/// Within how many working days a request is answered, the check of the asker's identity included (clause R7). It
/// is never extended.
pub const TERM: u32 = 15;

/// Whether the calendar was known for all days that a deadline was counted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// The State Council has arranged all of them.
    Known,
    /// Some of them it has not: each of those counts as a working day, so the deadline may be early.
    Assumed,
}

impl Calendar {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Assumed => "assumed",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Known, Self::Assumed];
        all.into_iter().find(|calendar| calendar.name() == name)
    }
}

/// Until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The end of the last day, in China: the first moment at which it is too late (Civil Code, article 203: a day
    /// ends at 24:00).
    pub at: Timestamp,
    /// Whether the days were known.
    pub calendar: Calendar,
}

/// The end of the `days`th working day after `from`. The day of `from` itself, in China, does not count (Civil
/// Code, article 201: <https://en.91xjr.com/article/practice/desc-63697.html> has the chapter's text).
pub fn after(from: Timestamp, days: u32) -> Deadline {
    counted(NOTICES, from, days)
}

fn counted(notices: &[Notice], from: Timestamp, days: u32) -> Deadline {
    let mut day = from.china_date();
    let mut calendar = Calendar::Known;
    let mut left = days;
    while left > 0 {
        day = day.tomorrow().unwrap_or(Date::MAX);
        match is_working(notices, day) {
            Some(true) => left -= 1,
            Some(false) => {}
            None => {
                calendar = Calendar::Assumed;
                left -= 1;
            }
        }
    }
    let end = day.tomorrow().unwrap_or(Date::MAX);
    let at = Timestamp::start_of_china_date(&end.to_string()).unwrap_or(from);
    Deadline { at, calendar }
}

/// Whether people work on this day; `None` if no notice tells.
fn is_working(notices: &[Notice], day: Date) -> Option<bool> {
    let of_year = |year| notices.iter().find(move |notice| notice.year == year);
    // A year's notice can rearrange the days around New Year on both sides: 国办发明电〔2018〕15号, on 2019, made
    // Saturday 29 December 2018 a working day (<http://czj.gnzrmzf.gov.cn/info/1282/12573.htm>). So the last
    // days of a year are known with the next year's notice only.
    let next = of_year(day.year() + 1);
    if day >= date(day.year(), 12, 21) && next.is_none() {
        return None;
    }
    let notices = [Some(of_year(day.year())?), next];
    let arranged = notices
        .into_iter()
        .flatten()
        .find_map(|notice| notice.says(day));
    let is_weekday = !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    Some(arranged.unwrap_or(is_weekday))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Noon in China on a day.
    fn noon(day: &str) -> Timestamp {
        let start = Timestamp::start_of_china_date(day).expect("a date");
        Timestamp(start.0 + 12 * 60 * 60 * 1000)
    }

    /// The last day in time, for what comes at noon.
    fn last_day(received: &str) -> (String, Calendar) {
        let deadline = after(noon(received), TERM);
        let last = Timestamp(deadline.at.0 - 1).china_date();
        (last.to_string(), deadline.calendar)
    }

    // clause R7, K1, E17
    #[test]
    fn fifteen_working_days_are_counted_as_people_work_them() {
        for (received, last) in [
            // An ordinary month: three weeks.
            ("2026-06-22", "2026-07-13"),
            ("2026-11-25", "2026-12-16"),
            // Spring Festival 2026: the Saturdays 14 and 28 February are worked, 15 to 23 February are free.
            // 13, 14, 24 to 28 February; 2 to 6 and 9 to 11 March.
            ("2026-02-12", "2026-03-11"),
            // National Day 2026: Sunday 20 September and Saturday 10 October are worked; 25 to 27 September and
            // 1 to 7 October are free. 20 to 24, 28 to 30 September; 8 to 10 and 12 to 15 October.
            ("2026-09-18", "2026-10-15"),
            // 2025, one holiday of eight days: Sunday 28 September and Saturday 11 October are worked.
            // 28 to 30 September; 9 to 11, 13 to 17 and 20 to 23 October.
            ("2025-09-26", "2025-10-23"),
            // Spring Festival 2025: Sunday 26 January and Saturday 8 February are worked.
            // 26, 27 January; 5 to 8, 10 to 14 and 17 to 20 February.
            ("2025-01-24", "2025-02-20"),
            // Spring Festival 2024: the Sundays 4 and 18 February are worked. 4 to 9, 18 to 23, 26 to 28 February.
            ("2024-02-02", "2024-02-28"),
            // Over New Year: the last days of 2025 are known, since 2026 is. Sunday 4 January is worked.
            // 25, 26, 29 to 31 December; 4 to 9 and 12 to 15 January.
            ("2025-12-24", "2026-01-15"),
        ] {
            assert_eq!(
                last_day(received),
                (last.to_owned(), Calendar::Known),
                "{received}"
            );
        }
    }

    // clause R7
    #[test]
    fn days_that_nobody_has_arranged_yet_all_count_and_the_answer_says_so() {
        // 4, 7 to 11, 14 to 18 December, and from the 21st on every day.
        assert_eq!(
            last_day("2026-12-03"),
            ("2026-12-24".to_owned(), Calendar::Assumed)
        );
        assert_eq!(
            last_day("2031-05-01"),
            ("2031-05-16".to_owned(), Calendar::Assumed)
        );
        assert_eq!(
            last_day("2019-05-01"),
            ("2019-05-16".to_owned(), Calendar::Assumed)
        );
    }

    // clause R7
    #[test]
    fn the_day_is_chinas_and_the_day_of_receipt_does_not_count() {
        let midnight = Timestamp::start_of_china_date("2026-06-23").expect("a date");
        let before = after(Timestamp(midnight.0 - 1), TERM);
        let on = after(midnight, TERM);
        assert_eq!(before.at.to_string(), "2026-07-13T16:00:00.000Z");
        assert_eq!(on.at.to_string(), "2026-07-14T16:00:00.000Z");
    }

    #[test]
    fn notices_name_days_of_their_year_and_rearrange_weekends() {
        for notice in NOTICES {
            for (first, last) in notice.holidays {
                assert!(first <= last && first.year() == notice.year, "{first}");
                assert!(last.year() == notice.year, "{last}");
            }
            for day in notice.worked {
                let weekend = [Weekday::Saturday, Weekday::Sunday];
                assert!(weekend.contains(&day.weekday()), "{day}");
                assert_eq!(notice.says(*day), Some(true), "{day}");
            }
        }
    }

    const DAY: i64 = 24 * 60 * 60 * 1000;
    /// 2023-11-01 to 2027-02-01 in China.
    const MOMENTS: std::ops::Range<i64> = 1_698_768_000_000..1_801_411_200_000;

    proptest! {
        // clause R7
        #[test]
        fn what_comes_later_is_due_no_earlier(one in MOMENTS, later in 0..40 * DAY) {
            let first = after(Timestamp(one), TERM).at;
            let second = after(Timestamp(one + later), TERM).at;
            prop_assert!(first <= second);
        }

        // clause R7
        #[test]
        fn a_deadline_is_fifteen_days_away_at_least_and_never_more_than_a_month(moment in MOMENTS) {
            let left = after(Timestamp(moment), TERM).at.0 - moment;
            prop_assert!((15 * DAY..32 * DAY).contains(&left), "{}", left / DAY);
        }

        // clause R7
        #[test]
        fn to_know_less_of_the_calendar_never_makes_it_later(moment in MOMENTS, known in 0..NOTICES.len()) {
            let truth = after(Timestamp(moment), TERM);
            let less = counted(&NOTICES[..known], Timestamp(moment), TERM);
            prop_assert!(less.at <= truth.at);
            prop_assert!(less.at == truth.at || less.calendar == Calendar::Assumed);
        }
    }
}
