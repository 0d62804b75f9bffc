//! Answers a constant: what a fresh instance costs when the component does nothing.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;

#[http_component]
fn handle(_request: Request) -> impl IntoResponse {
    Response::new(200, "ok")
}
