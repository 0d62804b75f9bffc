//! Times as Alipay writes them: `yyyy-MM-dd HH:mm:ss`, the time in China, without saying so.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::time::Timestamp;

const CHINA: Offset = Offset::constant(8);

/// `yyyy-MM-dd HH:mm:ss`; a part of a second is dropped.
pub fn to_text(time: Timestamp) -> String {
    let seconds = (time.as_millis() - time.china_day().as_millis()) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{} {hours:02}:{minutes:02}:{seconds:02}", time.china_date())
}

/// Reads `yyyy-MM-dd HH:mm:ss` and, since some times of a notification come so
/// (<https://opendocs.alipay.com/open/204/105301>: `gmt_refund`), up to three digits of a second behind it.
/// `None` for any other text.
pub fn from_text(text: &str) -> Option<Timestamp> {
    let (text, millis) = match text.split_once('.') {
        Some((text, fraction)) => (text, millis(fraction)?),
        None => (text, 0),
    };
    // Only digits stand where digits belong, so the numbers below have no signs.
    let is_in_form = text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            separator => byte == *separator,
        });
    if !is_in_form {
        return None;
    }
    let number = |place: std::ops::Range<usize>| text[place].parse::<i8>().ok();
    let year = text[..4].parse().ok()?;
    let (month, day) = (number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let time = CHINA.to_timestamp(time).ok()?;
    Some(Timestamp(time.as_millisecond() + millis))
}

const FORM: &[u8] = b"0000-00-00 00:00:00";

fn millis(fraction: &str) -> Option<i64> {
    let is_in_form =
        matches!(fraction.len(), 1..=3) && fraction.bytes().all(|b| b.is_ascii_digit());
    is_in_form.then(|| format!("{fraction:0<3}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Timestamp = Timestamp(1_698_163_199_000);

    #[test]
    fn is_china_s_time_to_the_second() {
        let text = "2023-10-24 23:59:59";
        assert_eq!(to_text(TIME), text);
        assert_eq!(to_text(Timestamp(TIME.0 + 999)), text);
        assert_eq!(from_text(text), Some(TIME));
        assert_eq!(to_text(Timestamp(TIME.0 + 1000)), "2023-10-25 00:00:00");
    }

    #[test]
    fn a_part_of_a_second_is_read() {
        for (fraction, millis) in [("3", 300), ("32", 320), ("320", 320), ("001", 1)] {
            let text = format!("2023-10-24 23:59:59.{fraction}");
            assert_eq!(from_text(&text), Some(Timestamp(TIME.0 + millis)), "{text}");
        }
    }

    #[test]
    fn no_other_text_is_a_time() {
        for text in [
            "",
            "2023-10-24",
            "2023-10-24T23:59:59",
            "2023-10-24 23:59:59Z",
            "2023-10-24 23:59:59+08:00",
            "2023-10-24 23:59",
            "2023-10-24  3:59:59",
            "2023-10-24 +3:59:59",
            "2023-10-24 24:00:00",
            "2023-10-24 23:59:60",
            "2023-02-29 23:59:59",
            "2023-13-24 23:59:59",
            "+023-10-24 23:59:59",
            "2023-10-24 23:59:59.",
            "2023-10-24 23:59:59.1234",
            "2023-10-24 23:59:59.+1",
            "2023-10-24 23:59:59.1.2",
            "２023-10-24 23:59:",
            "2023-10-24 23:59:５",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
