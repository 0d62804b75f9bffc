//! One file a path, or a few that read the same rows.

pub mod appeal;
pub mod decision;
pub mod documents;
pub mod enterprise;
pub mod messages;
pub mod real_name;
pub mod refresh;
pub mod reviews;
pub mod verifications;
