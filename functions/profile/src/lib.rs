//! What a person shows to others, and what others see of it (clauses L2, S1, S2, S3, T1, M1, R1, R2).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod avatar;
mod completeness;
mod document;
mod error;
mod fields;
mod patch;
mod routes;
mod store;
mod view;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/profile" => routes::own::read,
    PATCH "/v1/profile" => routes::own::update,
    GET "/v1/profiles/{id}" => routes::others::read,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[avatar::STATEMENTS, store::STATEMENTS];

shared::http::component!(ROUTES);
