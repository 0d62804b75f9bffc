//! The fields of a profile: what each may hold, and in which form it is stored.

use jiff::civil::Date;
use serde_json::Value;
use shared::adult::is_adult;
use shared::region;
use unicode_normalization::UnicodeNormalization as _;

use crate::avatar;

const MAX_URL: usize = 512;

/// One field.
#[derive(Debug)]
pub struct Field {
    /// Its name, as a member of the profile and as a column.
    pub name: &'static str,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    /// An https URL under one of the configured prefixes, or `upload:<id>`.
    Avatar,
    Gender,
    /// One line of at most so many characters.
    Line(usize),
    /// Text with line breaks, of at most so many characters.
    Text(usize),
    Birthday,
    Hometown,
    City,
    /// At most so many different lines, each of at most so many characters.
    Tags {
        items: usize,
        length: usize,
    },
}

const fn field(name: &'static str, rule: Rule) -> Field {
    Field { name, rule }
}

/// The five without which nobody enters the app; the same as [`shared::profile::REQUIRED`].
pub const REQUIRED: [Field; 5] = [
    field("avatar", Rule::Avatar),
    field("gender", Rule::Gender),
    field("real_name", Rule::Line(30)),
    field("company", Rule::Line(60)),
    field("job_title", Rule::Line(30)),
];

/// What a person may give or not; the same as [`shared::profile::OPTIONAL`].
pub const OPTIONAL: [Field; 10] = [
    field("motto", Rule::Line(60)),
    field("about", Rule::Text(1000)),
    field("offers", Rule::Text(500)),
    field("needs", Rule::Text(500)),
    field("birthday", Rule::Birthday),
    field("hometown", Rule::Hometown),
    field("city", Rule::City),
    field(
        "hobbies",
        Rule::Tags {
            items: 20,
            length: 20,
        },
    ),
    field(
        "industries",
        Rule::Tags {
            items: 10,
            length: 20,
        },
    ),
    field("education", Rule::Line(60)),
];

/// All fields, in the order of the columns.
pub fn all() -> impl Iterator<Item = &'static Field> {
    REQUIRED.iter().chain(&OPTIONAL)
}

/// What the rules depend on besides the value.
pub struct Setting {
    /// Today in China.
    pub today: Date,
    /// What an avatar's URL may begin with.
    pub avatar_url_prefixes: Vec<String>,
}

/// Why a value is refused.
#[derive(Debug, PartialEq)]
pub enum Fault {
    /// It violates the field's rule; the code says how.
    Violation(&'static str),
    /// It is the birthday of a minor.
    Underage,
}

impl Field {
    /// The form in which `value` is stored.
    ///
    /// Texts are in Unicode NFC, without white space around them; lists are JSON.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn normal_form(&self, value: &Value, setting: &Setting) -> Result<String, Fault> {
        match self.rule {
            Rule::Avatar => avatar(text(value)?, &setting.avatar_url_prefixes),
            Rule::Gender => match text(value)? {
                gender @ ("male" | "female" | "other") => Ok(gender.to_owned()),
                _ => Err(Fault::Violation("value")),
            },
            Rule::Line(max) => line(text(value)?, max),
            Rule::Text(max) => paragraphs(text(value)?, max),
            Rule::Birthday => birthday(text(value)?, setting.today),
            Rule::Hometown => region(text(value)?, region::is_known),
            Rule::City => region(text(value)?, region::is_city_in_use),
            Rule::Tags { items, length } => tags(value, items, length),
        }
    }
}

fn text(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or(Fault::Violation("type"))
}

