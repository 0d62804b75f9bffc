//! Imports an interface that the stand-in host does not implement (Redis).
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::{http_component, redis};

#[http_component]
fn handle(_request: Request) -> impl IntoResponse {
    let answer = redis::Connection::open("redis://127.0.0.1").is_ok();
    Response::new(200, answer.to_string())
}
