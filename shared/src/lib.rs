//! What several functions need, and nothing else.
//!
//! A request's way: [`http::serve`] finds the route, the route's handler names its guards as arguments
//! (each an [`http::FromContext`]), the handler asks a rule and the [`sql`] door, and every error becomes
//! an [`http::Problem`] in one place.
//!
//! - [`http`]: routes, guards as arguments, problems, JSON bodies, `Idempotency-Key`, cursor pages.
//! - [`sql`]: one small door to SQLite and PostgreSQL; [`key_value`] and [`variables`]: the other two.
//! - [`session`], [`profile`], [`consent`], [`verification`], [`operator`]: the guards that features stand
//!   behind; [`one_time_code`]: proving that a number is one's own; [`rate_limit`]: counters; [`race`]: what to do
//!   after a lost one.
//! - [`crypto`]: keys by purpose, sealed values, keyed hashes, a person's own data key.
//! - [`data_map`]: what every stored column is, why it is held and for how long; [`basis`]: on which basis;
//!   [`erasure`]: what a restored backup must not bring back.
//! - [`ledger`]: who has how many coins, in postings that are made once.
//! - [`alipay`], [`aliyun`]: signed requests, verified answers and notifications, for every function that talks to
//!   them; [`phone`]: mobile numbers.
//! - [`outbound`], [`recipient`], [`disclosure`]: talking to third parties, who they are, and the record that it
//!   happened; [`recipient_notice`]: telling them what to delete; [`announcement`]: telling people; [`alert`]: telling
//!   the operators; [`chain`], [`uploads`]: asking our other components.
//!
//! To add a table: a migration in `migrations/`, its columns in [`data_map`], its statements in the
//! function that owns it, declared with [`statements!`](sql::statements).

pub mod adult;
pub mod alert;
pub mod alipay;
pub mod aliyun;
pub mod announcement;
pub mod basis;
pub mod chain;
pub mod consent;
pub mod crypto;
pub mod data_map;
pub mod disclosure;
pub mod erasure;
pub mod http;
pub mod key_value;
pub mod ledger;
pub mod log;
pub mod one_time_code;
pub mod operator;
pub mod outbound;
pub mod phone;
pub mod policy;
pub mod profile;
pub mod race;
pub mod random;
pub mod rate_limit;
pub mod recipient;
pub mod recipient_notice;
pub mod region;
pub mod session;
pub mod sql;
pub mod time;
pub mod uploads;
pub mod variables;
pub mod verification;

/// Every statement of this crate, so that the tests can look at each one's plan.
pub const STATEMENTS: &[&[(&str, sql::Statement)]] = &[
    announcement::STATEMENTS,
    consent::STATEMENTS,
    crypto::STATEMENTS,
    disclosure::STATEMENTS,
    erasure::STATEMENTS,
    http::IDEMPOTENCY_STATEMENTS,
    ledger::HOLDER_STATEMENTS,
    ledger::STATEMENTS,
    one_time_code::STATEMENTS,
    operator::STATEMENTS,
    policy::STATEMENTS,
    profile::STATEMENTS,
    rate_limit::STATEMENTS,
    recipient_notice::STATEMENTS,
    session::ENDING_STATEMENTS,
    session::STATEMENTS,
    verification::STATEMENTS,
];
