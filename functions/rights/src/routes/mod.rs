//! One file a path.

pub mod archive;
pub mod building;
pub mod category;
pub mod data;
pub mod disclosures;
pub mod erasing;
pub mod export;
pub mod exports;
pub mod link;
pub mod recipients;
pub mod sms_replies;
