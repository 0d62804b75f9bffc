//! Accounts by mobile number: one-time codes, passwords, sessions, and consent to the policy
//! (clauses L1, L2, L4, N1, K1, V18), and what is done when one is leaked (clause C3).

use shared::http::{Route, routes};
use shared::phone;
use shared::sql::Statement;

mod account;
mod client_address;
mod device;
mod document;
mod error;
mod freeze;
mod password;
mod routes;
mod sign_in;
mod sms;
mod tries;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    POST "/v1/auth/sms-codes" => routes::sms_codes::create,
    POST "/v1/auth/sessions" => routes::sessions::create,
    GET "/v1/auth/sessions" => routes::sessions::list,
    DELETE "/v1/auth/sessions" => routes::sessions::delete_others,
    GET "/v1/auth/sessions/current" => routes::current_session::read,
    DELETE "/v1/auth/sessions/current" => routes::current_session::delete,
    PUT "/v1/auth/password" => routes::password::set,
    POST "/v1/auth/password-resets" => routes::password_resets::create,
    GET "/v1/policy" => routes::policy::read,
    POST "/v1/policy/consents" => routes::policy::consent,
    GET "/v1/contact" => routes::contact::read,
    POST "/v1/account/leak-reports" => routes::leak_reports::create,
    POST "/v1/operator/accounts/{id}/freeze" => routes::operator_freeze::create,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/notice-sms" => routes::notice_sms::create,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[
    account::STATEMENTS,
    device::STATEMENTS,
    freeze::STATEMENTS,
    routes::current_session::STATEMENTS,
    routes::notice_sms::STATEMENTS,
    routes::password::STATEMENTS,
    routes::sessions::STATEMENTS,
    sign_in::STATEMENTS,
];

shared::http::component!(ROUTES, INTERNAL);
