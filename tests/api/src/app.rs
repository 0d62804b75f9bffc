//! One application: a host, a database, a state directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::recipient::RECIPIENTS;
use tempfile::TempDir;

use crate::answer::Answer;
use crate::clock::Clock;
use crate::database::{Database, Engine};
use crate::faults::Faults;
use crate::host::{self, Host};
use crate::key_value;
use crate::log::Log;
use crate::manifest;
use crate::request::{Request, Wire};

/// A running application. Everything of it is gone when it is dropped.
pub struct App {
    // Dropped in this order: the host ends before what it holds open.
    host: Option<Host>,
    wire: Wire,
    database: Database,
    manifest: PathBuf,
    variables: BTreeMap<String, String>,
    log: Log,
    state: TempDir,
}

/// Another host of the same application, on the same external database.
pub struct Twin {
    // Dropped in this order: the host ends before what it holds open.
    _host: Host,
    wire: Wire,
    _state: TempDir,
}

impl Twin {
    /// A request to make up.
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        self.wire.request(method, path)
    }
}

/// An application that is not started yet: a test that takes this sets its variables first.
pub struct Builder {
    engine: Engine,
    /// What the manifest has besides the application's own.
    added: String,
    variables: BTreeMap<String, String>,
}

impl Builder {
    /// An application on this engine, with a random application key.
    pub fn prepare(engine: Engine) -> Self {
        let key: [u8; 32] = shared::random::bytes(&mut shared::random::host());
        let variables = BTreeMap::from([
            ("application_key".to_owned(), STANDARD.encode(key)),
            ("recipient_agreements".to_owned(), with_everybody()),
        ]);
        Self {
            engine,
            added: String::new(),
            variables,
        }
    }

    /// With the component `guards` of `tests/probes` beside the application's own, below `/v1/probe`.
    #[must_use]
    pub fn with_guards_probe(mut self) -> Self {
        self.added += manifest::GUARDS_PROBE;
        self
    }

    /// With a route from outside to a path that only components reach.
    #[must_use]
    pub fn with_internal(mut self, path: &str, component: &str) -> Self {
        self.added += &manifest::route(path, component);
        self
    }

    /// With a variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With limits on codes, passwords, locations and orders that no test reaches.
    #[must_use]
    pub fn without_limits(self) -> Self {
        let limits = [
            "sms_codes_per_number_minute",
            "sms_codes_per_number_hour",
            "sms_codes_per_number_day",
            "sms_codes_per_address_hour",
            "password_tries_per_number_hour",
            "password_tries_per_address_hour",
            "location_updates_per_hour",
            "location_placements_per_day",
            "orders_per_hour",
        ];
        limits
            .into_iter()
            .fold(self, |builder, limit| builder.variable(limit, "1000000"))
    }

    /// Starts it, on a database of its own.
    pub fn start(self) -> App {
        let state = TempDir::new().expect("a temporary directory");
        let database = Database::create(self.engine, state.path());
        let mut variables = self.variables;
        variables.extend(database.variables());
        let manifest = if self.added.is_empty() {
            manifest::own()
        } else {
            manifest::with(state.path(), &self.added)
        };
        let log = Log::default();
        let host = Host::start(&manifest, state.path(), &listed(&variables), &log);
        App {
            wire: Wire::new(&host.url),
            host: Some(host),
            database,
            manifest,
            variables,
            log,
            state,
        }
    }
}

