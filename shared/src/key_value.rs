//! The key-value door: small, perhaps late to agree with itself, never the truth about anything but the
//! people's data keys.

use spin_sdk::key_value::Store;

/// The store failed, is full, or is not granted. What the host said is not kept: it may name values.
#[derive(Debug)]
pub struct Unavailable;

/// The application's one store.
pub struct KeyValue(Store);

impl KeyValue {
    /// Opens the default store.
    ///
    /// # Errors
    /// The host has none for this component.
    pub fn open() -> Result<Self, Unavailable> {
        Store::open_default().map(Self).map_err(|_| Unavailable)
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// The store failed.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        self.0.get(key).map_err(|_| Unavailable)
    }

    /// Sets `key`, over any older value.
    ///
    /// # Errors
    /// The store failed or is full.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.0.set(key, value).map_err(|_| Unavailable)
    }

    /// Deletes `key`, if it is there.
    ///
    /// # Errors
    /// The store failed.
    pub fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.delete(key).map_err(|_| Unavailable)
    }
}
