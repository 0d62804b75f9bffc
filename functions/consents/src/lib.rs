//! Consent by purpose: what can be agreed to, giving it, withdrawing it (clauses G1, G2, R4).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod document;
mod error;
mod routes;
mod store;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/consents" => routes::consents::list,
    PUT "/v1/consents/{purpose}" => routes::consent::set,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[store::STATEMENTS];

shared::http::component!(ROUTES);
