//! The interface `sqlite`: one database, `default`, in a file. As on Spin each `open` is a connection of its
//! own, made at its first statement; of several statements in one text the first is run; errors are
//! SQLite's texts.

use std::path::Path;
use std::sync::Arc;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{Value as SqlValue, ValueRef};
use wasmtime::component::Resource;

use crate::faults::Capability;
use crate::platform::Instance;
use crate::platform::bindings::fermyon::spin::sqlite::{
    Error, Host, HostConnection, QueryResult, RowResult, Value,
};

/// The file of the database.
#[derive(Clone)]
pub struct File(Arc<Path>);

/// A component's connection.
pub struct Connection {
    file: File,
    connection: Option<rusqlite::Connection>,
}

impl File {
    /// Nothing is opened yet: SQLite makes the file at the first statement.
    pub fn new(path: &Path) -> Self {
        Self(path.into())
    }

    fn connect(&self) -> rusqlite::Result<rusqlite::Connection> {
        let connection = rusqlite::Connection::open(&self.0)?;
        connection.authorizer(Some(deny_other_files));
        Ok(connection)
    }
}

/// A component has its own database and no other file of the machine.
fn deny_other_files(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

impl Connection {
    fn execute(
        &mut self,
        statement: &str,
        parameters: Vec<Value>,
    ) -> rusqlite::Result<QueryResult> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.file.connect()?),
        };
        let mut statement = connection.prepare_cached(statement)?;
        let columns: Vec<String> = statement
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let width = columns.len();
        let rows = statement
            .query_map(
                rusqlite::params_from_iter(parameters.into_iter().map(to_sql)),
                |row| {
                    let values = (0..width).map(|index| from_sql(row.get_ref(index)?));
                    Ok(RowResult {
                        values: values.collect::<rusqlite::Result<_>>()?,
                    })
                },
            )?
            .collect::<rusqlite::Result<_>>()?;
        Ok(QueryResult { columns, rows })
    }
}

fn to_sql(value: Value) -> SqlValue {
    match value {
        Value::Integer(integer) => SqlValue::Integer(integer),
        Value::Real(real) => SqlValue::Real(real),
        Value::Text(text) => SqlValue::Text(text),
        Value::Blob(bytes) => SqlValue::Blob(bytes),
        Value::Null => SqlValue::Null,
    }
}

fn from_sql(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => {
            let text = str::from_utf8(text).map_err(rusqlite::Error::Utf8Error)?;
            Value::Text(text.to_owned())
        }
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

impl Host for Instance {}

impl HostConnection for Instance {
    async fn open(
        &mut self,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let guard = self.guard(Capability::Sqlite, "open");
        let open = async move {
            if !self.grants.sqlite_databases.contains(&database) {
                return Err(Error::AccessDenied);
            }
            let connection = Connection {
                file: self.platform.sqlite.clone(),
                connection: None,
            };
            self.table
                .push(connection)
                .map_err(|_| Error::Io("too many connections opened".to_owned()))
        };
        Ok(guard.run(Error::Io, open).await?)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let guard = self.guard(Capability::Sqlite, "execute");
        let execute = async move {
            let connection = self
                .table
                .get_mut(&connection)
                .map_err(|_| Error::InvalidConnection)?;
            tokio::task::block_in_place(|| connection.execute(&statement, parameters))
                .map_err(|error| Error::Io(error.to_string()))
        };
        Ok(guard.run(Error::Io, execute).await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        let connection = self.table.delete(connection)?;
        tokio::task::block_in_place(|| drop(connection));
        Ok(())
    }
}
