//! What several functions need, and nothing else.
//!
//! A request's way: [`http::serve`] finds the route, the route's handler names its guards as arguments
//! (each an [`http::FromContext`]), the handler asks a rule and the [`sql`] door, and every error becomes
//! an [`http::Problem`] in one place.
//!
//! - [`http`]: routes, guards as arguments, problems, JSON bodies, `Idempotency-Key`, cursor pages.
//! - [`sql`]: one small door to SQLite and PostgreSQL; [`key_value`] and [`variables`]: the other two.
//! - [`session`], [`profile`]: the guards that every feature stands behind.
//! - [`crypto`]: keys by purpose, sealed values, keyed hashes, a person's own data key.
//! - [`data_map`]: what every stored column is, why it is held and for how long.
//! - [`outbound`], [`disclosure`]: talking to third parties, and the record that it happened.
//!
//! To add a table: a migration in `migrations/`, its columns in [`data_map`], its statements in the
//! function that owns it, declared with [`statements!`].

pub mod crypto;
pub mod data_map;
pub mod disclosure;
pub mod http;
pub mod key_value;
pub mod log;
pub mod outbound;
pub mod policy;
pub mod profile;
pub mod random;
pub mod session;
pub mod sql;
pub mod time;
pub mod variables;

/// Every statement of this crate, so that the tests can look at each one's plan.
pub const STATEMENTS: &[&[(&str, sql::Statement)]] = &[
    crypto::STATEMENTS,
    disclosure::STATEMENTS,
    http::IDEMPOTENCY_STATEMENTS,
    profile::STATEMENTS,
    session::STATEMENTS,
];
