//! One file a path.

pub mod deletion;
pub mod execute;
pub mod operator_deletion;
pub mod replay;
