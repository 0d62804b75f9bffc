//! What people are told of what is held about them, copies of it, and deleting parts of it (clauses R1, R3, R4, R6, T3, T5).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod deletable;
mod deletion;
mod document;
mod email;
mod error;
mod export;
mod holdings;
mod mail;
mod opt_out;
mod person;
mod routes;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/account/data" => routes::data::read,
    GET "/v1/account/data/{category}" => routes::category::read,
    DELETE "/v1/account/data/{category}" => routes::category::delete,
    GET "/v1/account/disclosures" => routes::disclosures::list,
    GET "/v1/account/exports" => routes::exports::list,
    POST "/v1/account/exports" => routes::exports::create,
    GET "/v1/account/exports/{id}" => routes::export::read,
    GET "/v1/exports/{id}" => routes::link::read,
    POST "/v1/exports/{id}/archive" => routes::archive::create,
    GET "/v1/policy/recipients" => routes::recipients::list,
    POST "/v1/callbacks/aliyun/sms-replies/{secret}" => routes::sms_replies::receive,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/erase" => routes::erasing::create,
    POST "/internal/exports" => routes::building::create,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    deletion::STATEMENTS,
    export::ROWS_STATEMENTS,
    export::TURN_STATEMENTS,
    export::BUILDING_STATEMENTS,
    export::ARCHIVE_STATEMENTS,
    opt_out::STATEMENTS,
    person::STATEMENTS,
    routes::disclosures::STATEMENTS,
];

shared::http::component!(ROUTES, INTERNAL);
