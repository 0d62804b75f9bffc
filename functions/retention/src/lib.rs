//! The sweep: what is due is done, and what must not be kept any longer goes (clause D2).
//!
//! Nothing runs in the background on Spin, so somebody calls, once a minute.

use shared::http::{Route, routes};
use shared::sql::Statement;

mod document;
mod expired;
mod routes;
mod work;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    POST "/v1/internal/sweep" => routes::sweep::create,
};

/// Every statement of this function: the data map has them.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[];

shared::http::component!(ROUTES);
