//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::deletion::create,
    routes::deletion::read,
    routes::deletion::cancel,
    routes::operator_deletion::create,
    routes::replay::create,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
