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

#[derive(Default)]
struct Codes {
    by_request: Mutex<HashMap<String, String>>,
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
        let mut codes = self.codes.by_request.lock().expect("no holder panics");
        loop {
            if let Some(code) = codes.remove(request_id) {
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
        if let (Some(code), Some(id)) = (event["code"].as_str(), event["request_id"].as_str()) {
            let mut codes = self.by_request.lock().expect("no holder panics");
            codes.insert(id.to_owned(), code.to_owned());
            self.came.notify_all();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
