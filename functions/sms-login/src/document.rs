//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::sms_codes::create,
    routes::sessions::create,
    routes::sessions::list,
    routes::sessions::delete_others,
    routes::current_session::read,
    routes::current_session::delete,
    routes::password::set,
    routes::password_resets::create,
    routes::policy::read,
    routes::policy::consent,
    routes::contact::read,
    routes::leak_reports::create,
    routes::operator_freeze::create,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
