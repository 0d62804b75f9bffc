//! One file a path.

pub mod complete;
pub mod content;
pub mod copying;
pub mod form;
pub mod link;
pub mod operator_link;
pub mod sweep;
pub mod upload;
pub mod uploads;
