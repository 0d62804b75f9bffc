//! One file a path.

pub mod answer;
pub mod due;
pub mod fee;
pub mod operator_request;
pub mod operator_requests;
pub mod refusal;
pub mod request;
pub mod requests;
pub mod task_done;
pub mod tasks;
