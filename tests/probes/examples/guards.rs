//! One endpoint behind each guard and nothing behind it: what the API tests hold the guards by. Each answers
//! 204 to whom its guard lets through. And one that calls what only components reach, by service chaining.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

use shared::chain;
use shared::consent::{Consented, Location};
use shared::http::{Answer, Context, Json, Problem, Route, routes};
use shared::operator::Reviewer;
use shared::profile::ProfileComplete;
use shared::verification::{EnterpriseVerified, RealNameVerified};

const ROUTES: &[Route] = routes! {
    GET "/v1/probe/profile-complete" => behind::<ProfileComplete>,
    POST "/v1/probe/profile-complete" => behind::<ProfileComplete>,
    GET "/v1/probe/real-name" => behind::<RealNameVerified>,
    POST "/v1/probe/real-name" => behind::<RealNameVerified>,
    GET "/v1/probe/enterprise" => behind::<EnterpriseVerified>,
    POST "/v1/probe/enterprise" => behind::<EnterpriseVerified>,
    GET "/v1/probe/location" => behind::<Consented<Location>>,
    POST "/v1/probe/location" => behind::<Consented<Location>>,
    GET "/v1/probe/reviewer" => behind::<Reviewer>,
    POST "/v1/probe/reviewer" => behind::<Reviewer>,
    POST "/v1/probe/internal" => internal,
};

fn behind<Guard>(_: &Context, _: Guard) -> Result<Answer, Problem> {
    Ok(Answer::no_content())
}

/// Asks the component and the path of the body, `[component, path]`, with `{}`.
fn internal(_: &Context, Json(asked): Json<[String; 2]>) -> Result<Answer, Problem> {
    let [component, path] = asked;
    let answered = chain::ask::<serde_json::Value>(&component, &path, &serde_json::json!({}));
    answered
        .map(|answer| Answer::ok(&answer))
        .map_err(|_| Problem::unavailable())
}

shared::http::component!(ROUTES);
