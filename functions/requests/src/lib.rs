//! What people ask of us about their data, answered in 15 working days, and the operators' tasks (clauses R7, K1, M1).

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
