//! Whether the application is ready.

use shared::http::{Route, routes};
use shared::sql::Statement;

mod health;

pub use health::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/health" => health::read,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[health::STATEMENTS];

shared::http::component!(ROUTES);
