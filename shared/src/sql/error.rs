//! What can go wrong in either engine, as one enum. The engines' own texts hold values, so they are read
//! here and go no further.

/// Why a statement failed. Nothing of it was written, but for [`SqlError::Unavailable`], after which the
/// write may stand: the connection can break between the commit and its answer.
#[derive(Debug, PartialEq)]
pub enum SqlError {
    /// The schema refused the row.
    Constraint(Constraint),
    /// The database is away, full, locked or too slow; later the same may succeed.
    Unavailable,
    /// The statement itself is wrong, or the schema is not the one it was written for.
    Failed,
    /// A column is not what the code takes it for.
    Mismatch {
        /// The column.
        column: &'static str,
    },
}

/// The constraint that refused a row. Unique constraints are named `<table>_<column>…_unique` in the
/// migrations, which is how SQLite's answer, that has no names for them, is told apart too.
#[derive(Debug, PartialEq)]
pub enum Constraint {
    /// A second row with the same key.
    Unique(String),
    /// A `CHECK`, by its name.
    Check(String),
    /// A reference to a row that is not there (or still refers to this one).
    ForeignKey,
    /// A value that must be there.
    NotNull,
}

/// Reads the text of SQLite's error.
pub(super) fn from_sqlite(text: &str) -> SqlError {
    let after = |prefix: &str| text.split_once(prefix).map(|(_, rest)| rest.trim());
    if let Some(columns) = after("UNIQUE constraint failed:") {
        return SqlError::Constraint(Constraint::Unique(unique_name(columns)));
    }
    if let Some(name) = after("CHECK constraint failed:") {
        return SqlError::Constraint(Constraint::Check(name.to_owned()));
    }
    if text.contains("FOREIGN KEY constraint failed") {
        return SqlError::Constraint(Constraint::ForeignKey);
    }
    if text.contains("NOT NULL constraint failed") {
        return SqlError::Constraint(Constraint::NotNull);
    }
    const PASSING: [&str; 5] = [
        "database is locked",
        "database table is locked",
        "disk I/O error",
        "database or disk is full",
        "unable to open database file",
    ];
    if PASSING.iter().any(|passing| text.contains(passing)) {
        return SqlError::Unavailable;
    }
    SqlError::Failed
}

/// `accounts.phone_hash` → `accounts_phone_hash_unique`; of several columns, the table's name once.
fn unique_name(columns: &str) -> String {
    let mut name = String::new();
    for (at, column) in columns.split(", ").enumerate() {
        let (table, column) = column.split_once('.').unwrap_or(("", column));
        if at == 0 {
            name.push_str(table);
        }
        name.push('_');
        name.push_str(column);
    }
    name + "_unique"
}

/// Reads the text of PostgreSQL's error: the debug form of the driver's error, in which quotes inside
/// values are escaped, so that no value can pass for a field.
pub(super) fn from_postgres(text: &str) -> SqlError {
    let field = |start: &str, end: &str| {
        let (_, rest) = text.split_once(start)?;
        rest.split_once(end).map(|(value, _)| value)
    };
    let Some(code) = field("code: SqlState(E", ")") else {
        // No answer of the server's: the connection or the pool failed.
        return SqlError::Unavailable;
    };
    let name = || {
        field("constraint: Some(\"", "\")")
            .unwrap_or_default()
            .to_owned()
    };
    match code {
        "23505" => SqlError::Constraint(Constraint::Unique(name())),
        "23514" => SqlError::Constraint(Constraint::Check(name())),
        "23503" => SqlError::Constraint(Constraint::ForeignKey),
        "23502" => SqlError::Constraint(Constraint::NotNull),
        // Connection trouble, resources, operator intervention (with statement_timeout), locks,
        // serialization: PostgreSQL's appendix A, classes 08, 53, 57, 55 and 40.
        code if ["08", "53", "57", "55", "40"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            SqlError::Unavailable
        }
        _ => SqlError::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unique(name: &str) -> SqlError {
        SqlError::Constraint(Constraint::Unique(name.to_owned()))
    }

    #[test]
    fn sqlite_names_columns_and_we_name_the_constraint() {
        assert_eq!(
            from_sqlite("UNIQUE constraint failed: accounts.phone_hash"),
            unique("accounts_phone_hash_unique")
        );
        assert_eq!(
            from_sqlite("UNIQUE constraint failed: devices.account_id, devices.device_hash"),
            unique("devices_account_id_device_hash_unique")
        );
        assert_eq!(
            from_sqlite("CHECK constraint failed: rate_limits_within"),
            SqlError::Constraint(Constraint::Check("rate_limits_within".into()))
        );
        assert_eq!(
            from_sqlite("FOREIGN KEY constraint failed"),
            SqlError::Constraint(Constraint::ForeignKey)
        );
        assert_eq!(from_sqlite("database is locked"), SqlError::Unavailable);
        assert_eq!(from_sqlite("no such table: x"), SqlError::Failed);
    }

    #[test]
    fn postgres_names_the_constraint_and_values_cannot_forge_it() {
        let text = r#"Error { kind: Db, cause: Some(DbError { severity: "ERROR", code: SqlState(E23505), detail: Some("Key (a)=(constraint: Some(\"forged\")) already exists."), constraint: Some("accounts_phone_hash_unique") }) }"#;
        assert_eq!(from_postgres(text), unique("accounts_phone_hash_unique"));
    }

    #[test]
    fn postgres_without_a_code_or_with_a_timeout_is_unavailable() {
        assert_eq!(from_postgres("connection closed"), SqlError::Unavailable);
        assert_eq!(
            from_postgres("code: SqlState(E57014), message"),
            SqlError::Unavailable
        );
        assert_eq!(from_postgres("code: SqlState(E42601), x"), SqlError::Failed);
    }
}
