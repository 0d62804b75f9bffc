//! Leaving: deleting an account, with a time in which one can come back (clauses L5, R5, R8).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod aftermath;
mod closing;
mod document;
mod error;
mod execution;
mod leaving;
mod plan;
mod replay;
mod routes;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    POST "/v1/account/deletion" => routes::deletion::create,
    GET "/v1/account/deletion" => routes::deletion::read,
    DELETE "/v1/account/deletion" => routes::deletion::cancel,
    POST "/v1/operator/accounts/{id}/deletion" => routes::operator_deletion::create,
    POST "/v1/operator/deletions/replay" => routes::replay::create,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/execute" => routes::execute::create,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    aftermath::STATEMENTS,
    closing::STATEMENTS,
    execution::STATEMENTS,
    plan::STATEMENTS,
    replay::STATEMENTS,
    routes::operator_deletion::STATEMENTS,
];

shared::http::component!(ROUTES, INTERNAL);
