//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::data::read,
    routes::category::read,
    routes::category::delete,
    routes::disclosures::list,
    routes::exports::list,
    routes::exports::create,
    routes::export::read,
    routes::link::read,
    routes::archive::create,
    routes::recipients::list,
    routes::sms_replies::receive,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
