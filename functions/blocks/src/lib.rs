//! Blocking people: neither of two is shown the other any more (clause E3).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod document;
mod error;
mod routes;
mod store;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/blocks" => routes::blocks::list,
    PUT "/v1/blocks/{id}" => routes::block::set,
    DELETE "/v1/blocks/{id}" => routes::block::clear,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[store::STATEMENTS];

shared::http::component!(ROUTES);
