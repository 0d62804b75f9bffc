//! The SQL door: one small API before SQLite (`fermyon:spin/sqlite@2.0.0`) and PostgreSQL
//! (`fermyon:spin/postgres@2.0.0`). The variable `database_url` chooses; empty means SQLite.
//!
//! - A write is one [`Statement`]: a guest can be stopped between any two calls, and a transaction left
//!   open in a pooled PostgreSQL connection would swallow the next request's write.
//! - A request opens one connection, when it first needs it ([`crate::http::Context::sql`]).
//! - Column types are BIGINT, TEXT and BYTEA, which travel alike through both engines.

mod error;
mod postgres;
mod sqlite;
mod statement;
mod value;

pub use error::{Constraint, SqlError};
pub use statement::{Statement, statements};
pub use value::{FromValue, Parameter, Row, Value};

use crate::variables::{self, Misconfigured};

/// The newest migration in `migrations/`: what the statements are written for.
pub const SCHEMA_VERSION: i64 = 5;

/// One open connection to the database.
pub struct Sql(Engine);

enum Engine {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
}

/// Why the database could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// `database_url` is not declared.
    Misconfigured(Misconfigured),
    /// The database did not open.
    Sql(SqlError),
}

impl Sql {
    /// Opens the database that `database_url` names.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open() -> Result<Self, OpenError> {
        let url = variables::text("database_url").map_err(OpenError::Misconfigured)?;
        let engine = if url.is_empty() {
            sqlite::Connection::open().map(Engine::Sqlite)
        } else {
            postgres::Connection::open(&url).map(Engine::Postgres)
        };
        engine.map(Self).map_err(OpenError::Sql)
    }

    /// Runs a statement that answers rows: a `SELECT`, or a write with `RETURNING`.
    ///
    /// # Errors
    /// See [`SqlError`].
    pub fn query(
        &self,
        statement: &Statement,
        parameters: &[Parameter],
    ) -> Result<Vec<Row>, SqlError> {
        match &self.0 {
            Engine::Sqlite(connection) => connection.query(statement.sqlite(), parameters),
            Engine::Postgres(connection) => connection.query(statement.postgres(), parameters),
        }
    }

    /// As [`Sql::query`], for at most one row: the first, if there is one.
    ///
    /// # Errors
    /// See [`SqlError`].
    pub fn first(
        &self,
        statement: &Statement,
        parameters: &[Parameter],
    ) -> Result<Option<Row>, SqlError> {
        Ok(self.query(statement, parameters)?.into_iter().next())
    }

    /// Runs a write that answers no rows.
    ///
    /// # Errors
    /// See [`SqlError`].
    pub fn execute(&self, statement: &Statement, parameters: &[Parameter]) -> Result<(), SqlError> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                connection.query(statement.sqlite(), parameters).map(drop)
            }
            Engine::Postgres(connection) => connection.execute(statement.postgres(), parameters),
        }
    }
}
