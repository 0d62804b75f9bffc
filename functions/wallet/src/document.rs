//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::wallet::read,
    routes::entries::list,
    routes::gifts::list,
    routes::gifts::give,
    routes::tips::give,
    routes::seals::create,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
