//! Which data a person can have deleted while the account stays, and which are needed (clause R3).

use shared::data_map::{Basis, Category};

/// Whether a category can be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// At any time.
    Deletable,
    /// Not while the account is there, or not before the law's time is over.
    Needed(Basis),
}

/// The decision on each category.
pub const fn decision(category: Category) -> Decision {
    match category {
        Category::Devices
        | Category::Profile
        | Category::Uploads
        | Category::Verification
        | Category::Blocks
        | Category::Location
        | Category::Gifts => Decision::Deletable,
        // Without the number and the sessions there is no account: it goes by leaving.
        Category::Account => Decision::Needed(Basis::Contract),
        // Proof of what was agreed, paid, given to others, asked for and told.
        Category::Consents
        | Category::Payment
        | Category::Disclosures
        | Category::Requests
        | Category::Notices => Decision::Needed(Basis::Law),
        Category::Service => Decision::Needed(Basis::Safety),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause R3
    #[test]
    fn what_the_law_keeps_is_needed_and_what_was_agreed_to_is_not() {
        for category in Category::ALL {
            let mut bases = category.holdings().map(|holding| holding.basis);
            match decision(*category) {
                Decision::Deletable => assert!(bases.all(|basis| basis != Basis::Law)),
                Decision::Needed(needed) => {
                    assert!(bases.any(|basis| basis == needed), "{category:?}");
                    let mut bases = category.holdings().map(|holding| holding.basis);
                    assert!(bases.all(|basis| basis != Basis::Consent), "{category:?}");
                }
            }
        }
    }
}