fn avatar(text: &str, prefixes: &[String]) -> Result<String, Fault> {
    if let Some(upload) = avatar::upload(text) {
        return Ok(avatar::reference(upload));
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let uri: Option<http::Uri> = text.parse().ok().filter(|_| is_plain);
    let is_https = uri.is_some_and(|uri| {
        uri.scheme_str() == Some("https")
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
    });
    if !is_https {
        return Err(Fault::Violation("url"));
    }
    if text.len() > MAX_URL {
        return Err(Fault::Violation("length"));
    }
    // A path that climbs leaves the folder that the prefix names. Browsers read `%2e` as a dot and a
    // backslash as a slash.
    let decoded = text.to_ascii_lowercase().replace("%2e", ".");
    let climbs = text.contains('\\') || decoded.split(['/', '?', '#']).any(|part| part == "..");
    if climbs
        || !prefixes
            .iter()
            .any(|prefix| text.starts_with(prefix.as_str()))
    {
        return Err(Fault::Violation("prefix"));
    }
    Ok(text.to_owned())
}

fn line(text: &str, max: usize) -> Result<String, Fault> {
    bounded(text.nfc().collect::<String>().trim(), max, |_| false)
}

fn paragraphs(text: &str, max: usize) -> Result<String, Fault> {
    let text: String = text.nfc().collect();
    let unix = text.replace("\r\n", "\n");
    bounded(unix.trim(), max, |character| character == '\n')
}

fn bounded(text: &str, max: usize, allowed: impl Fn(char) -> bool) -> Result<String, Fault> {
    // Joiners belong between other characters, as in emoji.
    if text
        .chars()
        .all(|character| matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0f}'))
    {
        return Err(Fault::Violation("empty"));
    }
    if text
        .chars()
        .any(|character| is_invisible(character) && !allowed(character))
    {
        return Err(Fault::Violation("characters"));
    }
    if text.chars().count() > max {
        return Err(Fault::Violation("length"));
    }
    Ok(text.to_owned())
}

/// Control characters, separators, what turns the direction of writing around, and characters that show
/// nothing: with them a text says something other than it shows.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}'
        )
}

fn birthday(text: &str, today: Date) -> Result<String, Fault> {
    let date: Date = text.parse().map_err(|_| Fault::Violation("date"))?;
    // The parser takes more forms than the one that we answer.
    if date.to_string() != text || date.year() < 1900 || date > today {
        return Err(Fault::Violation("date"));
    }
    if !is_adult(date, today) {
        return Err(Fault::Underage);
    }
    Ok(text.to_owned())
}

fn region(code: &str, is_valid: impl Fn(&str) -> bool) -> Result<String, Fault> {
    if is_valid(code) {
        Ok(code.to_owned())
    } else {
        Err(Fault::Violation("region"))
    }
}

