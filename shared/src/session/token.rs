//! A session's token: 256 random bits. Only its hash is ever stored; at that entropy a plain hash cannot
//! be searched.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};

use crate::random;

/// The SHA-256 of a token, under which its session is found.
pub type TokenHash = [u8; 32];

/// A session's token.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl Token {
    /// A new token.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random::bytes(rng))
    }

    /// The token in its text form, as 43 characters of URL-safe base64.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// What is stored of it.
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_reads_back_and_nothing_else_does() {
        let token = Token::generate(&mut random::host());
        assert_eq!(token.to_text().len(), 43);
        assert_eq!(Token::parse(&token.to_text()).unwrap().hash(), token.hash());
        for text in ["", "x", &"A".repeat(42), &"A".repeat(44), &"!".repeat(43)] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }
}
