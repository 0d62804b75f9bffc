//! One file a path.

pub mod sweep;
