//! What components stand on: the interfaces of `fermyon:spin@2.0.0`, and the state of one instance.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::clock::Clock;
use crate::egress::Egress;
use crate::faults::{Capability, Faults, Guard};
use crate::outbound::AllowedHosts;
use crate::output::Output;
use crate::{key_value, postgres, sqlite};

/// Generated from `wit/platform.wit`.
#[allow(missing_docs, reason = "generated")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "platform",
        imports: { default: async | trappable },
        with: {
            "fermyon:spin/key-value.store": crate::key_value::Store,
            "fermyon:spin/sqlite.connection": crate::sqlite::Connection,
            "fermyon:spin/postgres.connection": crate::postgres::Connection,
        },
    });
}

/// What all instances share.
pub struct Platform {
    /// The file behind the store `default`.
    pub key_value: key_value::File,
    /// The file behind the database `default`.
    pub sqlite: sqlite::File,
    /// Connections to PostgreSQL servers.
    pub postgres: postgres::Pools,
    /// What tests can steer.
    pub steering: Option<Steering>,
    /// Whether what components print is dropped.
    pub quiet: bool,
}

/// What the control listener steers.
#[derive(Clone, Default)]
pub struct Steering {
    /// The wall clock.
    pub clock: Clock,
    /// The planned faults.
    pub faults: Arc<Faults>,
}

impl Platform {
    /// Keeps all state under `directory`.
    ///
    /// # Errors
    /// Where the directory or the files cannot be made.
    pub fn new(directory: &Path, steering: Option<Steering>, quiet: bool) -> Result<Self> {
        Ok(Self {
            key_value: key_value::File::open(&directory.join("sqlite_key_value.db"))?,
            sqlite: sqlite::File::new(&directory.join("sqlite_db.db")),
            postgres: postgres::Pools::default(),
            steering,
            quiet,
        })
    }
}

/// What one component may touch.
pub struct Grants {
    /// The component's id.
    pub component: Arc<str>,
    /// `key_value_stores`
    pub key_value_stores: HashSet<String>,
    /// `sqlite_databases`
    pub sqlite_databases: HashSet<String>,
    /// `allowed_outbound_hosts`
    pub hosts: AllowedHosts,
    /// The component's variables, with their values.
    pub variables: HashMap<String, String>,
}

/// The state of one instance: made for one request, dropped after it.
pub struct Instance {
    /// What the instance may touch.
    pub grants: Arc<Grants>,
    /// What it shares with the others.
    pub platform: Arc<Platform>,
    /// The resources that it holds.
    pub table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: Egress,
}

impl Instance {
    /// A fresh instance's state.
    pub fn new(grants: Arc<Grants>, platform: Arc<Platform>, egress: Egress) -> Self {
        let mut wasi = WasiCtx::builder();
        if !platform.quiet {
            wasi.stdout(Output).stderr(Output);
        }
        if let Some(steering) = &platform.steering {
            wasi.wall_clock(steering.clock.clone());
        }
        Self {
            grants,
            platform,
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            egress,
        }
    }

    /// Every host call goes through a guard.
    pub fn guard(&self, capability: Capability, operation: &'static str) -> Guard {
        let faults = self
            .platform
            .steering
            .as_ref()
            .map(|steering| &steering.faults);
        Guard::new(faults, &self.grants.component, capability, operation)
    }
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.egress,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

mod variables {
    use super::bindings::fermyon::spin::variables::{Error, Host};
    use super::{Capability, Instance};
    use crate::variables::check_name;

    impl Host for Instance {
        async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
            let guard = self.guard(Capability::Variables, "get");
            let lookup = async move {
                check_name(&name).map_err(|error| Error::InvalidName(error.to_string()))?;
                let value = self.grants.variables.get(&name).cloned();
                value.ok_or_else(|| {
                    Error::Undefined(format!(
                        "no variable for {:?}.{name:?}",
                        &*self.grants.component
                    ))
                })
            };
            Ok(guard.run(Error::Other, lookup).await?)
        }
    }
}
