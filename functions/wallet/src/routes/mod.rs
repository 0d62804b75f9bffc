//! One file a path.

pub mod entries;
pub mod gifts;
pub mod seals;
pub mod tips;
pub mod wallet;
