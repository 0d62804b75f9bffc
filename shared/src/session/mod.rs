//! Sessions: the token, the guard, and the bounded cache in front of the database.

mod cache;
mod ending;
mod guard;
mod token;

pub use cache::forget;
pub use ending::{STATEMENTS as ENDING_STATEMENTS, end_all, end_expired};
pub(crate) use guard::bearer_token;
pub use guard::{AnySession, LIFETIME, STATEMENTS, Session};
pub use token::{Token, TokenHash};
