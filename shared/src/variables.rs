//! The application's variables, typed.
//!
//! Reading one is a call to the host, so each is read where it is needed and not before.

use std::str::FromStr;

use spin_sdk::variables;

/// A variable that is not declared for the component, or whose value cannot be used.
#[derive(Debug)]
pub struct Misconfigured {
    /// The variable's name. Its value is not kept: it may be a secret.
    pub variable: &'static str,
}

/// The variable's text; empty if it is set to nothing.
///
/// # Errors
/// The component's manifest does not declare it.
pub fn text(variable: &'static str) -> Result<String, Misconfigured> {
    variables::get(variable).map_err(|_| Misconfigured { variable })
}

/// The variable's text, which must not be empty.
///
/// # Errors
/// It is not declared, or empty.
pub fn required(variable: &'static str) -> Result<String, Misconfigured> {
    let value = text(variable)?;
    if value.is_empty() {
        return Err(Misconfigured { variable });
    }
    Ok(value)
}

/// The variable, parsed.
///
/// # Errors
/// It is not declared, or does not parse.
pub fn parsed<T: FromStr>(variable: &'static str) -> Result<T, Misconfigured> {
    text(variable)?
        .trim()
        .parse()
        .map_err(|_| Misconfigured { variable })
}
