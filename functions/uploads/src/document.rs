//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::uploads::create,
    routes::upload::delete,
    routes::form::receive,
    routes::complete::create,
    routes::link::read,
    routes::content::read,
    routes::operator_link::read,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
