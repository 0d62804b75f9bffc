//! One file a path.

pub mod contact;
pub mod current_session;
pub mod leak_reports;
pub mod notice_sms;
pub mod operator_freeze;
pub mod password;
pub mod password_resets;
pub mod policy;
pub mod sessions;
pub mod sms_codes;