fn tags(value: &Value, max_items: usize, max_length: usize) -> Result<String, Fault> {
    let items = value.as_array().ok_or(Fault::Violation("type"))?;
    if items.is_empty() {
        return Err(Fault::Violation("empty"));
    }
    if items.len() > max_items {
        return Err(Fault::Violation("items"));
    }
    let mut tags: Vec<String> = Vec::new();
    for item in items {
        let tag = line(text(item)?, max_length)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(serde_json::to_string(&tags).expect("a list of texts"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn setting() -> Setting {
        Setting {
            today: date(2026, 2, 28),
            avatar_url_prefixes: vec!["https://cdn.example.com/avatars/".into()],
        }
    }

    fn stored(name: &str, value: Value) -> Result<String, Fault> {
        let field = all().find(|field| field.name == name).unwrap();
        field.normal_form(&value, &setting())
    }

    fn violation(name: &str, value: Value) -> &'static str {
        match stored(name, value) {
            Ok(_) => "none",
            Err(Fault::Violation(code)) => code,
            Err(Fault::Underage) => "underage",
        }
    }

    #[test]
    fn the_fields_are_those_that_guards_and_views_know() {
        assert_eq!(REQUIRED.map(|field| field.name), shared::profile::REQUIRED);
        assert_eq!(OPTIONAL.map(|field| field.name), shared::profile::OPTIONAL);
    }

    #[test]
    fn texts_are_trimmed_and_composed() {
        assert_eq!(
            stored("motto", json!("  e\u{301}t\u{e9} ")),
            Ok("été".into())
        );
        assert_eq!(stored("about", json!("a\r\nb\n")), Ok("a\nb".into()));
    }

    #[test]
    fn texts_have_limits_in_characters() {
        assert_eq!(violation("job_title", json!("人".repeat(30))), "none");
        assert_eq!(violation("job_title", json!("人".repeat(31))), "length");
        assert_eq!(violation("job_title", json!("   ")), "empty");
        assert_eq!(violation("job_title", json!("a\nb")), "characters");
        assert_eq!(violation("about", json!("a\u{0}b")), "characters");
        assert_eq!(violation("real_name", json!("\u{202e}三张")), "characters");
        assert_eq!(violation("real_name", json!("\u{200b}")), "characters");
        assert_eq!(violation("real_name", json!("\u{200d}")), "empty");
        assert_eq!(violation("motto", json!("👩\u{200d}💻")), "none");
        assert_eq!(violation("motto", json!(1)), "type");
    }

    #[test]
    fn avatars_stand_under_a_prefix() {
        let ok = "https://cdn.example.com/avatars/1.jpg";
        assert_eq!(stored("avatar", json!(ok)), Ok(ok.into()));
        for (url, code) in [
            ("http://cdn.example.com/avatars/1.jpg", "url"),
            ("https://user@cdn.example.com/avatars/1.jpg", "url"),
            ("https://cdn.example.com/avatars/ 1.jpg", "url"),
            ("javascript:alert(1)", "url"),
            ("https://evil.example/avatars/1.jpg", "prefix"),
            ("https://cdn.example.com/avatars/../x.jpg", "prefix"),
            ("https://cdn.example.com/avatars/%2E%2e/x.jpg", "prefix"),
            ("https://cdn.example.com/avatars/..\\x.jpg", "prefix"),
            ("upload:7", "url"),
            ("", "url"),
        ] {
            assert_eq!(violation("avatar", json!(url)), code, "{url}");
        }
        let upload = "upload:0198C5A0-0000-7000-8000-000000000000";
        assert_eq!(stored("avatar", json!(upload)), Ok(upload.to_lowercase()));
        let long = format!("{ok}{}", "x".repeat(MAX_URL));
        assert_eq!(violation("avatar", json!(long)), "length");
    }

    // clause M1
    #[test]
    fn one_is_an_adult_on_the_eighteenth_birthday() {
        assert_eq!(violation("birthday", json!("2008-02-28")), "none");
        assert_eq!(violation("birthday", json!("2008-02-29")), "underage");
        assert_eq!(violation("birthday", json!("2020-01-01")), "underage");
        for text in [
            "2026-03-01",
            "1899-12-31",
            "1990-02-30",
            "1990-2-3",
            "19900203",
            "",
        ] {
            assert_eq!(violation("birthday", json!(text)), "date", "{text}");
        }
    }

    #[test]
    fn tags_are_different_lines() {
        assert_eq!(
            stored("hobbies", json!(["徒步", " 徒步 ", "围棋"])),
            Ok(r#"["徒步","围棋"]"#.into())
        );
        assert_eq!(violation("hobbies", json!([])), "empty");
        assert_eq!(violation("hobbies", json!(vec!["a"; 21])), "items");
        assert_eq!(violation("hobbies", json!(["a", 1])), "type");
        assert_eq!(violation("hobbies", json!("a")), "type");
        assert_eq!(violation("industries", json!(["x".repeat(21)])), "length");
    }

    #[test]
    fn an_abolished_division_is_a_home_town_but_no_city() {
        assert_eq!(violation("hometown", json!("110103")), "none"); // 崇文区, merged in 2010
        assert_eq!(violation("city", json!("110103")), "region");
        assert_eq!(violation("city", json!("350200")), "none");
        assert_eq!(violation("hometown", json!("999999")), "region");
    }

    proptest! {
        #[test]
        fn what_is_stored_is_stored_again_unchanged(text: String) {
            for name in ["motto", "about"] {
                if let Ok(once) = stored(name, json!(text)) {
                    prop_assert_eq!(stored(name, json!(once)), Ok(once.clone()));
                }
            }
        }
    }
}
