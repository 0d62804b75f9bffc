//! The application manifest (`spin.toml`, version 2): what this host reads of it. Every other key is
//! refused by name, so that nothing in a manifest is silently without effect.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A manifest whose keys are all known and whose references all lead somewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: i64,
    #[serde(rename = "application")]
    _application: Application,
    /// `[variables]`
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    /// `[component.<id>]`
    #[serde(default, rename = "component")]
    pub components: BTreeMap<String, Component>,
}

/// `[application]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    #[serde(rename = "name")]
    _name: String,
    #[serde(default, rename = "version")]
    _version: IgnoredText,
    #[serde(default, rename = "description")]
    _description: IgnoredText,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
}

/// Text for people: its type is checked, nothing is done with it.
#[derive(Debug, Default, Deserialize)]
struct IgnoredText(#[expect(dead_code, reason = "read for its type only")] String);

/// `[variables]`: one entry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value where the environment has none.
    pub default: Option<String>,
    /// Whether the environment must have a value.
    #[serde(default)]
    pub required: bool,
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(default, rename = "description")]
    _description: IgnoredText,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    http: Vec<HttpTrigger>,
}

/// `[[trigger.http]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    #[serde(default, rename = "id")]
    _id: IgnoredText,
    /// Which paths lead to the component.
    pub route: Route,
    /// The component's id.
    pub component: String,
}

/// A route: a pattern, or none from outside.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a route is a string or { private = true }")]
pub enum Route {
    /// `"/path/:name/..."`
    Pattern(String),
    /// `{ private = true }`: reached by service chaining only.
    Private(Private),
}

/// `{ private = true }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    private: bool,
}

/// `[component.<id>]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The Wasm file, relative to the manifest.
    pub source: String,
    #[serde(default, rename = "description")]
    _description: IgnoredText,
    /// Where the component may send requests and open connections; templates.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The key-value stores that the component may open.
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    /// The SQLite databases that the component may open.
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    /// The component's own variables; templates over the application's.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default, rename = "build")]
    _build: Option<Build>,
}

/// `[component.<id>.build]`: for `spin build`; nothing to do at run time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    #[serde(rename = "command")]
    _command: IgnoredAny,
    #[serde(default, rename = "workdir")]
    _workdir: IgnoredText,
    #[serde(default, rename = "watch")]
    _watch: Vec<String>,
}

impl Manifest {
    /// Reads and checks a manifest file.
    ///
    /// # Errors
    /// Names the file and the key that is unknown, missing or wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("the manifest {} is refused", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let deserializer = toml::Deserializer::parse(text)?;
        let manifest: Self = serde_path_to_error::deserialize(deserializer)
            .map_err(|error| anyhow!("{}: {}", error.path(), error.inner().message()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// `[[trigger.http]]`, in the order of the manifest.
    pub fn http_triggers(&self) -> &[HttpTrigger] {
        &self.trigger.http
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.spin_manifest_version == 2,
            "spin_manifest_version {} is not implemented, only 2",
            self.spin_manifest_version
        );
        for (id, component) in &self.components {
            ensure!(is_kebab_case(id), "component.{id}: an id is in kebab-case");
            check_labels(id, component)?;
        }
        for trigger in self.http_triggers() {
            trigger.check(&self.components)?;
        }
        Ok(())
    }
}

impl HttpTrigger {
    fn check(&self, components: &BTreeMap<String, Component>) -> Result<()> {
        ensure!(
            components.contains_key(&self.component),
            "trigger.http: there is no component {:?}",
            self.component
        );
        if let Route::Private(Private { private }) = self.route {
            ensure!(
                private,
                "trigger.http: route = {{ private = false }} of {:?}: a route is a string or {{ private = true }}",
                self.component
            );
        }
        Ok(())
    }
}

/// This host has one store and one database, as Spin has without a runtime configuration.
fn check_labels(id: &str, component: &Component) -> Result<()> {
    for (key, labels) in [
        ("key_value_stores", &component.key_value_stores),
        ("sqlite_databases", &component.sqlite_databases),
    ] {
        if let Some(unknown) = labels.iter().find(|label| *label != "default") {
            return Err(anyhow!(
                "component.{id}.{key}: unknown label {unknown:?}, only \"default\" is there"
            ));
        }
    }
    Ok(())
}

fn is_kebab_case(id: &str) -> bool {
    id.split('-').all(|word| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "test"
        version = "1.0.0"
        authors = ["somebody"]
        [variables]
        plain = { default = "x" }
        [[trigger.http]]
        route = "/..."
        component = "one"
        [[trigger.http]]
        id = "inside"
        route = { private = true }
        component = "one"
        [component.one]
        source = "one.wasm"
        key_value_stores = ["default"]
        [component.one.build]
        command = "make"
        watch = ["src/**/*.rs"]
    "#;

    fn refusal(tail: &str) -> String {
        Manifest::parse(&format!("{HEAD}{tail}"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_is_known_is_read() {
        let manifest = Manifest::parse(HEAD).unwrap();
        assert_eq!(manifest.http_triggers().len(), 2);
        assert_eq!(manifest.components["one"].source, "one.wasm");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_table() {
        let text = refusal("[component.two]\nsource = \"a\"\nfiles = [\"x\"]\n");
        assert!(
            text.contains("component.two.files: unknown field `files`"),
            "{text}"
        );
        let text = refusal("[[trigger.redis]]\nchannel = \"x\"\n");
        assert!(
            text.contains("trigger.redis: unknown field `redis`"),
            "{text}"
        );
        let text = refusal(
            "[[trigger.http]]\nroute = \"/a\"\ncomponent = \"one\"\nexecutor = { type = \"wagi\" }\n",
        );
        assert!(text.contains("executor"), "{text}");
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        for tail in [
            "[[trigger.http]]\nroute = \"/a\"\ncomponent = \"nobody\"\n",
            "[[trigger.http]]\nroute = { private = false }\ncomponent = \"one\"\n",
            "[component.Snake_Case]\nsource = \"a\"\n",
            "[component.two]\nsource = { url = \"https://x\", digest = \"y\" }\n",
            "[component.two]\nsource = \"a\"\nkey_value_stores = [\"other\"]\n",
        ] {
            assert!(Manifest::parse(&format!("{HEAD}{tail}")).is_err(), "{tail}");
        }
        assert!(Manifest::parse(&HEAD.replace("version = 2", "version = 1")).is_err());
    }
}
