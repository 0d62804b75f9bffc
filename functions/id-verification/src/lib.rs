//! Who people and their companies are: real-name verification through Alipay, enterprise verification,
//! and review by operators (clauses E6, E7, E8, E23, T2, V4).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod alert;
mod alipay;
mod claim;
mod document;
mod error;
mod id_number;
mod person;
mod photos;
mod return_url;
mod review;
mod routes;
mod settle;
mod submission;
mod uscc;
mod verification;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/verifications" => routes::verifications::list,
    POST "/v1/verifications/real-name" => routes::real_name::start,
    POST "/v1/verifications/real-name/documents" => routes::documents::submit,
    POST "/v1/verifications/enterprise" => routes::enterprise::submit,
    GET "/v1/verifications/{id}" => routes::verifications::read,
    POST "/v1/verifications/{id}/refresh" => routes::refresh::refresh,
    POST "/v1/verifications/{id}/appeal" => routes::appeal::open,
    POST "/v1/callbacks/alipay/messages" => routes::messages::receive,
    GET "/v1/operator/reviews" => routes::reviews::list,
    GET "/v1/operator/reviews/{id}" => routes::reviews::read,
    POST "/v1/operator/reviews/{id}/decision" => routes::decision::decide,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    alert::STATEMENTS,
    claim::STATEMENTS,
    person::STATEMENTS,
    photos::STATEMENTS,
    review::STATEMENTS,
    verification::STATEMENTS,
];

shared::http::component!(ROUTES);
