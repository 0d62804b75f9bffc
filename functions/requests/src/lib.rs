//! What people ask of us about their data, answered in 15 working days, and the operators' tasks (clauses R7, K1, M1).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod alert;
mod calendar;
mod decision;
mod delivery;
mod document;
mod error;
mod fee;
mod intake;
mod kind;
mod names;
mod refusal;
mod relay;
mod request;
mod retry;
mod routes;
mod task;
mod telling;
mod text;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    POST "/v1/requests" => routes::requests::ask,
    GET "/v1/requests" => routes::requests::list,
    GET "/v1/requests/{id}" => routes::request::read,
    GET "/v1/operator/requests" => routes::operator_requests::list,
    POST "/v1/operator/requests" => routes::operator_requests::record,
    GET "/v1/operator/requests/{id}" => routes::operator_request::read,
    POST "/v1/operator/requests/{id}/answer" => routes::answer::answer,
    POST "/v1/operator/requests/{id}/refusal" => routes::refusal::refuse,
    POST "/v1/operator/requests/{id}/fee" => routes::fee::set,
    GET "/v1/operator/tasks" => routes::tasks::list,
    POST "/v1/operator/tasks/{id}/done" => routes::task_done::done,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/due" => routes::due::due,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    alert::STATEMENTS,
    decision::STATEMENTS,
    delivery::STATEMENTS,
    fee::STATEMENTS,
    intake::STATEMENTS,
    request::STATEMENTS,
    task::STATEMENTS,
    telling::STATEMENTS,
];

shared::http::component!(ROUTES, INTERNAL);
