//! Which component a path leads to: Spin's own route finder, so that precedence is Spin's too.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use routefinder::{Captures, RouteSpec};

use crate::manifest::{HttpTrigger, Route};

/// The application's routes.
pub struct Router {
    finder: routefinder::Router<Target>,
}

struct Target {
    component: String,
    /// As the manifest has it.
    pattern: String,
}

/// A path, matched.
pub struct RouteMatch<'a> {
    component: &'a str,
    pattern: &'a str,
    /// None where a component was addressed by name (service chaining): it sees the whole path.
    captures: Option<Captures<'a, 'a>>,
    path: &'a str,
}

impl Router {
    /// Builds the routes of the triggers. Where two have the same pattern the last one counts; private
    /// ones have none.
    ///
    /// # Errors
    /// Names the pattern that cannot be parsed.
    pub fn new(triggers: &[HttpTrigger]) -> Result<Self> {
        let patterns: BTreeMap<&str, &str> = triggers
            .iter()
            .filter_map(|trigger| match &trigger.route {
                Route::Pattern(pattern) => Some((pattern.as_str(), trigger.component.as_str())),
                Route::Private(_) => None,
            })
            .collect();
        let mut finder = routefinder::Router::new();
        for (pattern, component) in patterns {
            let target = Target {
                component: component.to_owned(),
                pattern: pattern.to_owned(),
            };
            finder
                .add(parse(pattern)?, target)
                .map_err(|error| anyhow!("the route {pattern:?} cannot be parsed: {error}"))?;
        }
        Ok(Self { finder })
    }

    /// The best match: exact routes before names, names before trailing wildcards, longer before shorter.
    pub fn find<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        let best = self.finder.best_match(path)?;
        let target: &'a Target = best.handler();
        Some(RouteMatch {
            component: &target.component,
            pattern: &target.pattern,
            captures: Some(best.captures()),
            path,
        })
    }

    /// Each route's component and pattern, for people to read.
    pub fn list(&self) -> impl Iterator<Item = (&str, String)> {
        self.finder.iter().map(|(_, target)| {
            let shown = match target.pattern.strip_suffix("/...") {
                Some("") => "/ (wildcard)".to_owned(),
                Some(prefix) => format!("{prefix} (wildcard)"),
                None => target.pattern.clone(),
            };
            (target.component.as_str(), shown)
        })
    }
}

impl<'a> RouteMatch<'a> {
    /// As if the component had the route `/...`: service chaining goes to any path of a component.
    pub fn whole_path(component: &'a str, path: &'a str) -> Self {
        Self {
            component,
            pattern: "/...",
            captures: None,
            path,
        }
    }

    /// The id of the component.
    pub fn component(&self) -> &'a str {
        self.component
    }

    /// The pattern as the manifest has it.
    pub fn pattern(&self) -> &'a str {
        self.pattern
    }

    /// The pattern with a leading and without a trailing slash: what Spin matches.
    pub fn absolute_pattern(&self) -> String {
        absolute(self.pattern)
    }

    /// The pattern without its trailing wildcard.
    pub fn prefix(&self) -> &'a str {
        self.pattern.strip_suffix("/...").unwrap_or(self.pattern)
    }

    /// The path segments that stand for `:name`.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.captures.iter().flat_map(Captures::iter)
    }

    /// What the trailing wildcard stands for, with its slashes; empty where the route has none.
    pub fn trailing_path(&self) -> Cow<'_, str> {
        let Some(captures) = &self.captures else {
            return self.path.into();
        };
        let slash = if self.path.ends_with('/') { "/" } else { "" };
        match captures.wildcard() {
            None => "".into(),
            Some("") => slash.into(),
            Some(rest) => format!("/{rest}{slash}").into(),
        }
    }
}

fn parse(pattern: &str) -> Result<RouteSpec> {
    let absolute = absolute(pattern);
    let spec = match absolute.strip_suffix("/...") {
        Some(prefix) => format!("{prefix}/*"),
        None => absolute,
    };
    RouteSpec::try_from(spec.as_str())
        .map_err(|error| anyhow!("the route {pattern:?} cannot be parsed: {error}"))
}

fn absolute(pattern: &str) -> String {
    let slash = if pattern.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", pattern.strip_suffix('/').unwrap_or(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(patterns: &[&str]) -> Router {
        let triggers: Vec<_> = patterns
            .iter()
            .map(|pattern| {
                serde_json::from_value(
                    serde_json::json!({ "route": pattern, "component": pattern }),
                )
                .unwrap()
            })
            .collect();
        Router::new(&triggers).unwrap()
    }

    fn found(router: &Router, path: &str) -> Option<String> {
        router.find(path).map(|found| found.pattern().to_owned())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let router = router(&["/...", "/a/...", "/a/:name", "/a/b", "/a/b/..."]);
        for (path, pattern) in [
            ("/", "/..."),
            ("/x", "/..."),
            ("/a/b", "/a/b"),
            ("/a/c", "/a/:name"),
            ("/a/c/d", "/a/..."),
            ("/a/b/c", "/a/b/..."),
        ] {
            assert_eq!(found(&router, path).as_deref(), Some(pattern), "{path}");
        }
    }

    #[test]
    fn no_route_no_match() {
        let router = router(&["/a", "/b/:id"]);
        assert!(router.find("/").is_none());
        assert!(router.find("/a/b").is_none());
        assert!(router.find("/b").is_none());
        assert_eq!(found(&router, "/a/").as_deref(), Some("/a"));
    }

    #[test]
    fn the_trailing_path_keeps_its_slashes() {
        let router = router(&["/a/...", "/exact"]);
        for (path, trailing) in [
            ("/a", ""),
            ("/a/", "/"),
            ("/a/b", "/b"),
            ("/a/b/c/", "/b/c/"),
            ("/exact", ""),
        ] {
            assert_eq!(
                router.find(path).unwrap().trailing_path(),
                trailing,
                "{path}"
            );
        }
        assert_eq!(RouteMatch::whole_path("x", "/y/z").trailing_path(), "/y/z");
    }

    #[test]
    fn names_are_captured() {
        let router = router(&["/users/:id/posts/:post"]);
        let found = router.find("/users/7/posts/x").unwrap();
        assert_eq!(
            found.names().collect::<Vec<_>>(),
            [("id", "7"), ("post", "x")]
        );
        assert_eq!(found.prefix(), "/users/:id/posts/:post");
    }
}
