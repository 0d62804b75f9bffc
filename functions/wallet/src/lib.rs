//! What people have in coins, what they give each other, and the ledger's seals (clause E15).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod catalogue;
mod document;
mod entries;
mod error;
mod giving;
mod routes;
mod seal;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/wallet" => routes::wallet::read,
    GET "/v1/wallet/entries" => routes::entries::list,
    GET "/v1/gifts" => routes::gifts::list,
    POST "/v1/gifts" => routes::gifts::give,
    POST "/v1/tips" => routes::tips::give,
    POST "/v1/operator/ledger-seals" => routes::seals::create,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/seal" => routes::seals::create_internally,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] =
    &[entries::STATEMENTS, giving::STATEMENTS, seal::STATEMENTS];

shared::http::component!(ROUTES, INTERNAL);
