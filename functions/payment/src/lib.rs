//! Orders for coins, and what Alipay, WeChat Pay and Apple say of them (clauses E15, E27, V1, V2, V19).

use shared::http::{Route, routes};
use shared::sql::Statement;

pub mod alipay;
pub mod apple;
mod document;
mod error;
mod institution;
mod look;
mod notification;
mod order;
mod package;
mod purchase;
mod refresh;
mod refund;
mod routes;
mod settle;
mod sweep;
pub mod wechat;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/coin-packages" => routes::packages::list,
    GET "/v1/orders" => routes::orders::list,
    POST "/v1/orders" => routes::orders::create,
    GET "/v1/orders/{id}" => routes::order::read,
    POST "/v1/orders/{id}/close" => routes::order::close,
    POST "/v1/orders/{id}/apple-transaction" => routes::apple_transaction::submit,
    POST "/v1/operator/orders/{id}/refund" => routes::refund::create,
    GET "/v1/operator/orders/{id}/refunds" => routes::refunds::list,
    GET "/v1/operator/payment-anomalies" => routes::anomalies::list,
    POST "/v1/callbacks/alipay/payment" => routes::alipay::receive,
    POST "/v1/callbacks/wechat/payment" (problems routes::wechat::refusal) => routes::wechat::payment,
    POST "/v1/callbacks/wechat/refund" (problems routes::wechat::refusal) => routes::wechat::refund,
    POST "/v1/callbacks/apple" => routes::apple::receive,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/payments" => routes::due::look,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    notification::STATEMENTS,
    order::STATEMENTS,
    refund::STATEMENTS,
    settle::STATEMENTS,
];

shared::http::component!(ROUTES, INTERNAL);
