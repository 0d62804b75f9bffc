//! One file a path.

pub mod breach_notice;
pub mod breach_notices;
pub mod breach_publication;
pub mod breach_report;
pub mod deliver;
pub mod notice_read;
pub mod notices;
pub mod operator_announcements;
pub mod operator_policy_versions;
pub mod policy_notices;
pub mod policy_version;
pub mod policy_versions;
