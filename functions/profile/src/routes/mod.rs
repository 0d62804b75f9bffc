//! One file a path.

pub mod others;
pub mod own;
