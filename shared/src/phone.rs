//! Mobile numbers of mainland China, in the forms in which people type them.

use std::fmt;

use uuid::Uuid;

use crate::crypto::{Key, KeyedHash, Purpose};
use crate::variables::Misconfigured;

/// What the sealed number in an account's row is bound to.
pub fn sealed_context(account_id: Uuid) -> String {
    format!("accounts.phone:{account_id}")
}

/// A mainland mobile number. It has one form, E.164, and no `Debug` that would put it into a log.
#[derive(Clone, PartialEq)]
pub struct Phone {
    /// The eleven national digits.
    national: String,
}

/// The text is no mobile number of mainland China.
#[derive(Debug, PartialEq)]
pub struct NotAPhone;

impl Phone {
    /// Reads a number: the country code `+86`, `0086` or `86` may be there or not; spaces, hyphens and
    /// brackets may stand between the digits, full-width forms count as their plain twins.
    ///
    /// A mobile number has eleven digits and begins with 13 to 19 (the national numbering plan,
    /// 电信网编号计划 2017 edition, 工信部).
    ///
    /// # Errors
    /// [`NotAPhone`].
    pub fn parse(text: &str) -> Result<Self, NotAPhone> {
        let mut digits = String::new();
        for character in text.trim().chars() {
            match to_half_width(character) {
                digit @ '0'..='9' => digits.push(digit),
                '+' if digits.is_empty() => digits.push('+'),
                ' ' | '-' | '(' | ')' | '\u{a0}' | '\u{2010}'..='\u{2015}' => {}
                // What some phones put around a number that is copied.
                '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => {}
                _ => return Err(NotAPhone),
            }
        }
        let national = ["+86", "0086", "86"]
            .iter()
            .find_map(|code| digits.strip_prefix(code))
            .unwrap_or(&digits);
        let is_mobile = national.len() == 11
            && national.starts_with('1')
            && national[1..2].contains(['3', '4', '5', '6', '7', '8', '9']);
        if is_mobile {
            Ok(Self {
                national: national.to_owned(),
            })
        } else {
            Err(NotAPhone)
        }
    }

    /// The number in E.164: `+8613800138000`.
    pub fn e164(&self) -> String {
        format!("+86{}", self.national)
    }

    /// The eleven digits without the country code, as mainland SMS providers take them.
    pub fn national(&self) -> &str {
        &self.national
    }

    /// The keyed hash under which everything about this number is found.
    ///
    /// # Errors
    /// The application's key is unusable.
    pub fn hash(&self) -> Result<KeyedHash, Misconfigured> {
        let key = Key::for_purpose(Purpose::PhoneLookup)?;
        Ok(key.hash(&[self.e164().as_bytes()]))
    }
}

/// The number as its owner is shown it, with the middle hidden: `138****8000`.
impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}****{}", &self.national[..3], &self.national[7..])
    }
}

/// Full-width forms (U+FF01 to U+FF5E) and the ideographic space become their ASCII twins.
pub fn to_half_width(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(character as u32 - 0xfee0).expect("within Basic Latin")
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_forms_that_people_type_are_one_number() {
        for text in [
            "13800138000",
            "+8613800138000",
            "+86 138 0013 8000",
            "8613800138000",
            "008613800138000",
            " 138-0013-8000 ",
            "(+86)13800138000",
            "\u{202d}138\u{2011}0013\u{2011}8000\u{202c}",
            "13800138000",
            "+86 138 0013 8000",
        ] {
            let phone = Phone::parse(text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(phone.e164(), "+8613800138000", "{text}");
            assert_eq!(phone.to_string(), "138****8000");
        }
    }

    #[test]
    fn other_numbers_are_refused() {
        for text in [
            "",
            "1380013800",
            "138001380001",
            "12800138000",
            "03800138000",
            "+113800138000",
            "+85291234567",
            "02161234567",
            "1380013800x",
            "138001380００0",
            "13800+138000",
            "一三八〇〇一三八〇〇〇",
        ] {
            assert_eq!(Phone::parse(text).err(), Some(NotAPhone), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert_eq!(Phone::parse(&phone.e164()).ok().unwrap().e164(), phone.e164());
            }
        }
    }
}
