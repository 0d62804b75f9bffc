//! The unified social credit code of an organisation (GB 32100-2015): two characters of the registrar and the
//! kind, six digits of a region, nine of the organisation's own code (GB 11714-1997), one check character.

/// Digits and capitals without I, O, S, V and Z.
const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const ORGANISATION_WEIGHTS: [usize; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// A code whose check characters are right.
#[derive(Debug, PartialEq)]
pub struct Uscc(String);

impl Uscc {
    /// Reads a code; small letters are accepted. `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let code = text.trim().to_ascii_uppercase();
        let values: Vec<usize> = code
            .bytes()
            .map(|byte| ALPHABET.iter().position(|known| *known == byte))
            .collect::<Option<_>>()?;
        let is_region = code.get(2..8)?.bytes().all(|byte| byte.is_ascii_digit());
        let is_code = values.len() == 18
            && is_region
            && values[17] == check_value(&values[..17])
            && code.as_bytes()[16] == organisation_check(&code.as_bytes()[8..16]);
        is_code.then_some(Self(code))
    }

    /// All eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// GB 32100: the weights are 3^(i-1) mod 31.
fn check_value(values: &[usize]) -> usize {
    let mut weight = 1;
    let mut sum = 0;
    for value in values {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    (31 - sum % 31) % 31
}

/// GB 11714: letters count from ten on, all of them.
fn organisation_check(code: &[u8]) -> u8 {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        letter => usize::from(letter - b'A') + 10,
    };
    let sum: usize = code
        .iter()
        .zip(ORGANISATION_WEIGHTS)
        .map(|(byte, weight)| value(*byte) * weight)
        .sum();
    match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => b'0' + digit as u8,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Published codes: the standard's example, and those of well-known companies.
    const CODES: [&str; 4] = [
        "91350100M000100Y43",
        "91440300708461136T",
        "914403001922038216",
        "91110000802100433B",
    ];

    #[test]
    fn published_codes_are_codes() {
        for code in CODES {
            assert!(Uscc::parse(code).is_some(), "{code}");
            assert!(Uscc::parse(&code.to_lowercase()).is_some(), "{code}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in [
            "",
            "91350100M000100Y4",
            "91350100M000100Y433",
            "91350100M000100Y44",
            "91350100M000100Z43",
            "9135O100M000100Y43",
            "统一社会信用代码",
        ] {
            assert_eq!(Uscc::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_organisations_own_check_counts() {
        // The last character is made to fit, the seventeenth is not.
        let mut code = *b"91350100M000100X40";
        let values: Vec<usize> = code[..17]
            .iter()
            .map(|byte| ALPHABET.iter().position(|known| known == byte).unwrap())
            .collect();
        code[17] = ALPHABET[check_value(&values)];
        assert_eq!(Uscc::parse(std::str::from_utf8(&code).unwrap()), None);
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_noticed(which in 0usize..4, at in 0usize..18, change in 1usize..31) {
            let mut code = CODES[which].to_owned().into_bytes();
            let value = ALPHABET.iter().position(|known| *known == code[at]).unwrap();
            code[at] = ALPHABET[(value + change) % 31];
            prop_assert_eq!(Uscc::parse(std::str::from_utf8(&code).unwrap()), None);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Uscc::parse(&text);
        }
    }
}
