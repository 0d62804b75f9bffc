//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::notices::list,
    routes::notice_read::create,
    routes::policy_notices::list,
    routes::policy_versions::list,
    routes::policy_version::read,
    routes::operator_policy_versions::create,
    routes::operator_announcements::create,
    routes::breach_notices::create,
    routes::breach_notice::read,
    routes::breach_report::read,
    routes::breach_publication::create,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
