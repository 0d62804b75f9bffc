//! One endpoint behind each guard and nothing behind it: what the API tests hold the guards by. Each answers
//! 204 to whom its guard lets through.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

use shared::consent::{Consented, Location};
use shared::http::{Answer, Context, Problem, Route, routes};
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
};

fn behind<Guard>(_: &Context, _: Guard) -> Result<Answer, Problem> {
    Ok(Answer::no_content())
}

shared::http::component!(ROUTES);
