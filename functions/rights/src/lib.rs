//! What people are told of what is held about them, copies of it, and deleting parts of it (clauses R1, R3, R4, R6, T3, T5).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod document;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[];

shared::http::component!(ROUTES, INTERNAL);
