//! The packages of coins that can be bought: the variable `coin_packages`.

use serde::{Deserialize, Serialize};
use shared::variables::{self, Misconfigured};
use utoipa::ToSchema;

const VARIABLE: &str = "coin_packages";
const MOST_COINS: i64 = 1_000_000;
/// 100,000 yuan.
const MOST_FEN: i64 = 10_000_000;

/// A package of coins.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name.
    #[schema(example = "coins-60")]
    pub id: String,
    /// How many coins it holds.
    #[schema(example = 60)]
    pub coins: i64,
    /// Its price in fen, but for Apple, whose prices are in Apple's hands.
    #[schema(example = 600)]
    pub amount_fen: i64,
    /// Its product in the App Store.
    #[schema(example = "com.chuangrenmai.coins.60")]
    pub apple_product_id: String,
}

/// The packages, as they are offered.
///
/// # Errors
/// The variable is no list of packages.
pub fn packages() -> Result<Vec<Package>, Misconfigured> {
    parse(&variables::required(VARIABLE)?).ok_or(Misconfigured { variable: VARIABLE })
}

/// `None` for what is no list of packages with names and products of their own, each at a price.
fn parse(text: &str) -> Option<Vec<Package>> {
    let packages: Vec<Package> = serde_json::from_str(text).ok()?;
    let is_sound = packages.iter().enumerate().all(|(at, package)| {
        let is_new = packages[..at].iter().all(|earlier| {
            earlier.id != package.id && earlier.apple_product_id != package.apple_product_id
        });
        let is_named = !package.id.is_empty() && !package.apple_product_id.is_empty();
        let is_priced = (1..=MOST_COINS).contains(&package.coins)
            && (1..=MOST_FEN).contains(&package.amount_fen);
        is_new && is_named && is_priced
    });
    is_sound.then_some(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(id: &str, coins: i64, fen: i64, product: &str) -> String {
        format!(
            r#"{{"id":"{id}","coins":{coins},"amount_fen":{fen},"apple_product_id":"{product}"}}"#
        )
    }

    #[test]
    fn packages_have_names_of_their_own_and_a_price() {
        let list = |packages: &[String]| parse(&format!("[{}]", packages.join(",")));
        let sound = [
            package("a", 1, 1, "p.a"),
            package("b", MOST_COINS, MOST_FEN, "p.b"),
        ];
        assert_eq!(list(&sound).unwrap().len(), 2);
        for broken in [
            vec![package("a", 1, 1, "p.a"), package("a", 2, 2, "p.b")],
            vec![package("a", 1, 1, "p.a"), package("b", 2, 2, "p.a")],
            vec![package("", 1, 1, "p.a")],
            vec![package("a", 1, 1, "")],
            vec![package("a", 0, 1, "p.a")],
            vec![package("a", 1, 0, "p.a")],
            vec![package("a", 1, -600, "p.a")],
            vec![package("a", MOST_COINS + 1, 1, "p.a")],
            vec![package("a", 1, MOST_FEN + 1, "p.a")],
        ] {
            assert!(list(&broken).is_none(), "{broken:?}");
        }
        assert!(parse("{}").is_none());
    }
}
