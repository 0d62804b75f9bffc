//! The manifest that the host starts from.

use std::fs;
use std::path::{Path, PathBuf};

use crate::host::workspace;

/// Where the application's components lie, as its manifest says it.
const COMPONENTS: &str = "source = \"target/";

/// What mounts the probe of the guards. It may reach what a component with guards may reach.
pub const GUARDS_PROBE: &str = r#"
[[trigger.http]]
route = "/v1/probe/..."
component = "guards"

[component.guards]
source = "target/wasm/wasm32-wasip1/release/examples/guards.wasm"
allowed_outbound_hosts = ["{{ database_host }}", "http://account-deletion.spin.internal"]
key_value_stores = ["default"]
sqlite_databases = ["default"]

[component.guards.variables]
database_url = "{{ database_url }}"
session_cache_slots = "{{ session_cache_slots }}"
operator_tokens = "{{ operator_tokens }}"
"#;

/// The application's own.
pub fn own() -> PathBuf {
    workspace().join("spin.toml")
}

/// A copy of it in `folder` with more at its end.
pub fn with(folder: &Path, more: &str) -> PathBuf {
    let own = fs::read_to_string(own()).expect("the manifest is readable");
    let target = workspace().join("target");
    // A source is relative to its manifest, and the copy lies elsewhere.
    let absolute = format!("source = \"{}/", target.display());
    let text = (own + more).replace(COMPONENTS, &absolute);
    let copy = folder.join("spin.toml");
    fs::write(&copy, text).expect("the state directory is writable");
    copy
}

/// A route that leads to a component.
pub fn route(path: &str, component: &str) -> String {
    format!("\n[[trigger.http]]\nroute = \"{path}\"\ncomponent = \"{component}\"\n")
}
