//! What everybody concerned is told: versions of the policy, new services, breaches (clauses N1, N2, G3, C2, T4).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod announcement;
mod breach;
mod change;
mod content;
mod deliver;
mod document;
mod error;
mod inbox;
mod policy_version;
mod routes;
mod sms;
mod text;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/notices" => routes::notices::list,
    POST "/v1/notices/{id}/read" => routes::notice_read::create,
    GET "/v1/policy/notices" => routes::policy_notices::list,
    GET "/v1/policy/versions" => routes::policy_versions::list,
    GET "/v1/policy/versions/{version}" => routes::policy_version::read,
    POST "/v1/operator/policy-versions" (limit routes::operator_policy_versions::MAX_BODY)
        => routes::operator_policy_versions::create,
    POST "/v1/operator/announcements" => routes::operator_announcements::create,
    POST "/v1/operator/breach-notices" (limit routes::breach_notices::MAX_BODY)
        => routes::breach_notices::create,
    GET "/v1/operator/breach-notices/{id}" => routes::breach_notice::read,
    GET "/v1/operator/breach-notices/{id}/report" => routes::breach_report::read,
    POST "/v1/operator/breach-notices/{id}/publication" => routes::breach_publication::create,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/deliver" => routes::deliver::create,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    announcement::STATEMENTS,
    breach::STATEMENTS,
    deliver::STATEMENTS,
    inbox::STATEMENTS,
    policy_version::STATEMENTS,
    sms::STATEMENTS,
];

shared::http::component!(ROUTES, INTERNAL);
