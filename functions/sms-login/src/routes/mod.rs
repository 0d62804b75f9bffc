//! One file a path.

pub mod contact;
pub mod current_session;
pub mod password;
pub mod policy;
pub mod sessions;
pub mod sms_codes;
