//! The interface `key-value`: one store, `default`, in a SQLite file.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use rusqlite::OptionalExtension;
use wasmtime::component::Resource;

use crate::faults::Capability;
use crate::platform::Instance;
use crate::platform::bindings::fermyon::spin::key_value::{Error, Host, HostStore};

/// The file that holds all stores; one connection, as Spin has it.
pub struct File(Mutex<rusqlite::Connection>);

/// An open store.
pub struct Store {
    label: String,
}

impl File {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// Where SQLite cannot.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Self::connect(path);
        Ok(Self(Mutex::new(connection.with_context(|| {
            format!("cannot open {}", path.display())
        })?)))
    }

    fn connect(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
        let connection = rusqlite::Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS spin_key_value (
               store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))",
        )?;
        Ok(connection)
    }

    fn with<T>(
        &self,
        run: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        tokio::task::block_in_place(|| {
            let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            run(&connection).map_err(|error| Error::Other(error.to_string()))
        })
    }

    fn get(&self, label: &str, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = $1 AND key = $2")?
                .query_row([label, key], |row| row.get(0))
                .optional()
        })
    }

    fn set(&self, label: &str, key: &str, value: &[u8]) -> Result<(), Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO spin_key_value (store, key, value) VALUES ($1, $2, $3)
                     ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
                )?
                .execute(rusqlite::params![label, key, value])
                .map(drop)
        })
    }

    fn delete(&self, label: &str, key: &str) -> Result<(), Error> {
        self.with(|connection| {
            connection
                .prepare_cached("DELETE FROM spin_key_value WHERE store = $1 AND key = $2")?
                .execute([label, key])
                .map(drop)
        })
    }

    fn keys(&self, label: &str) -> Result<Vec<String>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT key FROM spin_key_value WHERE store = $1")?
                .query_map([label], |row| row.get(0))?
                .collect()
        })
    }
}

impl Instance {
    fn label(&self, store: &Resource<Store>) -> Result<&str, Error> {
        let store = self
            .table
            .get(store)
            .map_err(|error| Error::Other(error.to_string()))?;
        Ok(&store.label)
    }
}

impl Host for Instance {}

impl HostStore for Instance {
    async fn open(&mut self, label: String) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        let guard = self.guard(Capability::KeyValue, "open");
        let open = async move {
            if !self.grants.key_value_stores.contains(&label) {
                return Err(Error::AccessDenied);
            }
            self.table
                .push(Store { label })
                .map_err(|_| Error::StoreTableFull)
        };
        Ok(guard.run(Error::Other, open).await?)
    }

    async fn get(
        &mut self,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let guard = self.guard(Capability::KeyValue, "get");
        let get = async move { self.platform.key_value.get(self.label(&store)?, &key) };
        Ok(guard.run(Error::Other, get).await?)
    }

    async fn set(
        &mut self,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let guard = self.guard(Capability::KeyValue, "set");
        let set = async move {
            self.platform
                .key_value
                .set(self.label(&store)?, &key, &value)
        };
        Ok(guard.run(Error::Other, set).await?)
    }

    async fn delete(
        &mut self,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let guard = self.guard(Capability::KeyValue, "delete");
        let delete = async move { self.platform.key_value.delete(self.label(&store)?, &key) };
        Ok(guard.run(Error::Other, delete).await?)
    }

    async fn exists(
        &mut self,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let guard = self.guard(Capability::KeyValue, "exists");
        let exists = async move {
            Ok(self
                .platform
                .key_value
                .get(self.label(&store)?, &key)?
                .is_some())
        };
        Ok(guard.run(Error::Other, exists).await?)
    }

    async fn get_keys(
        &mut self,
        store: Resource<Store>,
    ) -> wasmtime::Result<Result<Vec<String>, Error>> {
        let guard = self.guard(Capability::KeyValue, "get-keys");
        let keys = async move { self.platform.key_value.keys(self.label(&store)?) };
        Ok(guard.run(Error::Other, keys).await?)
    }

    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
