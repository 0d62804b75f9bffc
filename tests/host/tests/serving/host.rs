//! Starts the host's binary on a manifest, and asks it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A running host; stopped when dropped.
pub struct Host {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    url: String,
    control: String,
    agent: ureq::Agent,
    _state: TempDir,
}

/// A response, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Where the probes are, built by `scripts/build --probes`.
fn probe(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/wasm/wasm32-wasip1/release/examples")
        .join(format!("{name}.wasm"));
    assert!(
        path.exists(),
        "{} is missing: run scripts/build --probes",
        path.display()
    );
    path
}

/// A manifest with the components `constant` and `probe`, each with a route of its own; `tail` goes on in
/// the table of the component `probe`.
pub fn manifest(tail: &str) -> String {
    format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "test"
        [variables]
        greeting = {{ default = "hello" }}
        database_url = {{ default = "" }}
        [[trigger.http]]
        route = "/constant"
        component = "constant"
        [[trigger.http]]
        route = "/probe/..."
        component = "probe"
        [component.constant]
        source = {:?}
        [component.probe]
        source = {:?}
        {tail}
        "#,
        probe("constant"),
        probe("probe"),
    )
}

/// A component's table, for what a test adds to a manifest.
pub fn component(id: &str, wasm: &str) -> String {
    format!("[component.{id}]\nsource = {:?}\n", probe(wasm))
}

fn command(manifest: &str, state: &TempDir) -> Command {
    let path = state.path().join("spin.toml");
    std::fs::write(&path, manifest).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stand-in-host"));
    command
        .args([
            "--listen",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
            "--manifest",
        ])
        .arg(path)
        .arg("--cache-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"))
        .arg("--state-dir")
        .arg(state.path().join("state"));
    command
}

/// What a host that refuses to start says.
pub fn refusal(manifest: &str) -> String {
    let state = TempDir::new().unwrap();
    let Output { status, stderr, .. } = command(manifest, &state).output().unwrap();
    assert!(!status.success(), "the host did not refuse");
    String::from_utf8(stderr).unwrap()
}

impl Host {
    pub fn start(manifest: &str) -> Self {
        Self::start_with(manifest, |_| ())
    }

    pub fn start_with(manifest: &str, change: impl FnOnce(&mut Command)) -> Self {
        let state = TempDir::new().unwrap();
        let mut command = command(manifest, &state);
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let url = after(&mut stdout, "Serving ");
        let control = after(&mut stdout, "Control ");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            child,
            stdout,
            url,
            control,
            agent,
            _state: state,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Reads what the host and its components print, up to a line that contains `text`.
    pub fn line_with(&mut self, text: &str) -> String {
        line_with(&mut self.stdout, text)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call())
    }

    pub fn post(&self, path: &str, body: impl ureq::AsSendBody) -> Answer {
        answer(self.agent.post(format!("{}{path}", self.url)).send(body))
    }

    /// Runs a statement in the probe; `engine` is `sqlite`, `postgres` or `postgres?query=1`.
    pub fn sql(&self, engine: &str, statement: &str, parameters: Value) -> Value {
        let body = serde_json::json!({ "statement": statement, "parameters": parameters });
        self.post(&format!("/probe/{engine}"), body.to_string())
            .json()
    }

    /// Asks the control listener: a method, a path, and what to send.
    pub fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.control));
        answer(self.agent.run(request.body(body.to_string()).unwrap()))
    }

    /// Sends the signal that asks for an end, and waits for it.
    pub fn terminate(mut self) -> std::process::ExitStatus {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Already gone where the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(response: Result<http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = response.unwrap();
    let mut body = String::new();
    response
        .body_mut()
        .as_reader()
        .read_to_string(&mut body)
        .unwrap();
    Answer {
        status: response.status().as_u16(),
        body,
    }
}

fn after(stdout: &mut impl BufRead, prefix: &str) -> String {
    line_with(stdout, prefix)
        .trim()
        .strip_prefix(prefix)
        .unwrap()
        .to_owned()
}

fn line_with(stdout: &mut impl BufRead, text: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(
            stdout.read_line(&mut line).unwrap() > 0,
            "the host ended without {text:?}"
        );
        if line.contains(text) {
            return line;
        }
    }
}
