//! Serves a Spin application on Wasmtime: the same manifest, the same interfaces, denied by default. What it
//! does not implement it refuses at start, by name. For tests it offers a wall clock that can be moved and
//! faults that can be planned (`--control`).

mod clock;
mod compile;
mod control;
mod egress;
mod faults;
mod key_value;
mod manifest;
mod outbound;
mod output;
mod platform;
mod postgres;
mod routes;
mod server;
mod sqlite;
mod variables;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::manifest::Manifest;
use crate::outbound::AllowedHosts;
use crate::platform::{Grants, Platform, Steering};
use crate::routes::Router;
use crate::server::{Component, Limits, Server};
use crate::variables::Variables;

/// How long requests under way may take after a signal.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves a Spin application (manifest version 2).
#[derive(Parser)]
struct Options {
    /// The application's manifest.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// Where to serve; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where databases are kept.
    #[arg(long, default_value = ".spin")]
    state_dir: PathBuf,
    /// Where compiled code is kept, by its content; several hosts can share it [default: the state
    /// directory's folder `compiled`].
    #[arg(long)]
    cache_dir: Option<PathBuf>,
    /// Where tests may move the clock and plan faults: a loopback address.
    #[arg(long)]
    control: Option<SocketAddr>,
    /// The largest body of a request, in bytes.
    #[arg(long, default_value_t = 16 << 20)]
    max_body: usize,
    /// The longest that a component may take for a request, in seconds.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
    /// Drop what components print.
    #[arg(long)]
    quiet: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    let steering = steering(&options)?;
    let server = Arc::new(load(&options, steering.clone())?);
    let mut signals = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    ];

    let listener = listen(options.listen).await?;
    let address = listener.local_addr()?;
    println!("Serving http://{address}");
    if let (Some(steering), Some(control)) = (steering, options.control) {
        let listener = listen(control).await?;
        println!("Control http://{}", listener.local_addr()?);
        tokio::spawn(serve_control(listener, steering));
    }
    println!("Available Routes:");
    for (component, pattern) in server.router.list() {
        println!("  {component}: http://{address}{pattern}");
    }
    serve(listener, server, &mut signals).await;
    Ok(())
}

fn steering(options: &Options) -> Result<Option<Steering>> {
    let Some(address) = options.control else {
        return Ok(None);
    };
    ensure!(
        address.ip().is_loopback(),
        "--control {address}: only a loopback address"
    );
    Ok(Some(Steering::default()))
}

/// Everything that can be wrong with an application is found here, before it serves.
fn load(options: &Options, steering: Option<Steering>) -> Result<Server> {
    let manifest = Manifest::read(&options.manifest)?;
    let router = Router::new(manifest.http_triggers())?;
    let variables = Variables::resolve(&manifest.variables, |name| std::env::var(name).ok())?;
    let defaults = Variables::defaults(&manifest.variables);

    std::fs::create_dir_all(&options.state_dir)
        .with_context(|| format!("cannot make {}", options.state_dir.display()))?;
    let platform = Platform::new(&options.state_dir, steering, options.quiet)?;
    let cache = options.cache_dir.clone();
    let engine = compile::engine(&cache.unwrap_or_else(|| options.state_dir.join("compiled")))?;
    let linker = compile::linker(&engine)?;
    let directory = options.manifest.parent().unwrap_or(Path::new(""));

    let mut components = HashMap::new();
    for (id, declared) in &manifest.components {
        let grants = grants(id, declared, &defaults, &variables)
            .with_context(|| format!("component {id} is refused"))?;
        let pre = compile::component(&linker, &directory.join(&declared.source))
            .with_context(|| format!("component {id} is refused"))?;
        components.insert(
            id.clone(),
            Component {
                pre,
                grants: Arc::new(grants),
            },
        );
    }
    let limits = Limits {
        body: options.max_body,
        time: Duration::from_secs(options.timeout),
    };
    Ok(Server {
        router,
        components,
        platform: Arc::new(platform),
        engine,
        limits,
    })
}

fn grants(
    id: &str,
    declared: &manifest::Component,
    defaults: &Variables,
    variables: &Variables,
) -> Result<Grants> {
    let hosts = AllowedHosts::new(&declared.allowed_outbound_hosts, defaults, variables)?;
    if let AllowedHosts::Broken(reason) = &hosts {
        eprintln!("{id}: every outbound host is denied: {reason}");
    }
    let mut values = HashMap::new();
    for (name, template) in &declared.variables {
        variables::check_name(name)?;
        values.insert(
            name.clone(),
            variables
                .expand(template)
                .with_context(|| format!("variables.{name}"))?,
        );
    }
    Ok(Grants {
        component: id.into(),
        key_value_stores: declared.key_value_stores.iter().cloned().collect(),
        sqlite_databases: declared.sqlite_databases.iter().cloned().collect(),
        hosts,
        variables: values,
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// Serves until a signal comes, then lets the requests under way finish.
async fn serve(listener: TcpListener, server: Arc<Server>, signals: &mut [Signal; 2]) {
    let connections = GracefulShutdown::new();
    let [interrupt, terminate] = signals;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        };
        match accepted {
            Ok((stream, client)) => serve_connection(stream, client, server.clone(), &connections),
            Err(error) => eprintln!("cannot accept a connection: {error}"),
        }
    }
    drop(listener);
    if tokio::time::timeout(PATIENCE, connections.shutdown())
        .await
        .is_err()
    {
        eprintln!("requests were still under way after {PATIENCE:?}");
    }
}

fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    server: Arc<Server>,
    connections: &GracefulShutdown,
) {
    // Answers are small: waiting to fill a packet only delays them. Where it cannot be set it is slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let server = server.clone();
        async move { Ok::<_, std::convert::Infallible>(server.serve(request, client).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    // A client that breaks off is no event.
    tokio::spawn(async move { drop(connection.await) });
}

async fn serve_control(listener: TcpListener, steering: Steering) {
    while let Ok((stream, _)) = listener.accept().await {
        let steering = steering.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| async {
                Ok::<_, std::convert::Infallible>(control::serve(&steering, request).await)
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            drop(connection.await);
        });
    }
}
