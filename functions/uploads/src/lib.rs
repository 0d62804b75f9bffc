//! Pictures, voice and video: signed forms to send them by, checks, removed metadata, links to read them by,
//! and the sweep of what nobody needs any more (clauses E18, C1, T1, G2).

use shared::http::{Route, routes};
use shared::sql::Statement;

mod document;
mod error;
mod form;
mod kind;
mod link;
mod multipart;
mod picture;
mod routes;
mod rows;
mod sound_and_video;
mod store;
mod sweep;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    POST "/v1/uploads" => routes::uploads::create,
    DELETE "/v1/uploads/{id}" => routes::upload::delete,
    POST "/v1/uploads/{id}/form" (limit routes::form::MAX_BODY) => routes::form::receive,
    POST "/v1/uploads/{id}/complete" => routes::complete::create,
    GET "/v1/uploads/{id}/link" => routes::link::read,
    GET "/v1/uploads/{id}/content" => routes::content::read,
    GET "/v1/operator/uploads/{id}/link" => routes::operator_link::read,
};

/// The routes that only other components reach, by service chaining: no trigger leads to them.
pub const INTERNAL: &[Route] = routes! {
    POST "/internal/content" => routes::copying::content,
    POST "/internal/links" => routes::copying::links,
    POST "/internal/sweep" => routes::sweep::create,
};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[rows::STATEMENTS];

shared::http::component!(ROUTES, INTERNAL);
