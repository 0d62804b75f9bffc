//! PostgreSQL through Spin, over its pool of connections.

use std::rc::Rc;

use spin_sdk::pg::{self, DbValue, ParameterValue, PgError};

use super::error::from_postgres;
use super::{Parameter, Row, SqlError, Value};

pub(super) struct Connection(pg::Connection);

impl Connection {
    pub(super) fn open(url: &str) -> Result<Self, SqlError> {
        pg::Connection::open(url).map(Self).map_err(read_error)
    }

    /// On Spin 4.0.0 to at least 4.0.2 a query that returns no row never answers (spinframework/spin
    /// issues 3671 and 3673), so one row always comes: a `hit` that is NULL says that there was none.
    pub(super) fn query(&self, text: &str, parameters: &[Parameter]) -> Result<Vec<Row>, SqlError> {
        let wrapped = format!(
            "WITH q AS ({text}) SELECT q.* FROM (SELECT 1) s \
             LEFT JOIN (SELECT true AS hit, q.* FROM q) q ON true"
        );
        let answer = self
            .0
            .query(&wrapped, &to_postgres(parameters))
            .map_err(read_error)?;
        let columns: Rc<[String]> = answer
            .columns
            .into_iter()
            .skip(1)
            .map(|column| column.name)
            .collect();
        answer
            .rows
            .into_iter()
            .filter(|row| !matches!(row.first(), Some(DbValue::DbNull) | None))
            .map(|row| {
                let values = row.into_iter().skip(1).map(to_value).collect::<Option<_>>();
                Ok(Row {
                    columns: columns.clone(),
                    values: values.ok_or(SqlError::Failed)?,
                })
            })
            .collect()
    }

    pub(super) fn execute(&self, text: &str, parameters: &[Parameter]) -> Result<(), SqlError> {
        self.0
            .execute(text, &to_postgres(parameters))
            .map(drop)
            .map_err(read_error)
    }
}

fn read_error(error: PgError) -> SqlError {
    match error {
        PgError::QueryFailed(text) => from_postgres(&text),
        PgError::ConnectionFailed(_) => SqlError::Unavailable,
        PgError::BadParameter(_) | PgError::ValueConversionFailed(_) | PgError::Other(_) => {
            SqlError::Failed
        }
    }
}

fn to_postgres(parameters: &[Parameter]) -> Vec<ParameterValue> {
    parameters
        .iter()
        .map(|parameter| match parameter {
            Value::Null => ParameterValue::DbNull,
            Value::Integer(integer) => ParameterValue::Int64(*integer),
            Value::Text(text) => ParameterValue::Str(text.clone()),
            Value::Blob(bytes) => ParameterValue::Binary(bytes.clone()),
        })
        .collect()
}

fn to_value(value: DbValue) -> Option<Value> {
    match value {
        DbValue::DbNull => Some(Value::Null),
        DbValue::Int64(integer) => Some(Value::Integer(integer)),
        DbValue::Str(text) => Some(Value::Text(text)),
        DbValue::Binary(bytes) => Some(Value::Blob(bytes)),
        _ => None,
    }
}
