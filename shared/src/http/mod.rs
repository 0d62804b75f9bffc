//! From a request to its answer.
//!
//! A handler is a plain function. Its first argument is the [`Context`]; every further one is something
//! that must hold or be there before it runs, in that order: a guard, a path parameter, the body. Each is
//! a [`FromContext`]; the first that fails answers its [`Problem`], and the handler never starts.

mod answer;
mod context;
mod handler;
mod idempotency;
mod json;
mod page;
mod path;
mod problem;
mod route;
mod serve;

pub use answer::Answer;
pub use context::{Context, FromContext};
pub use handler::Handler;
pub use idempotency::{RequestKey, STATEMENTS as IDEMPOTENCY_STATEMENTS, request_key};
pub use json::{Json, Violation, object};
pub use page::{DEFAULT_LIMIT, Page, PageRequest, page_limit};
pub use path::{Id, Secret};
pub use problem::{Problem, ProblemBody, lift_problems};
pub use route::{MAX_BODY, Route, routes};
pub use serve::{component, serve};
