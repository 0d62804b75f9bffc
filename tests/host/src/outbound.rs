//! Where a component may send requests and open connections: `allowed_outbound_hosts`. Denied by default.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use url::{Host, Url};

use crate::variables::Variables;

const CHAINING_SUFFIX: &str = ".spin.internal";

/// The hosts that one component may reach.
#[derive(Debug)]
pub enum AllowedHosts {
    /// The entries of the manifest.
    Listed(Vec<AllowedHost>),
    /// A variable's value makes an entry unreadable: then every host is denied, as Spin does.
    Broken(String),
}

/// One entry: `scheme://host[:port]`, each of them possibly `*`.
#[derive(Debug, PartialEq)]
pub struct AllowedHost {
    /// None is any.
    scheme: Option<String>,
    host: HostPattern,
    /// None is any; a single port is a range of one.
    ports: Option<Range<u32>>,
}

#[derive(Debug, PartialEq)]
enum HostPattern {
    Any,
    /// With its leading dot.
    Suffix(String),
    Exactly(Host),
}

impl AllowedHosts {
    /// Reads the entries of one component's `allowed_outbound_hosts`.
    ///
    /// # Errors
    /// Where an entry cannot be read as it stands or with the defaults of its variables; the values that a
    /// deployment sets do not stop the start.
    pub fn new(entries: &[String], defaults: &Variables, variables: &Variables) -> Result<Self> {
        for entry in entries {
            // A template over a required variable has no default: nothing to check before its value is known.
            let expanded = if entry.contains("{{") {
                defaults.expand(entry).ok()
            } else {
                Some(entry.clone())
            };
            if let Some(expanded) = expanded {
                parse(entry, &expanded)
                    .with_context(|| format!("allowed_outbound_hosts: {entry:?}"))?;
            }
        }
        let resolved = entries
            .iter()
            .map(|entry| parse(entry, &variables.expand(entry)?))
            .collect::<Result<Vec<_>>>();
        Ok(match resolved {
            Ok(hosts) => Self::Listed(hosts.into_iter().flatten().collect()),
            Err(error) => Self::Broken(format!("{error:#}")),
        })
    }

    /// Whether a URL may be reached. Where `url` has no scheme, `scheme` is taken.
    pub fn allows(&self, url: &str, scheme: &str) -> bool {
        let Self::Listed(hosts) = self else {
            return false;
        };
        let parsed = match Url::parse(url) {
            Ok(parsed) if parsed.has_host() => Ok(parsed),
            _ => Url::parse(&format!("{scheme}://{url}")),
        };
        parsed.is_ok_and(|url| hosts.iter().any(|host| host.allows(&url)))
    }
}

/// The component that a host name addresses: `<component>.spin.internal`.
pub fn chaining_target(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let component = host.strip_suffix(CHAINING_SUFFIX)?;
    (!component.contains('.')).then_some(component)
}

/// `expanded` is `entry` with its variables. An entry that is empty because of an empty variable is no
/// entry: an endpoint that is not configured.
fn parse(entry: &str, expanded: &str) -> Result<Option<AllowedHost>> {
    let template = entry.contains("{{");
    if template && matches!(expanded, "" | "http://" | "https://") {
        return Ok(None);
    }
    AllowedHost::parse(expanded).map(Some)
}

impl AllowedHost {
    fn parse(entry: &str) -> Result<Self> {
        let entry = entry.trim();
        let (scheme, rest) = entry.split_once("://").with_context(|| {
            format!("{entry:?} does not contain a scheme (e.g., 'http://' or '*://')")
        })?;
        ensure!(
            scheme == "*" || scheme.chars().all(char::is_alphabetic),
            "{entry:?}: a scheme is letters or '*'"
        );
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(
            !rest.contains('/'),
            "{entry:?} has a path but is not allowed to"
        );
        let (host, port) = split_port(rest);
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostPattern::parse(host).with_context(|| format!("{entry:?}"))?,
            ports: parse_ports(port, scheme).with_context(|| format!("{entry:?}"))?,
        })
    }

    fn allows(&self, url: &Url) -> bool {
        let scheme = self.scheme.as_deref();
        scheme.is_none_or(|scheme| scheme == url.scheme())
            && self.host.allows(url)
            && self.ports.as_ref().is_none_or(|ports| {
                let port = url.port().or_else(|| well_known_port(url.scheme()));
                port.is_some_and(|port| ports.contains(&u32::from(port)))
            })
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self> {
        if host == "*" {
            return Ok(Self::Any);
        }
        ensure!(
            host != "self" && host != "self.alt",
            "requests to the application itself ({host:?}) are not implemented: name the component, \
             as in http://name.spin.internal"
        );
        if let Some(domain) = host.strip_prefix("*.") {
            ensure!(
                !domain.contains('*'),
                "wildcards are allowed only as prefixes"
            );
            return match Host::parse(domain)? {
                Host::Domain(domain) => Ok(Self::Suffix(format!(".{domain}"))),
                _ => bail!("wildcard suffix must be a domain"),
            };
        }
        ensure!(
            !host.contains('*'),
            "wildcards are allowed only as subdomains"
        );
        Ok(Self::Exactly(Host::parse(host)?))
    }

    fn allows(&self, url: &Url) -> bool {
        // The parser of URLs leaves hosts of schemes that it does not know, such as postgres, as they are.
        let Some(Ok(host)) = url.host_str().map(Host::parse) else {
            return false;
        };
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Suffix(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Suffix(_), _) => false,
            (Self::Exactly(exactly), host) => *exactly == host,
        }
    }
}

