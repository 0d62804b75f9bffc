//! Amounts as they travel: yuan with two decimals.

/// Yuan with two decimals.
pub fn written(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// An amount in fen. Stricter than Alipay, which takes one decimal or none too: whoever writes an amount
/// always writes two. From 0.01 to 100,000,000.
pub fn read(text: &str) -> Option<i64> {
    let digits = text.replacen('.', "", 1);
    let fen: i64 = digits.parse().ok()?;
    let is_written_so = written(fen) == text;
    (is_written_so && (1..=10_000_000_000).contains(&fen)).then_some(fen)
}
