//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::verifications::list,
    routes::verifications::read,
    routes::real_name::start,
    routes::documents::submit,
    routes::enterprise::submit,
    routes::refresh::refresh,
    routes::appeal::open,
    routes::messages::receive,
    routes::reviews::list,
    routes::reviews::read,
    routes::decision::decide,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