/// Runs a script: whether it is content, and what it says.
///
/// # Panics
/// If there is none.
pub fn run_script(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let path = host::workspace().join("scripts").join(name);
    let output = std::process::Command::new(path)
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .expect("the script is there");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

/// An agreement with every recipient.
fn with_everybody() -> String {
    let agreements = RECIPIENTS
        .iter()
        .map(|recipient| format!("{}=2026-01-15/2026-07-01", recipient.name));
    agreements.collect::<Vec<_>>().join(",")
}

fn listed(variables: &BTreeMap<String, String>) -> Vec<(String, String)> {
    variables
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

impl App {
    /// An application with the manifest's defaults, started.
    pub fn prepare(engine: Engine) -> Self {
        Builder::prepare(engine).start()
    }

    /// Whether somebody runs it.
    pub fn has_operators(&self) -> bool {
        self.variables.contains_key("operator_tokens")
    }

    /// Whether the host has a clock and faults to steer.
    pub fn host_is_stand_in() -> bool {
        host::is_stand_in()
    }

    /// Stops the host and starts it again on the same state, with these variables changed. Its clock
    /// shows real time again.
    pub fn restart(&mut self, changed: &[(&str, &str)]) {
        for (name, value) in changed {
            self.variables
                .insert((*name).to_owned(), (*value).to_owned());
        }
        self.host = None;
        let variables = listed(&self.variables);
        let host = Host::start(&self.manifest, self.state.path(), &variables, &self.log);
        self.wire = Wire::new(&host.url);
        self.host = Some(host);
    }

    /// A second host beside the first, with a state directory of its own: for what needs nothing of the first's keys.
    pub fn twin(&self) -> Twin {
        let state = TempDir::new().expect("a temporary directory");
        let host = Host::start(
            &self.manifest,
            state.path(),
            &listed(&self.variables),
            &self.log,
        );
        Twin {
            wire: Wire::new(&host.url),
            _host: host,
            _state: state,
        }
    }

    /// Stops the host. [`App::restart`] starts it again.
    pub fn stop(&mut self) {
        self.host = None;
    }

    /// Kills the host with SIGKILL, whatever it is doing. [`App::restart`] starts it again.
    pub fn kill(&self) {
        self.host.as_ref().expect("it runs").kill();
    }

    /// Runs `scripts/ledger-check` on the database at a time, as `date` reads it: whether it is content, and what it
    /// says.
    pub fn ledger_check_at(&self, time: &str) -> (bool, String) {
        let (engine, database) = self.database.address();
        let key = &self.variables["application_key"];
        let key = [("SPIN_VARIABLE_APPLICATION_KEY", key.as_str())];
        run_script("ledger-check", &[engine, &database, time], &key)
    }

    /// Runs `scripts/compact` on the state directory, and on the database, while nothing serves: whether it is
    /// content, and what it says.
    pub fn compact(&self) -> (bool, String) {
        let state = self.state.path().to_string_lossy();
        let mut arguments = vec!["--state-dir", &state, "--logs"];
        let owner = self.database.owner_url();
        if let Some(url) = &owner {
            arguments.extend(["--postgres", url]);
        }
        run_script("compact", &arguments, &[])
    }

    /// Runs `scripts/sweep` as this operator: whether it is content, and what it says.
    pub fn sweep_by_script(&self, token: &str) -> (bool, String) {
        run_script("sweep", &[self.url()], &[("OPERATOR", token)])
    }

    /// Runs `scripts/replay-deletions` as this operator: whether it is content, and what it says.
    pub fn replay_deletions(&self, token: &str) -> (bool, String) {
        run_script("replay-deletions", &[self.url()], &[("OPERATOR", token)])
    }

    /// The value that was set for a variable.
    pub(crate) fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    /// A request to make up.
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        self.wire.request(method, path)
    }

    /// `GET` with a session's token.
    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.request("GET", path).token(token).send()
    }

    /// `POST` of JSON without a session.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.request("POST", path).json(body)
    }

    /// The OpenAPI document.
    pub fn document(&self) -> serde_json::Value {
        let answer = self.request("GET", "/v1/openapi.json").send();
        answer.expect(200).json
    }

    /// The components' clock.
    ///
    /// # Panics
    /// On a host that has none to steer.
    pub fn clock(&self) -> Clock<'_> {
        Clock {
            wire: &self.wire,
            control: self.control(),
        }
    }

    /// The plan of faults.
    ///
    /// # Panics
    /// On a host that has none.
    pub fn faults(&self) -> Faults<'_> {
        Faults {
            wire: &self.wire,
            control: self.control(),
        }
    }

    fn control(&self) -> &str {
        let control = self.host.as_ref().and_then(|host| host.control.as_deref());
        control.expect("only tests with [stand_in] steer the host")
    }

    /// `http://address`
    pub fn url(&self) -> &str {
        &self.host.as_ref().expect("it runs").url
    }

    /// The database, behind the application's back.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// What host and components have printed.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Every key of the key-value store with its value.
    pub fn key_value(&self) -> Vec<(String, Vec<u8>)> {
        key_value::entries(self.state.path())
    }

    /// Overwrites a key of the key-value store that is there.
    pub fn overwrite_key(&self, key: &str, value: &[u8]) {
        key_value::overwrite(self.state.path(), key, value);
    }

    /// The host's state directory.
    pub fn state(&self) -> &Path {
        self.state.path()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what the application printed:\n{}\n---", self.log);
        }
    }
}
