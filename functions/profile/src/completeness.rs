//! How full a profile is (clause S3).

use crate::fields::{OPTIONAL, REQUIRED};
use crate::store::Profile;

/// What each of the five required fields counts; together they are half of the whole.
const REQUIRED_WEIGHT: usize = 10;
/// What each of the ten optional fields counts.
const OPTIONAL_WEIGHT: usize = 5;

/// The whole is 100.
const _: () = assert!(REQUIRED.len() * REQUIRED_WEIGHT + OPTIONAL.len() * OPTIONAL_WEIGHT == 100);

/// From 0 to 100: ten for each required field that is there, five for each optional one.
pub fn completeness(profile: &Profile) -> usize {
    let given = profile
        .fields()
        .filter(|(_, value)| value.is_some())
        .count();
    let required = REQUIRED.len() - profile.missing().count();
    required * REQUIRED_WEIGHT + (given - required) * OPTIONAL_WEIGHT
}
