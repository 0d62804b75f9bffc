//! The replies that end marketing messages (clause R4).

use shared::consent::{self, Purpose};
use shared::crypto::KeyedHash;
use shared::http::{Context, Problem};
use shared::phone::to_half_width;
use shared::sql::{Parameter, statements};

statements! {
    /// The account with this number, if it agrees to marketing messages.
    FIND = "SELECT a.id FROM accounts a JOIN consents c ON c.account_id = a.id AND c.purpose = $1 \
            WHERE a.phone_hash = $2";
}

/// What is asked for in messages, and what people write instead.
const WORDS: [&str; 12] = [
    "T",
    "TD",
    "R",
    "N",
    "QX",
    "STOP",
    "退",
    "退订",
    "拒收",
    "取消",
    "取消订阅",
    "不要再发",
];

/// Whether a reply asks for no more messages: one of the words, whatever its case and width, without the white space
/// and the punctuation around it.
pub fn is_opt_out(reply: &str) -> bool {
    let plain: String = reply.chars().map(to_half_width).collect();
    let word = plain
        .trim_matches(|character: char| !character.is_alphanumeric())
        .to_uppercase();
    WORDS.contains(&word.as_str())
}

/// Withdraws the consent to marketing messages of the account with this number; nothing where there is none.
///
/// # Errors
/// The database failed.
pub fn withdraw(cx: &Context, phone_hash: &KeyedHash) -> Result<(), Problem> {
    let purpose = Purpose::MarketingSms;
    let row = cx.sql()?.first(
        &FIND,
        &[
            Parameter::text(purpose.terms().name),
            Parameter::blob(phone_hash),
        ],
    )?;
    match row {
        Some(row) => consent::withdraw(cx, row.get("id")?, purpose),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // clause R4
    #[test]
    fn the_words_count_in_any_case_and_width() {
        for reply in [
            "T",
            "t",
            "TD",
            "td",
            "Ｔ",
            "ｔｄ",
            " TD。",
            "“退订”",
            "退订",
            "拒收",
            "退订!",
            "Stop",
            "\u{3000}T\u{3000}",
        ] {
            assert!(is_opt_out(reply), "{reply}");
        }
        for reply in [
            "",
            "好",
            "TT",
            "T T",
            "不退订",
            "退订吗",
            "Tom",
            "TD1",
            "收到",
            "1",
        ] {
            assert!(!is_opt_out(reply), "{reply}");
        }
    }

    proptest! {
        #[test]
        fn any_reply_is_read(reply: String) {
            is_opt_out(&reply);
        }
    }
}
