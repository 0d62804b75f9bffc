//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::requests::ask,
    routes::requests::list,
    routes::request::read,
    routes::operator_requests::list,
    routes::operator_requests::record,
    routes::operator_request::read,
    routes::answer::answer,
    routes::refusal::refuse,
    routes::fee::set,
    routes::tasks::list,
    routes::task_done::done,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
