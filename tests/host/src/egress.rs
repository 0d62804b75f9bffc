//! Outgoing HTTP requests: denied unless allowed, to other components by name, else over the network.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::Notify;
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpHooks};

use crate::faults::{Capability, Guard, InjectedTrap};
use crate::outbound::chaining_target;
use crate::platform::Grants;
use crate::routes::RouteMatch;
use crate::server::Server;

/// A body on its way in or out.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// Drives the rest of an exchange after the response's head has come.
type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// Another component sees this client address.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The outgoing requests of one instance.
pub struct Egress {
    /// Where other components are.
    pub server: Arc<Server>,
    /// Which hosts are allowed.
    pub grants: Arc<Grants>,
    /// Ends the instance: a planned trap in a request that runs beside it.
    pub kill: Arc<Notify>,
}

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: Request<Body>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Result<(Response<Body>, Rest), Error>> + Send> {
        let steering = self.server.platform.steering.as_ref();
        let faults = steering.map(|steering| &steering.faults);
        let guard = Guard::new(faults, &self.grants.component, Capability::Http, "send");
        let kill = self.kill.clone();
        let exchange = exchange(self.server.clone(), self.grants.clone(), request, options);
        Box::new(async move {
            match guard
                .run(|text| Error::InternalError(Some(text)), exchange)
                .await
            {
                Ok(outcome) => outcome,
                Err(InjectedTrap) => {
                    kill.notify_one();
                    std::future::pending().await
                }
            }
        })
    }
}

async fn exchange(
    server: Arc<Server>,
    grants: Arc<Grants>,
    mut request: Request<Body>,
    options: Option<RequestOptions>,
) -> Result<(Response<Body>, Rest), Error> {
    if !grants.hosts.allows(&request.uri().to_string(), "https") {
        return Err(Error::HttpRequestDenied);
    }
    let nothing_left = || Box::new(std::future::ready(Ok(()))) as Rest;
    let authority = request
        .uri()
        .authority()
        .map(ToString::to_string)
        .unwrap_or_default();
    if let Some(component) = chaining_target(&authority) {
        request.headers_mut().remove(HOST);
        let path = request.uri().path().to_owned();
        let route = RouteMatch::whole_path(component, &path);
        let response = server.answer(&route, request, CHAINED_CLIENT).await;
        return Ok((response.ok_or(Error::HttpRequestDenied)?, nothing_left()));
    }
    let (response, rest) = wasmtime_wasi_http::default_send_request(request, options).await?;
    Ok((response.map(BodyExt::boxed_unsync), Box::new(rest)))
}
