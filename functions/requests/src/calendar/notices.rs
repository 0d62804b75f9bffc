//! The State Council's arrangement of each year's holidays, as data. The office of the State Council publishes it in
//! November of the year before; to add a year, add its notice here.

use jiff::civil::{Date, date};

/// One year's notice.
pub struct Notice {
    /// The year that it arranges.
    pub year: i16,
    /// Free days, from the first to the last.
    pub holidays: &'static [(Date, Date)],
    /// Weekend days that are worked.
    pub worked: &'static [Date],
}

impl Notice {
    /// Whether it has people work on this day; `None` if it leaves the day as it is.
    pub fn says(&self, day: Date) -> Option<bool> {
        if self.worked.contains(&day) {
            return Some(true);
        }
        let mut holidays = self.holidays.iter();
        holidays
            .any(|(first, last)| (*first..=*last).contains(&day))
            .then_some(false)
    }
}

/// The notices, by year.
pub const NOTICES: &[Notice] = &[
    // 国办发明电〔2023〕7号, https://www.gov.cn/zhengce/content/202310/content_6911527.htm (also in the People's
    // Daily of 2023-10-26: http://paper.people.com.cn/rmrb/html/2023-10/26/nw.D110000renmrb_20231026_3-06.htm).
    Notice {
        year: 2024,
        holidays: &[
            (date(2024, 1, 1), date(2024, 1, 1)),
            (date(2024, 2, 10), date(2024, 2, 17)),
            (date(2024, 4, 4), date(2024, 4, 6)),
            (date(2024, 5, 1), date(2024, 5, 5)),
            (date(2024, 6, 10), date(2024, 6, 10)),
            (date(2024, 9, 15), date(2024, 9, 17)),
            (date(2024, 10, 1), date(2024, 10, 7)),
        ],
        worked: &[
            date(2024, 2, 4),
            date(2024, 2, 18),
            date(2024, 4, 7),
            date(2024, 4, 28),
            date(2024, 5, 11),
            date(2024, 9, 14),
            date(2024, 9, 29),
            date(2024, 10, 12),
        ],
    },
    // 国办发明电〔2024〕12号, https://www.gov.cn/zhengce/content/202411/content_6986382.htm
    Notice {
        year: 2025,
        holidays: &[
            (date(2025, 1, 1), date(2025, 1, 1)),
            (date(2025, 1, 28), date(2025, 2, 4)),
            (date(2025, 4, 4), date(2025, 4, 6)),
            (date(2025, 5, 1), date(2025, 5, 5)),
            (date(2025, 5, 31), date(2025, 6, 2)),
            (date(2025, 10, 1), date(2025, 10, 8)),
        ],
        worked: &[
            date(2025, 1, 26),
            date(2025, 2, 8),
            date(2025, 4, 27),
            date(2025, 9, 28),
            date(2025, 10, 11),
        ],
    },
    // 国办发明电〔2025〕7号, https://www.gov.cn/zhengce/content/202511/content_7047090.htm
    Notice {
        year: 2026,
        holidays: &[
            (date(2026, 1, 1), date(2026, 1, 3)),
            (date(2026, 2, 15), date(2026, 2, 23)),
            (date(2026, 4, 4), date(2026, 4, 6)),
            (date(2026, 5, 1), date(2026, 5, 5)),
            (date(2026, 6, 19), date(2026, 6, 21)),
            (date(2026, 9, 25), date(2026, 9, 27)),
            (date(2026, 10, 1), date(2026, 10, 7)),
        ],
        worked: &[
            date(2026, 1, 4),
            date(2026, 2, 14),
            date(2026, 2, 28),
            date(2026, 5, 9),
            date(2026, 9, 20),
            date(2026, 10, 10),
        ],
    },
];
