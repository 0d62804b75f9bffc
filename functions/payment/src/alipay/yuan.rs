//! Amounts as Alipay writes them, in yuan, and as we keep them, in fen.

/// What an amount may be, in fen: 0.01 to 100,000,000 yuan (`total_amount` in the official Java SDK's
/// `AlipayTradeAppPayModel`).
pub const RANGE: std::ops::RangeInclusive<i64> = 1..=10_000_000_000;

/// Yuan with exactly two decimals. `fen` is in [`RANGE`].
pub fn from_fen(fen: i64) -> String {
    debug_assert!(RANGE.contains(&fen), "not an amount: {fen}");
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Reads yuan: digits, and behind a point one or two more. `None` for any other text, and for what is not in
/// [`RANGE`].
pub fn to_fen(yuan: &str) -> Option<i64> {
    let (whole, decimals) = yuan.split_once('.').unwrap_or((yuan, "0"));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    // Nine digits are the most in the range, so nothing overflows below.
    let is_in_form = matches!(whole.len(), 1..=9)
        && matches!(decimals.len(), 1..=2)
        && is_number(whole)
        && is_number(decimals)
        && (whole == "0" || !whole.starts_with('0'));
    if !is_in_form {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let decimals: i64 = format!("{decimals:0<2}").parse().ok()?;
    Some(whole * 100 + decimals).filter(|fen| RANGE.contains(fen))
}

/// Whether an amount is zero, in whichever of the forms that [`to_fen`] reads.
pub fn is_nothing(yuan: &str) -> bool {
    ["0", "0.0", "0.00"].contains(&yuan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (fen, yuan) in [
            (1, "0.01"),
            (10, "0.10"),
            (600, "6.00"),
            (64_801, "648.01"),
            (10_000_000_000, "100000000.00"),
        ] {
            assert_eq!(from_fen(fen), yuan);
            assert_eq!(to_fen(yuan), Some(fen));
        }
        assert_eq!(to_fen("6"), Some(600));
        assert_eq!(to_fen("6.5"), Some(650));
    }

    #[test]
    fn no_other_text_is_an_amount() {
        for text in [
            "",
            ".",
            "0",
            "0.00",
            "-0.01",
            "+6.00",
            "6.",
            ".06",
            "6.001",
            "6.000",
            "06.00",
            "00.01",
            "6,00",
            "1,000.00",
            " 6.00",
            "6.00 ",
            "6e2",
            "0x6",
            "6.0.0",
            "6.+1",
            "６.00",
            "NaN",
            "100000000.01",
            "999999999",
            "1000000000.00",
            "99999999999999999999999999.00",
        ] {
            assert_eq!(to_fen(text), None, "{text:?}");
        }
    }
}
