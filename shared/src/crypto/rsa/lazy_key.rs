//! Keys that come from variables.

use std::cell::OnceCell;

use super::{InvalidKey, PrivateKey, PublicKey};
use crate::variables::Misconfigured;

/// A key that stays text until it is used, and is read once: that takes time, and few requests use every
/// key that is configured.
pub struct LazyKey<K> {
    variable: &'static str,
    text: String,
    read: fn(&str) -> Result<K, InvalidKey>,
    key: OnceCell<K>,
}

impl LazyKey<PrivateKey> {
    /// The private key that is the text of `variable`.
    pub fn private(variable: &'static str, text: String) -> Self {
        Self::new(variable, text, PrivateKey::from_text)
    }
}

impl LazyKey<PublicKey> {
    /// The public key that is the text of `variable`, or a part of it.
    pub fn public(variable: &'static str, text: String) -> Self {
        Self::new(variable, text, PublicKey::from_text)
    }
}

impl<K> LazyKey<K> {
    fn new(variable: &'static str, text: String, read: fn(&str) -> Result<K, InvalidKey>) -> Self {
        Self {
            variable,
            text,
            read,
            key: OnceCell::new(),
        }
    }

    /// The key.
    ///
    /// # Errors
    /// The text is no such key.
    pub fn get(&self) -> Result<&K, Misconfigured> {
        if self.key.get().is_none() {
            let variable = self.variable;
            let key = (self.read)(&self.text).map_err(|InvalidKey| Misconfigured { variable })?;
            let _ = self.key.set(key);
        }
        Ok(self.key.get().expect("set above"))
    }
}
