//! What goes into a statement and what comes out.

use uuid::Uuid;

use super::SqlError;
use crate::time::Timestamp;

/// A value in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// BIGINT.
    Integer(i64),
    /// TEXT.
    Text(String),
    /// BYTEA.
    Blob(Vec<u8>),
}

/// A statement's parameter.
pub type Parameter = Value;

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Bytes.
    pub fn blob(bytes: impl AsRef<[u8]>) -> Self {
        Self::Blob(bytes.as_ref().to_vec())
    }

    /// An identifier, stored as its text.
    pub fn id(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }

    /// A moment, stored as milliseconds.
    pub fn time(time: Timestamp) -> Self {
        Self::Integer(time.as_millis())
    }

    /// Yes or no, stored as 1 or 0: PostgreSQL's BOOLEAN has no twin in SQLite.
    pub fn flag(flag: bool) -> Self {
        Self::Integer(i64::from(flag))
    }

    /// The value, or [`Value::Null`].
    pub fn optional(value: Option<Self>) -> Self {
        value.unwrap_or(Self::Null)
    }
}

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) columns: std::rc::Rc<[String]>,
    pub(super) values: Vec<Value>,
}

impl Row {
    /// The value in the column `name`.
    ///
    /// # Errors
    /// The answer has no such column, or its value is of another type: the statement and the code that
    /// reads it disagree.
    pub fn get<T: FromValue>(&self, name: &'static str) -> Result<T, SqlError> {
        self.columns
            .iter()
            .position(|column| column == name)
            .and_then(|at| T::from_value(&self.values[at]))
            .ok_or(SqlError::Mismatch { column: name })
    }
}

/// A type that a column's value can be read as.
pub trait FromValue: Sized {
    /// The value, if it is of this type.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(*integer),
            _ => None,
        }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|integer| integer != 0)
    }
}

impl FromValue for Timestamp {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Timestamp)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromValue for Uuid {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}