/// Splits off a port; the colons of `[::1]` are not before one.
fn split_port(rest: &str) -> (&str, &str) {
    match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (rest, ""),
    }
}

fn parse_ports(port: &str, scheme: &str) -> Result<Option<Range<u32>>> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map(u32::from)
            .with_context(|| format!("port {port:?} is not a number"))
    };
    if port == "*" {
        return Ok(None);
    }
    if port.is_empty() {
        let known = well_known_port(scheme).map(u32::from).with_context(|| {
            format!("no port was provided and the scheme {scheme:?} does not have a known default port number")
        })?;
        return Ok(Some(known..known + 1));
    }
    let ports = match port.split_once("..") {
        Some((start, end)) => number(start)?..number(end)?,
        None => number(port)?..number(port)? + 1,
    };
    Ok(Some(ports))
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(entries: &[(&str, &str)]) -> Variables {
        let declared = entries.iter().map(|(name, value)| {
            let variable = serde_json::json!({ "default": value });
            (
                (*name).to_owned(),
                serde_json::from_value(variable).unwrap(),
            )
        });
        Variables::defaults(&declared.collect())
    }

    fn allowed(entries: &[&str]) -> AllowedHosts {
        let entries: Vec<_> = entries.iter().map(|&entry| entry.to_owned()).collect();
        AllowedHosts::new(&entries, &variables(&[]), &variables(&[])).unwrap()
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(!allowed(&[]).allows("http://example.com", "http"));
    }

    #[test]
    fn scheme_host_and_port_must_all_agree() {
        let hosts = allowed(&[
            "https://example.com",
            "http://*.example.org:8000..8010",
            "*://[::1]:*",
        ]);
        for (url, expected) in [
            ("https://example.com/path?query", true),
            ("https://example.com:443", true),
            ("https://example.com:444", false),
            ("http://example.com", false),
            ("https://www.example.com", false),
            ("http://a.b.example.org:8009", true),
            ("http://a.example.org:8010", false),
            ("http://example.org:8000", false),
            ("http://[::1]:9", true),
        ] {
            assert_eq!(hosts.allows(url, "https"), expected, "{url}");
        }
    }

    #[test]
    fn addresses_of_databases_are_checked_too() {
        let hosts = allowed(&["postgres://127.0.0.1:5433"]);
        assert!(hosts.allows("127.0.0.1:5433", "postgres"));
        assert!(!hosts.allows("127.0.0.1", "postgres"));
        assert!(allowed(&["postgres://localhost"]).allows("localhost", "postgres"));
    }

    #[test]
    fn entries_that_cannot_be_read_stop_the_start() {
        for entry in [
            "*",
            "example.com",
            "https://example.com/path",
            "https://a*.com",
            "tcp://a",
            "http://self",
        ] {
            let entries = [entry.to_owned()];
            assert!(
                AllowedHosts::new(&entries, &variables(&[]), &variables(&[])).is_err(),
                "{entry}"
            );
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_denies_everything() {
        let entries = ["https://example.com".to_owned(), "{{ host }}".to_owned()];
        let good = variables(&[("host", "https://a.com")]);
        let hosts = AllowedHosts::new(&entries, &good, &good).unwrap();
        assert!(hosts.allows("https://a.com", "https"));
        let bad = variables(&[("host", "https://a.com/path")]);
        let hosts = AllowedHosts::new(&entries, &good, &bad).unwrap();
        assert!(!hosts.allows("https://example.com", "https"));
        assert!(AllowedHosts::new(&entries, &bad, &bad).is_err());
    }

    #[test]
    fn an_empty_variable_is_no_entry() {
        let empty = variables(&[("host", "")]);
        let entries = ["{{ host }}".to_owned(), "https://example.com".to_owned()];
        let hosts = AllowedHosts::new(&entries, &empty, &empty).unwrap();
        assert!(hosts.allows("https://example.com", "https"));
    }

    #[test]
    fn service_chaining_is_one_label_before_the_domain() {
        assert_eq!(chaining_target("profile.spin.internal"), Some("profile"));
        assert_eq!(chaining_target("profile.spin.internal:80"), Some("profile"));
        assert_eq!(chaining_target("a.b.spin.internal"), None);
        assert_eq!(chaining_target("example.com"), None);
    }
}
