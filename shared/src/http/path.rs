//! Path parameters. They are taken from the path itself: not every header in which the host repeats them
//! is safe from a client's forgery.

use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{Context, FromContext, Problem};

/// The path's `{id}`. What is no identifier names nothing, so it answers 404.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub Uuid);

impl FromContext for Id {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        cx.parameter("id")
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(Problem::not_found)
    }
}

/// The path's `{secret}`: what proves who calls, where a third party signs nothing.
pub struct Secret(String);

impl Secret {
    /// Whether it is the expected one, which is not empty. How long this takes says nothing about it but its length.
    pub fn is(&self, expected: &str) -> bool {
        !expected.is_empty() && bool::from(self.0.as_bytes().ct_eq(expected.as_bytes()))
    }
}

impl FromContext for Secret {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        cx.parameter("secret")
            .map(|text| Self(text.to_owned()))
            .ok_or_else(Problem::not_found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_expected_where_none_is_set() {
        assert!(Secret("abc".to_owned()).is("abc"));
        for (given, expected) in [("abc", "abd"), ("abc", "ab"), ("", ""), ("abc", "")] {
            assert!(!Secret(given.to_owned()).is(expected), "{given} {expected}");
        }
    }
}
