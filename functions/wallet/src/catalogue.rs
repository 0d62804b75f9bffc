//! The gifts that there are: the variable `gifts`.

use serde::{Deserialize, Serialize};
use shared::variables::{self, Misconfigured};
use utoipa::ToSchema;

const VARIABLE: &str = "gifts";
/// The most coins that go from one person to another at once.
pub const MOST_COINS: i64 = 1_000_000;

/// A gift.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Gift {
    /// Its name for machines.
    #[schema(example = "flower")]
    pub id: String,
    /// Its name for people.
    #[schema(example = "鲜花")]
    pub name: String,
    /// What it costs.
    #[schema(example = 10)]
    pub coins: i64,
}

/// The gifts that can be given.
///
/// # Errors
/// The variable is no list of gifts.
pub fn gifts() -> Result<Vec<Gift>, Misconfigured> {
    parse(&variables::required(VARIABLE)?).ok_or(Misconfigured { variable: VARIABLE })
}

/// `None` for what is no list of gifts with names of their own, each at a price.
fn parse(text: &str) -> Option<Vec<Gift>> {
    let gifts: Vec<Gift> = serde_json::from_str(text).ok()?;
    let is_sound = gifts.iter().enumerate().all(|(at, gift)| {
        let is_new = gifts[..at].iter().all(|earlier| earlier.id != gift.id);
        is_new && !gift.id.is_empty() && (1..=MOST_COINS).contains(&gift.coins)
    });
    is_sound.then_some(gifts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gifts_have_names_of_their_own_and_a_price() {
        let gift = |id: &str, coins: i64| format!(r#"{{"id":"{id}","name":"花","coins":{coins}}}"#);
        let list = |gifts: &[String]| parse(&format!("[{}]", gifts.join(",")));
        assert_eq!(
            list(&[gift("a", 1), gift("b", MOST_COINS)]).unwrap().len(),
            2
        );
        for broken in [
            vec![gift("a", 1), gift("a", 2)],
            vec![gift("a", 0)],
            vec![gift("a", -1)],
            vec![gift("a", MOST_COINS + 1)],
            vec![gift("", 1)],
        ] {
            assert!(list(&broken).is_none(), "{broken:?}");
        }
        assert!(parse("{}").is_none());
    }
}
