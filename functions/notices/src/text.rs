//! What operators write.

use std::ops::RangeInclusive;

use shared::http::Violation;

/// A heading, in characters.
pub const TITLE: RangeInclusive<usize> = 1..=100;
/// A passage, in characters.
pub const PASSAGE: RangeInclusive<usize> = 1..=5000;
/// The text of a version of the policy, in characters.
pub const POLICY: RangeInclusive<usize> = 1..=100_000;

/// What is wrong with a text: `length`, where it is blank or not of this many characters.
pub fn check(field: &str, text: &str, length: RangeInclusive<usize>) -> Option<Violation> {
    let is_fine = !text.trim().is_empty() && length.contains(&text.chars().count());
    (!is_fine).then(|| Violation::new(field, "length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_texts_say_nothing_and_length_is_in_characters() {
        for blank in ["", " ", "\n\t", "\u{3000}"] {
            assert!(check("x", blank, TITLE).is_some(), "{blank:?}");
        }
        assert!(check("x", &"信".repeat(100), TITLE).is_none());
        assert_eq!(
            check("x", &"信".repeat(101), TITLE),
            Some(Violation::new("x", "length"))
        );
    }
}
