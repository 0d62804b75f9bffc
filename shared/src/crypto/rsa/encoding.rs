//! From a key's text to its DER.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::InvalidKey;

/// The DER within `text`: PEM (RFC 7468), or base64 without PEM's first and last line. White space may
/// stand anywhere. PEM's label is not read: the DER says itself what it holds, and consoles are known to
/// put the wrong one.
pub(super) fn der(text: &str) -> Result<Vec<u8>, InvalidKey> {
    let base64: String = body(text.trim())?.split_whitespace().collect();
    STANDARD.decode(base64).map_err(|_| InvalidKey)
}

fn body(text: &str) -> Result<&str, InvalidKey> {
    let Some(rest) = text.strip_prefix("-----BEGIN ") else {
        return Ok(text);
    };
    rest.strip_suffix("-----")
        .and_then(|rest| rest.split_once("-----"))
        .and_then(|(_, rest)| rest.split_once("-----END "))
        .filter(|(_, label)| !label.contains("-----"))
        .map(|(body, _)| body)
        .ok_or(InvalidKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_and_bare_base64_are_the_same() {
        let expected = Ok(vec![1, 2, 3]);
        assert_eq!(der("AQID"), expected);
        assert_eq!(der("  AQ\r\nI\tD\n"), expected);
        assert_eq!(
            der("-----BEGIN X-----\nAQ\nID\n-----END X-----\n"),
            expected
        );
        assert_eq!(der("-----BEGIN X----- AQID -----END X-----"), expected);
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "AQI",
            "AQ-D",
            "-----BEGIN X-----\nAQID",
            "-----BEGIN X-----\nAQID\n-----END X",
            "-----BEGIN X-----\nAQID\n-----END X-----\n-----BEGIN X-----\nAQID\n-----END X-----",
        ] {
            assert_eq!(der(text), Err(InvalidKey), "{text}");
        }
    }
}
