//! The citizen's identity number (GB 11643-1999): six digits of a region, eight of the birth date, three of
//! a sequence, one check character.

use jiff::civil::Date;
use shared::adult::is_adult;
use shared::crypto::{Key, KeyedHash, Purpose};
use shared::variables::Misconfigured;

/// GB/T 2260's provinces, with Taiwan, Hong Kong and Macao, and 83 for residents from Taiwan. Only the
/// province is looked at: a number keeps the district of its issue, which may be abolished long since.
const PROVINCES: [u8; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83,
];
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// A number that can be one, of an adult.
#[derive(Clone, PartialEq)]
pub struct IdNumber(String);

/// Why a text is no number that we take.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// It is no identity number.
    Malformed,
    /// It is a minor's (clause M1).
    Underage,
}

impl IdNumber {
    /// Reads a number; `today` is the date in China. A small `x` is accepted.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn parse(text: &str, today: Date) -> Result<Self, Refused> {
        let number = text.trim().to_ascii_uppercase();
        let born = check(&number, today).ok_or(Refused::Malformed)?;
        if !is_adult(born, today) {
            return Err(Refused::Underage);
        }
        Ok(Self(number))
    }

    /// All eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What may be shown and kept: the birth date and the district are hidden.
    pub fn masked(&self) -> String {
        format!("{}***********{}", &self.0[..3], &self.0[14..])
    }

    /// By what the number is found again.
    ///
    /// # Errors
    /// The application's key is unusable.
    pub fn hash(&self) -> Result<KeyedHash, Misconfigured> {
        Ok(Key::for_purpose(Purpose::IdNumberLookup)?.hash(&[self.0.as_bytes()]))
    }
}

/// The birth date of a number that is formed as it must be.
fn check(number: &str, today: Date) -> Option<Date> {
    let (digits, check) = number.split_at_checked(17)?;
    let digits: Vec<u32> = digits
        .chars()
        .map(|digit| digit.to_digit(10))
        .collect::<Option<_>>()?;
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(a, b)| a * b).sum();
    let expected = CHECK_CHARACTERS[sum as usize % CHECK_CHARACTERS.len()];
    if !check.chars().eq([expected]) {
        return None;
    }
    let value = |range: std::ops::Range<usize>| number[range].parse::<i16>().ok();
    let province = u8::try_from(value(0..2)?).ok()?;
    let born = Date::new(
        value(6..10)?,
        i8::try_from(value(10..12)?).ok()?,
        i8::try_from(value(12..14)?).ok()?,
    )
    .ok()?;
    let is_possible = born.year() >= 1900 && born <= today;
    (PROVINCES.contains(&province) && is_possible).then_some(born)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 11, 23);

    fn with_check(seventeen: &str) -> String {
        let sum: u32 = seventeen
            .chars()
            .zip(WEIGHTS)
            .map(|(digit, weight)| digit.to_digit(10).unwrap() * weight)
            .sum();
        format!("{seventeen}{}", CHECK_CHARACTERS[sum as usize % 11])
    }

    /// The standard's own examples (GB 11643-1999, appendix B).
    #[test]
    fn the_standards_examples_are_numbers() {
        for number in ["11010519491231002X", "440524188001010014"] {
            let expected = if number.starts_with("44") {
                Err(Refused::Malformed) // born in 1880
            } else {
                Ok(())
            };
            assert_eq!(
                IdNumber::parse(number, TODAY).map(drop),
                expected,
                "{number}"
            );
        }
    }

    #[test]
    fn a_small_x_and_white_space_around_are_accepted() {
        let number = IdNumber::parse(" 11010519491231002x\n", TODAY).unwrap();
        assert_eq!(number.as_str(), "11010519491231002X");
        assert_eq!(number.masked(), "110***********002X");
    }

    // clause M1
    #[test]
    fn a_person_is_an_adult_on_the_eighteenth_birthday() {
        let born = |date: &str| IdNumber::parse(&with_check(&format!("350203{date}001")), TODAY);
        assert!(born("20081123").is_ok());
        assert_eq!(born("20081124").map(drop), Err(Refused::Underage));
        assert_eq!(born("20261124").map(drop), Err(Refused::Malformed));
    }

    #[test]
    fn only_the_province_is_looked_at() {
        for (region, is_one) in [
            ("110103", true), // 崇文区, merged in 2010
            ("359999", true),
            ("710000", true),
            ("810000", true),
            ("830000", true),
            ("160000", false),
            ("000000", false),
            ("910000", false),
        ] {
            let number = with_check(&format!("{region}19900307451"));
            assert_eq!(IdNumber::parse(&number, TODAY).is_ok(), is_one, "{region}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "11010519491231002",
            "110105194912310021",
            "11010519491231002XX",
            "110105491231002",
            "1101051949123100２X",
            "身份证号码身份证号码身份证号码身份证",
            "11010519491331002X",
        ] {
            assert_eq!(
                IdNumber::parse(text, TODAY).map(drop),
                Err(Refused::Malformed),
                "{text}"
            );
        }
        let no_such_day = with_check("35020319900230001");
        assert!(IdNumber::parse(&no_such_day, TODAY).is_err());
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_noticed(at in 0usize..17, change in 1u8..10, sequence in 0u32..1000) {
            let number = with_check(&format!("35020319900307{sequence:03}"));
            prop_assert!(IdNumber::parse(&number, TODAY).is_ok());
            let mut bytes = number.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + change) % 10;
            let wrong = String::from_utf8(bytes).unwrap();
            prop_assert!(IdNumber::parse(&wrong, TODAY).is_err());
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = IdNumber::parse(&text, TODAY);
        }
    }
}
