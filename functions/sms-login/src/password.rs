//! Passwords: 8 to 128 characters, none of the common ones, kept as argon2id.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use rand_core::CryptoRng;
use shared::http::Violation;
use unicode_normalization::UnicodeNormalization as _;

/// The commonest passwords of eight characters and more, in lower case and sorted; see `data/README.md`.
const COMMON: &str = include_str!("../data/common-passwords.txt");

const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// A password that may be set.
pub struct Password(String);

impl Password {
    /// Reads a password. The same characters typed on another keyboard are the same password (Unicode
    /// NFKC, as NIST SP 800-63B-4, 3.1.1.2 advises).
    ///
    /// # Errors
    /// `length` or `common`.
    pub fn new(text: &str) -> Result<Self, Violation> {
        let password = normal_form(text);
        if !LENGTH.contains(&password.chars().count()) {
            return Err(Violation::new("password", "length"));
        }
        if is_common(&password.to_lowercase()) {
            return Err(Violation::new("password", "common"));
        }
        Ok(Self(password))
    }

    /// The password's argon2id hash in PHC form, with a random salt: 19 MiB, two passes, one lane, the
    /// first of OWASP's recommended settings.
    pub fn hash(&self, rng: &mut impl CryptoRng) -> String {
        Argon2::default()
            .hash_password_with_rng(rng, self.0.as_bytes())
            .expect("the default parameters are valid")
            .to_string()
    }
}

/// Whether `text` is the password of `stored`. Without one, the same work is done for nothing, so that
/// the time does not tell whether there is an account or a password.
pub fn verify(text: &str, stored: Option<&str>) -> bool {
    // Of no password: its tag is not what any input gives.
    const NONE: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let password = normal_form(text);
    PasswordHash::new(stored.unwrap_or(NONE)).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

fn normal_form(text: &str) -> String {
    text.nfkc().collect()
}

fn is_common(lowercase: &str) -> bool {
    let (mut low, mut high) = (0, COMMON.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = COMMON[..middle].rfind('\n').map_or(0, |at| at + 1);
        let end = COMMON[middle..]
            .find('\n')
            .map_or(COMMON.len(), |at| middle + at);
        match COMMON[start..end].cmp(lowercase) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(text: &str) -> &'static str {
        Password::new(text)
            .err()
            .map_or("none", |violation| violation.code)
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(violation("1234567"), "length");
        assert_eq!(violation(&"人".repeat(7)), "length");
        assert_eq!(violation(&"人".repeat(8)), "none");
        assert_eq!(violation(&"人".repeat(128)), "none");
        assert_eq!(violation(&"人".repeat(129)), "length");
    }

    #[test]
    fn every_common_password_is_found_and_the_list_is_sorted() {
        assert!(COMMON.is_ascii());
        assert!(COMMON.lines().is_sorted());
        for line in COMMON.lines() {
            assert!(is_common(line), "{line}");
        }
        assert_eq!(violation("Password1"), "common");
        assert_eq!(violation("woaini1314"), "common");
        assert_eq!(violation("correct horse battery staple"), "none");
    }

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let hash = Password::new("Zügig-über-Größe")
            .ok()
            .unwrap()
            .hash(&mut shared::random::host());
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("Zu\u{308}gig-u\u{308}ber-Gro\u{308}ße", Some(&hash)));
        assert!(!verify("zügig-über-größe", Some(&hash)));
        assert!(!verify("", Some(&hash)));
        assert!(!verify("anything", None));
        assert!(!verify("anything", Some("not a hash")));
    }
}
