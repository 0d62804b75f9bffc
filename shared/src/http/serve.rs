//! Between Spin's request and ours.

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use spin_sdk::http::{
    Headers, IncomingRequest, Method as SpinMethod, OutgoingResponse, ResponseOutparam,
};
use uuid::Uuid;

use super::answer::{Body, Chunks};
use super::{Answer, Context, Problem, Route, idempotency, route};
use crate::log::{self, Level};
use crate::random;
use crate::time::Timestamp;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes the crate a component that answers by its route tables.
///
/// ```ignore
/// shared::http::component!(ROUTES);
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! __component {
    ($($routes:ident),+) => {
        #[cfg(target_arch = "wasm32")]
        mod component {
            #![allow(
                unsafe_code,
                reason = "the handler is exported through the component model's ABI"
            )]
            use ::spin_sdk::http::{IncomingRequest, ResponseOutparam};

            #[::spin_sdk::http_component]
            async fn handle(request: IncomingRequest, out: ResponseOutparam) {
                $crate::http::serve(&[$(super::$routes),+], request, out).await;
            }
        }
    };
}

pub use crate::__component as component;

/// Answers one request by its route.
pub async fn serve(tables: &[&[Route]], incoming: IncomingRequest, out: ResponseOutparam) {
    let now = Timestamp::now();
    let id = random::id(now, &mut random::host());
    let answer = match dispatch(tables, incoming, id, now).await {
        Ok(answer) => answer,
        Err(problem) => problem.into_answer(id),
    };
    write(answer, id, out).await;
}

/// Errors are the problems of a request that no handler has seen; a handler's own are logged here.
async fn dispatch(
    tables: &[&[Route]],
    incoming: IncomingRequest,
    id: Uuid,
    now: Timestamp,
) -> Result<Answer, Problem> {
    let mut request = head(&incoming)?;
    let (route, parameters) = route::find(tables, request.method(), request.uri().path())?;
    // A body that nobody reads costs host calls all the same.
    if !matches!(request.method(), &Method::GET | &Method::HEAD) {
        let body = read_body(incoming, route.max_body).await;
        *request.body_mut() = body.map_err(route.dress)?;
    }
    let cx = Context::new(request, parameters, id, now);
    Ok(idempotency::run_once(&cx, route).unwrap_or_else(|problem| {
        problem.log(&cx);
        (route.dress)(problem).into_answer(id)
    }))
}

/// The request without its body.
fn head(incoming: &IncomingRequest) -> Result<Request<Vec<u8>>, Problem> {
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = incoming
        .path_with_query()
        .unwrap_or_default()
        .parse()
        .map_err(|_| Problem::not_found())?;
    *request.headers_mut() = to_headers(&incoming.headers());
    *request.method_mut() = to_method(&incoming.method());
    Ok(request)
}

/// Spin itself has no limit.
async fn read_body(incoming: IncomingRequest, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    let mut chunks = std::pin::pin!(incoming.into_body_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "incomplete-body", "请求内容不完整")
        })?;
        if body.len() + chunk.len() > limit {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "请求内容过大",
            )
            .with("limit_bytes", limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn to_method(method: &SpinMethod) -> Method {
    match method {
        SpinMethod::Get => Method::GET,
        SpinMethod::Head => Method::HEAD,
        SpinMethod::Post => Method::POST,
        SpinMethod::Put => Method::PUT,
        SpinMethod::Delete => Method::DELETE,
        SpinMethod::Connect => Method::CONNECT,
        SpinMethod::Options => Method::OPTIONS,
        SpinMethod::Trace => Method::TRACE,
        SpinMethod::Patch => Method::PATCH,
        SpinMethod::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE),
    }
}

fn to_headers(headers: &Headers) -> HeaderMap {
    headers
        .entries()
        .into_iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(&value).ok()?;
            Some((name, value))
        })
        .collect()
}

async fn write(answer: Answer, id: Uuid, out: ResponseOutparam) {
    let (mut parts, body) = answer.0.into_parts();
    // A 204 has no body, and says no length (RFC 9110, 8.6).
    if let Body::Whole(body) = &body
        && parts.status != StatusCode::NO_CONTENT
    {
        parts
            .headers
            .insert(header::CONTENT_LENGTH, body.len().into());
    }
    let fixed = [
        (REQUEST_ID, id.to_string()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    for (name, value) in fixed {
        let value = HeaderValue::from_str(&value).expect("visible ASCII");
        parts.headers.insert(name, value);
    }
    // What we answer is a person's own unless a handler says otherwise.
    parts
        .headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let entries: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    let headers = Headers::from_list(&entries).expect("header names and values are valid");
    let response = OutgoingResponse::new(headers);
    response
        .set_status_code(parts.status.as_u16())
        .expect("a valid status");
    match body {
        Body::Whole(body) => {
            // A client that has gone away is no error of ours.
            let _ = out.set_with_body(response, body).await;
        }
        Body::Chunks(chunks) => write_chunks(chunks, id, response, out).await,
    }
}

async fn write_chunks(chunks: Chunks, id: Uuid, response: OutgoingResponse, out: ResponseOutparam) {
    let mut body = Box::pin(response.take_body());
    out.set(response);
    for chunk in chunks {
        match chunk {
            Ok(chunk) => {
                // The client has gone away.
                if body.send(chunk).await.is_err() {
                    return;
                }
            }
            Err(problem) => {
                log::event(
                    Level::Error,
                    id,
                    "answer-broken-off",
                    &[("status", problem.status().as_u16().into())],
                );
                // Dropped, it would say that this was all; never finished, it breaks off (wasi:http's
                // outgoing-body).
                std::mem::forget(body);
                return;
            }
        }
    }
}
