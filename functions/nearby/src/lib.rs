//! People near me, and people in the same city (clauses E4, E20, S2, T1, G2).
//!
//! Of a position only the cell of the grid is kept in which it lies, and what is answered depends on the two
//! people's cells alone: nobody can be located more closely than that, whatever is asked.

use shared::http::{Route, routes};
use shared::sql::Statement;

mod asker;
mod card;
pub mod cell;
mod city;
pub mod cover;
mod document;
mod error;
mod location;
pub mod people;
pub mod position;
mod routes;
pub mod search;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/location" => routes::location::read,
    PUT "/v1/location" => routes::location::set,
    DELETE "/v1/location" => routes::location::forget,
    GET "/v1/nearby/people" => routes::people::list,
    GET "/v1/nearby/city" => routes::city::list,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    asker::STATEMENTS,
    city::STATEMENTS,
    location::STATEMENTS,
    people::STATEMENTS,
];

shared::http::component!(ROUTES);
