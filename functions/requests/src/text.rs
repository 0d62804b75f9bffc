//! What people and operators write: plain text of some length.

use shared::http::Violation;

/// The longest text of a request, in characters.
pub const MAX_REQUEST: usize = 2000;
/// The longest answer, in characters.
pub const MAX_ANSWER: usize = 4000;
/// The longest reason for a fee, in characters.
pub const MAX_REASON: usize = 500;

/// What was written, without the space around it.
///
/// # Errors
/// It is empty or longer than `most` characters (`length`), or has control characters other than line feeds
/// (`characters`).
pub fn plain<'a>(field: &str, given: &'a str, most: usize) -> Result<&'a str, Violation> {
    let text = given.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(Violation::new(field, "length"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Violation::new(field, "characters"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_plain_and_has_a_length() {
        let code = |given: &str| plain("text", given, 5).map_err(|violation| violation.code);
        assert_eq!(code(" 请\n更正 "), Ok("请\n更正"));
        assert_eq!(code("一二三四五"), Ok("一二三四五"));
        assert_eq!(code("一二三四五六"), Err("length"));
        assert_eq!(code(" \n "), Err("length"));
        assert_eq!(code("a\u{0}b"), Err("characters"));
        assert_eq!(code("a\u{1b}b"), Err("characters"));
        assert_eq!(code("a\tb"), Err("characters"));
    }
}
