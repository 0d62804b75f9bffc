//! One file a path.

pub mod consent;
pub mod consents;
