//! One file a path.

pub mod block;
pub mod blocks;
