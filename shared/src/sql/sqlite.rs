//! SQLite through Spin. Every `open` is a new connection that parses the whole schema.

use std::rc::Rc;

use spin_sdk::sqlite;

use super::error::from_sqlite;
use super::{Parameter, Row, SqlError, Value};

pub(super) struct Connection(sqlite::Connection);

impl Connection {
    pub(super) fn open() -> Result<Self, SqlError> {
        sqlite::Connection::open_default()
            .map(Self)
            .map_err(read_error)
    }

    pub(super) fn query(&self, text: &str, parameters: &[Parameter]) -> Result<Vec<Row>, SqlError> {
        let parameters: Vec<_> = parameters.iter().map(to_sqlite).collect();
        let answer = self.0.execute(text, &parameters).map_err(read_error)?;
        let columns: Rc<[String]> = answer.columns.into();
        answer
            .rows
            .into_iter()
            .map(|row| {
                let values = row.values.into_iter().map(to_value).collect::<Option<_>>();
                Ok(Row {
                    columns: columns.clone(),
                    values: values.ok_or(SqlError::Failed)?,
                })
            })
            .collect()
    }
}

fn read_error(error: sqlite::Error) -> SqlError {
    match error {
        sqlite::Error::Io(text) => from_sqlite(&text),
        sqlite::Error::DatabaseFull => SqlError::Unavailable,
        sqlite::Error::NoSuchDatabase
        | sqlite::Error::AccessDenied
        | sqlite::Error::InvalidConnection => SqlError::Failed,
    }
}

fn to_sqlite(parameter: &Parameter) -> sqlite::Value {
    match parameter {
        Value::Null => sqlite::Value::Null,
        Value::Integer(integer) => sqlite::Value::Integer(*integer),
        Value::Text(text) => sqlite::Value::Text(text.clone()),
        Value::Blob(bytes) => sqlite::Value::Blob(bytes.clone()),
    }
}

fn to_value(value: sqlite::Value) -> Option<Value> {
    match value {
        sqlite::Value::Null => Some(Value::Null),
        sqlite::Value::Integer(integer) => Some(Value::Integer(integer)),
        sqlite::Value::Text(text) => Some(Value::Text(text)),
        sqlite::Value::Blob(bytes) => Some(Value::Blob(bytes)),
        // No column of ours holds one.
        sqlite::Value::Real(_) => None,
    }
}
