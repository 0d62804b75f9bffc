//! Documents: they are large, so they stand in a component of their own. Its routes are also where every
//! unknown path ends, with a problem.

use http::{StatusCode, header};
use shared::http::{Answer, Context, Problem, Route, routes};

const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
const POLICY_TEXT: &str = include_str!("../privacy-policy.zh.txt");

/// The component's routes.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/openapi.json" => openapi,
    GET "/v1/policy/text" => policy_text,
};

shared::http::component!(ROUTES);

fn openapi(_: &Context) -> Result<Answer, Problem> {
    Ok(document("application/json", OPENAPI))
}

fn policy_text(_: &Context) -> Result<Answer, Problem> {
    Ok(document("text/plain; charset=utf-8", POLICY_TEXT))
}

fn document(content_type: &'static str, text: &str) -> Answer {
    Answer::bytes(StatusCode::OK, content_type, text.into())
        .header(header::CACHE_CONTROL, "public, max-age=300")
}
