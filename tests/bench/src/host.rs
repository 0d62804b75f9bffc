//! A served application, and what it prints.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A running stand-in host; it ends with this value.
pub struct Host {
    process: Child,
    /// `http://ADDRESS`
    pub url: String,
    codes: Arc<Codes>,
}

/// What people would read on their phones and in their mail: codes by their requests, links by their exports.
#[derive(Default)]
struct Codes {
    by_id: Mutex<HashMap<String, String>>,
    came: Condvar,
}

impl Host {
    /// Serves `manifest` with its databases in `state`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(manifest: &Path, state: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new("target/native/stand-in-host");
        command
            .args(["--listen", "127.0.0.1:0", "--manifest"])
            .arg(manifest)
            .arg("--state-dir")
            .arg(state)
            .stdout(Stdio::piped());
        for (name, value) in variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let mut process = command.spawn().context("is the stand-in host built?")?;
        let output = process.stdout.take().context("piped above")?;
        let codes = Arc::new(Codes::default());
        let (send, ready) = mpsc::channel();
        let noted = codes.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                match line.strip_prefix("Serving ") {
                    Some(url) => drop(send.send(url.to_owned())),
                    None => noted.note(&line),
                }
            }
        });
        let url = Self::wait(&ready)?;
        Ok(Self {
            process,
            url,
            codes,
        })
    }

    fn wait(ready: &Receiver<String>) -> Result<String> {
        ready.recv().context("the host ended before it served")
    }

    /// The code that the request `request_id` sent; waits until it is printed.
    pub fn code(&self, request_id: &str) -> String {
        self.noted(request_id)
    }

    /// The link to the export `id`; waits until it is printed.
    pub fn link(&self, id: &str) -> String {
        self.noted(id)
    }

    /// The most memory that the host has needed since [`Host::forget_peak`], in MiB.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn peak_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib.context("no VmHWM")?.parse::<f64>()? / 1024.0)
    }

    /// Forgets what memory the host needed before (proc(5), `clear_refs`).
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn forget_peak(&self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.process.id());
        Ok(std::fs::write(path, "5")?)
    }

    fn noted(&self, id: &str) -> String {
        let mut codes = self.codes.by_id.lock().expect("no holder panics");
        loop {
            if let Some(code) = codes.remove(id) {
                return code;
            }
            codes = self.codes.came.wait(codes).expect("no holder panics");
        }
    }
}

impl Codes {
    fn note(&self, line: &str) {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            return;
        };
        for (what, of) in [("code", "request_id"), ("link", "export")] {
            if let (Some(what), Some(id)) = (event[what].as_str(), event[of].as_str()) {
                let mut codes = self.by_id.lock().expect("no holder panics");
                codes.insert(id.to_owned(), what.to_owned());
                self.came.notify_all();
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
