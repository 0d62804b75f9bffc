//! What everybody concerned is told: versions of the policy, new services, breaches (clauses N1, N2, G3, C2, T4).

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
