//! The control listener: tests move the clock, plan faults and read which host calls were made.

use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::platform::Steering;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum ClockChange {
    SetMs(u64),
    AdvanceMs(i64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    faults: Vec<Fault>,
}

/// Answers one request of a test.
pub async fn serve(steering: &Steering, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match answer(steering, request).await {
        Ok(Some(body)) => (StatusCode::OK, body),
        Ok(None) => (
            StatusCode::NOT_FOUND,
            json!({ "error": "no such resource" }),
        ),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            json!({ "error": format!("{error:#}") }),
        ),
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    response
}

async fn answer(steering: &Steering, request: Request<Incoming>) -> Result<Option<Value>> {
    let Steering { clock, faults } = steering;
    let method = request.method().clone();
    let answer = match (request.uri().path(), method) {
        ("/clock", Method::GET) => clock_state(steering),
        ("/clock", Method::PUT) => {
            match read(request).await? {
                ClockChange::SetMs(at_ms) => clock.freeze(at_ms),
                ClockChange::AdvanceMs(by_ms) => clock.advance(by_ms),
            }
            clock_state(steering)
        }
        ("/clock", Method::DELETE) => {
            clock.reset();
            clock_state(steering)
        }
        ("/faults", Method::PUT) => {
            let plan: Plan = read(request).await?;
            faults.plan(plan.faults);
            json!({})
        }
        ("/faults", Method::DELETE) => {
            faults.plan(Vec::new());
            json!({})
        }
        ("/calls", Method::GET) => json!({ "calls": faults.calls() }),
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn clock_state(steering: &Steering) -> Value {
    json!({ "now_ms": steering.clock.now_ms(), "frozen": steering.clock.is_frozen() })
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T> {
    Ok(serde_json::from_slice(
        &request.into_body().collect().await?.to_bytes(),
    )?)
}
