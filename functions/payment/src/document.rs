//! This function's part of the OpenAPI document.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::packages::list,
    routes::orders::list,
    routes::orders::create,
    routes::order::read,
    routes::order::close,
    routes::apple_transaction::submit,
    routes::refund::create,
    routes::refunds::list,
    routes::anomalies::list,
    routes::alipay::receive,
    routes::wechat::payment,
    routes::wechat::refund,
    routes::apple::receive,
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
