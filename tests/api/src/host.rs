//! The process that serves the application: the stand-in host, or the official Spin.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use crate::log::Log;

/// Compiling the components takes seconds the first time, on a busy machine more.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running host; killed when dropped.
pub struct Host {
    child: Child,
    /// `http://address`
    pub url: String,
    /// Where the clock and the faults are steered.
    pub control: Option<String>,
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().expect("the workspace is there")
}

/// The official Spin, where the environment names it.
fn spin() -> Option<OsString> {
    env::var_os("SPIN").filter(|path| !path.is_empty())
}

/// Whether tests can move the clock and plan faults.
pub fn is_stand_in() -> bool {
    spin().is_none()
}

impl Host {
    /// Starts the application of `manifest` on `state`, its state directory, and waits until it serves.
    pub fn start(manifest: &Path, state: &Path, variables: &[(String, String)], log: &Log) -> Self {
        let mut command = match spin() {
            Some(spin) => spin_command(&spin, manifest),
            None => stand_in_command(manifest, state),
        };
        command.arg("--state-dir").arg(state);
        for (name, value) in variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let mut child = command
            .current_dir(workspace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let start = log.len();
        log.collect(child.stdout.take().expect("it is piped"));
        log.collect(child.stderr.take().expect("it is piped"));
        let announced = |prefix: &str| {
            let line = log.wait_for(start, PATIENCE, |line| line.starts_with(prefix));
            line.map(|line| line[prefix.len()..].trim().to_owned())
                .unwrap_or_else(|| panic!("the host does not serve: {log}"))
        };
        let url = announced("Serving ");
        let control = is_stand_in().then(|| announced("Control "));
        Self {
            child,
            url,
            control,
        }
    }
}

impl Host {
    /// Kills the process with SIGKILL, whatever it is doing.
    pub fn kill(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-KILL", &pid]).status();
        assert!(status.is_ok_and(|status| status.success()), "it runs");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Already gone where it crashed, which the test has noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stand_in_command(manifest: &Path, state: &Path) -> Command {
    let target = workspace().join("target/native");
    let path =
        env::var_os("STAND_IN_HOST").map_or_else(|| target.join("stand-in-host"), PathBuf::from);
    share_compiled_code(state, &target.join("api-tests-compiled"));
    let mut command = Command::new(path);
    command.arg("--manifest").arg(manifest);
    command.args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
    command
}

/// The host keeps compiled code in its state directory; the tests' many hosts share it.
fn share_compiled_code(state: &Path, shared: &Path) {
    fs::create_dir_all(shared).expect("the target directory is writable");
    let link = state.join("compiled");
    if !link.exists() {
        std::os::unix::fs::symlink(shared, link).expect("the state directory is writable");
    }
}

fn spin_command(spin: &OsString, manifest: &Path) -> Command {
    let mut command = Command::new(spin);
    command.arg("up").arg("--from").arg(manifest);
    command.args(["--listen", &free_address()]);
    command
}

/// Spin refuses port 0. The port is free now and almost surely still when Spin takes it.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    address.to_string()
}
