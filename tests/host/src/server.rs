//! Incoming HTTP requests: from a route to a fresh instance of its component, and its answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use http::uri::{Authority, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::sync::{Notify, oneshot};
use wasmtime::{Engine, Store};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme as WasiScheme;
use wasmtime_wasi_http::{Error, WasiHttpView};

use crate::egress::{Body, Egress};
use crate::outbound::chaining_target;
use crate::platform::{Grants, Instance, Platform};
use crate::routes::{RouteMatch, Router};

const HEALTH: &str = "/.well-known/spin/health";
const WELL_KNOWN: &str = "/.well-known/spin/";

/// An application, ready to serve.
pub struct Server {
    /// Its routes.
    pub router: Router,
    /// Its components, by id.
    pub components: HashMap<String, Component>,
    /// What they stand on.
    pub platform: Arc<Platform>,
    /// What they are compiled for.
    pub engine: Engine,
    /// What a request may take.
    pub limits: Limits,
}

/// Limits that Spin does not have: so that a test cannot hang.
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// How long a component may take for one request, its answer's body included.
    pub time: Duration,
}

/// A component: compiled, linked, and what it may touch.
pub struct Component {
    /// Instantiates it.
    pub pre: ProxyPre<Instance>,
    /// What its instances may touch.
    pub grants: Arc<Grants>,
}

impl Server {
    /// Answers a request that came in from outside.
    pub async fn serve(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<Body> {
        strip(request.headers_mut());
        if declared_length(request.headers()) > self.limits.body as u64 {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let path = request.uri().path().to_owned();
        if path == HEALTH {
            return Response::new(
                Full::from("OK")
                    .map_err(|never| match never {})
                    .boxed_unsync(),
            );
        }
        let route = if path.starts_with(WELL_KNOWN) {
            None
        } else {
            self.router.find(&path)
        };
        let Some(route) = route else {
            return empty(StatusCode::NOT_FOUND);
        };
        let too_large = Arc::new(AtomicBool::new(false));
        let request = request.map(|body| limited(body, self.limits.body, too_large.clone()));
        let response = self.answer(&route, request, client).await;
        // The component may have answered something of its own to a body that the host broke off.
        if too_large.load(Ordering::Relaxed) {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        response.unwrap_or_else(|| empty(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// Lets the route's component answer; 500 where it fails. None where there is no such component.
    pub async fn answer(
        self: &Arc<Self>,
        route: &RouteMatch<'_>,
        mut request: Request<Body>,
        client: SocketAddr,
    ) -> Option<Response<Body>> {
        let component = self.components.get(route.component())?;
        if let Err(error) = prepare(&mut request, route, client) {
            eprintln!(
                "{}: the request is not readable: {error}",
                route.component()
            );
            return Some(empty(StatusCode::INTERNAL_SERVER_ERROR));
        }
        let response = self.instantiate_and_run(component, request).await;
        Some(response.unwrap_or_else(|| empty(StatusCode::INTERNAL_SERVER_ERROR)))
    }

    /// None where the instance ends without an answer; it has been reported then.
    async fn instantiate_and_run(
        self: &Arc<Self>,
        component: &Component,
        request: Request<Body>,
    ) -> Option<Response<Body>> {
        let kill = Arc::new(Notify::new());
        let grants = component.grants.clone();
        let egress = Egress {
            server: self.clone(),
            grants: grants.clone(),
            kill: kill.clone(),
        };
        let mut store = Store::new(
            &self.engine,
            Instance::new(grants, self.platform.clone(), egress),
        );
        // At every tick of the engine's clock the guest yields: a time limit can end even a bare loop.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);

        let (sender, receiver) = oneshot::channel();
        let pre = component.pre.clone();
        let id = component.grants.component.clone();
        let limit = self.limits.time;
        // A task of its own: the component may go on after its answer's head, with the body.
        tokio::spawn(async move {
            let run = async {
                let request = store
                    .data_mut()
                    .http()
                    .new_incoming_request(WasiScheme::Http, request)?;
                let answer = store.data_mut().http().new_response_outparam(sender)?;
                let proxy = pre.instantiate_async(&mut store).await?;
                proxy
                    .wasi_http_incoming_handler()
                    .call_handle(&mut store, request, answer)
                    .await
            };
            let failure = tokio::select! {
                outcome = run => outcome.err().map(|error| format!("{error:#}")),
                () = tokio::time::sleep(limit) => Some(format!("stopped after {limit:?}")),
                () = kill.notified() => Some("injected trap".to_owned()),
            };
            if let Some(failure) = failure {
                eprintln!("{id}: {failure}");
            }
        });
        match receiver.await {
            Ok(Ok(response)) => Some(response),
            Ok(Err(code)) => {
                eprintln!(
                    "{}: the component answered an error: {code:?}",
                    component.grants.component
                );
                None
            }
            Err(_) => None,
        }
    }
}

/// What the host keeps to itself: names of components, and the connection.
fn strip(headers: &mut HeaderMap) {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if host.and_then(chaining_target).is_some() {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

fn declared_length(headers: &HeaderMap) -> u64 {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn limited(body: Incoming, limit: usize, too_large: Arc<AtomicBool>) -> Body {
    let translate = move |error: Box<dyn std::error::Error + Send + Sync>| {
        if error.is::<LengthLimitError>() {
            too_large.store(true, Ordering::Relaxed);
            return Error::HttpRequestBodySize(None);
        }
        match error.downcast::<hyper::Error>() {
            Ok(error) => Error::Hyper(*error),
            Err(error) => Error::InternalError(Some(error.to_string())),
        }
    };
    Limited::new(body, limit).map_err(translate).boxed_unsync()
}

/// Gives the request the absolute address that `wasi:http` wants, and Spin's headers.
fn prepare(
    request: &mut Request<Body>,
    route: &RouteMatch<'_>,
    client: SocketAddr,
) -> anyhow::Result<()> {
    for value in request.headers().values() {
        str::from_utf8(value.as_bytes())?;
    }
    let host = request
        .headers()
        .get(HOST)
        .map(|host| host.to_str().map(str::to_owned))
        .transpose()?;
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    if let Some(host) = &host {
        parts.authority = Some(host.parse::<Authority>()?);
    }
    *request.uri_mut() = Uri::from_parts(parts)?;
    let headers = spin_headers(
        request.uri(),
        host.as_deref().unwrap_or("localhost"),
        route,
        client,
    );
    for (name, value) in headers {
        // Appended as Spin does: after a value that the client sent, so that the last one is the host's.
        request
            .headers_mut()
            .append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok(())
}

fn spin_headers(
    uri: &Uri,
    host: &str,
    route: &RouteMatch<'_>,
    client: SocketAddr,
) -> Vec<(String, String)> {
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    let fixed = [
        ("spin-path-info", route.trailing_path().into_owned()),
        ("spin-full-url", format!("http://{host}{path_and_query}")),
        ("spin-matched-route", route.absolute_pattern()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", route.pattern().to_owned()),
        ("spin-component-route", route.prefix().to_owned()),
        ("spin-client-addr", client.to_string()),
    ];
    let names = route.names().map(|(name, value)| {
        let header = format!(
            "spin-path-match-{}",
            name.to_ascii_lowercase().replace('_', "-")
        );
        (header, value.to_owned())
    });
    fixed
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain(names)
        .collect()
}

fn empty(status: StatusCode) -> Response<Body> {
    let body = Full::new(Bytes::new())
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
