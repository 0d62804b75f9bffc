//! Application variables, and the `{{ name }}` templates that hand them to components.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::manifest::Variable;

/// The values of all application variables.
#[derive(Debug)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Takes each variable's value from `SPIN_VARIABLE_<NAME>`, as `environment` has it, or its default.
    ///
    /// # Errors
    /// Where a name or a declaration is not valid, and where a required variable has no value.
    pub fn resolve(
        declared: &BTreeMap<String, Variable>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut values = HashMap::new();
        for (name, variable) in declared {
            check_name(name)?;
            check_declaration(name, variable)?;
            let value = environment(&environment_name(name))
                .or_else(|| variable.default.clone())
                .with_context(|| {
                    format!(
                        "the variable {name} is required and has no value: set {}",
                        environment_name(name)
                    )
                })?;
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// The defaults alone: what can be checked of a template before a deployment sets anything.
    pub fn defaults(declared: &BTreeMap<String, Variable>) -> Self {
        let defaults = declared
            .iter()
            .filter_map(|(name, variable)| Some((name.clone(), variable.default.clone()?)));
        Self(defaults.collect())
    }

    /// Replaces every `{{ name }}` of a template by the variable's value.
    ///
    /// # Errors
    /// Where braces do not match, or a variable is not known.
    pub fn expand(&self, template: &str) -> Result<String> {
        let mut expanded = String::new();
        let mut rest = template;
        while let Some((literal, opened)) = rest.split_once("{{") {
            let (name, after) = opened
                .split_once("}}")
                .ok_or_else(|| anyhow!("unmatched '{{{{' in template {template:?}"))?;
            let value = self
                .0
                .get(name.trim())
                .with_context(|| format!("unknown variable {:?} in template", name.trim()))?;
            expanded.push_str(literal);
            expanded.push_str(value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

fn check_declaration(name: &str, variable: &Variable) -> Result<()> {
    match (variable.required, &variable.default) {
        (true, Some(_)) => bail!("the variable {name} is required and has a default: one of them"),
        (false, None) => bail!("the variable {name} needs a default or required = true"),
        _ => Ok(()),
    }
}

/// Spin's rule for the names of variables.
///
/// # Errors
/// Says what is wrong with the name.
pub fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    ensure!(!name.is_empty(), "{name:?}: must not be empty");
    if let Some(invalid) = name.chars().find(|&c| !allowed(c)) {
        bail!(
            "{name:?}: invalid character {invalid:?}. Variable names may contain only lower-case \
             letters, numbers, and underscores."
        );
    }
    ensure!(
        name.starts_with(|c: char| c.is_ascii_lowercase()),
        "{name:?}: must start with a lowercase ASCII letter"
    );
    ensure!(
        !name.ends_with('_'),
        "{name:?}: must end with a lowercase ASCII letter or digit"
    );
    ensure!(
        !name.contains("__"),
        "{name:?}: must not contain multiple consecutive underscores"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(entries: &[(&str, Option<&str>)]) -> BTreeMap<String, Variable> {
        entries
            .iter()
            .map(|(name, default)| {
                let variable =
                    serde_json::json!({ "default": default, "required": default.is_none() });
                (
                    (*name).to_owned(),
                    serde_json::from_value(variable).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn the_environment_comes_before_the_default() {
        let declared = declared(&[("host", Some("a")), ("port", Some("1"))]);
        let environment = |name: &str| (name == "SPIN_VARIABLE_HOST").then(|| "b".to_owned());
        let variables = Variables::resolve(&declared, environment).unwrap();
        assert_eq!(variables.expand("{{ host }}:{{port}}").unwrap(), "b:1");
    }

    #[test]
    fn a_required_variable_without_value_is_named() {
        let error = Variables::resolve(&declared(&[("token", None)]), |_| None).unwrap_err();
        assert!(error.to_string().contains("SPIN_VARIABLE_TOKEN"), "{error}");
    }

    #[test]
    fn templates_with_unknown_names_or_open_braces_are_refused() {
        let variables = Variables::resolve(&declared(&[("a", Some("x"))]), |_| None).unwrap();
        assert_eq!(variables.expand("plain }} text").unwrap(), "plain }} text");
        assert!(variables.expand("{{ b }}").is_err());
        assert!(variables.expand("{{ a").is_err());
    }

    #[test]
    fn names_follow_the_rule() {
        for good in ["a", "database_url", "a1_b2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a-b", "1a", "_a", "a_", "a__b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
