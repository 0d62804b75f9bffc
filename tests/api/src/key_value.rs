//! The key-value store, read from the file in which the host keeps it.

use std::path::Path;

use rusqlite::OpenFlags;

/// Every key of every store with its value; none before the store is first used.
pub fn entries(state: &Path) -> Vec<(String, Vec<u8>)> {
    let file = state.join("sqlite_key_value.db");
    let Ok(connection) =
        rusqlite::Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
    else {
        return Vec::new();
    };
    let read = || -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
        let mut prepared =
            connection.prepare("SELECT key, value FROM spin_key_value ORDER BY key")?;
        let rows = prepared.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    read().expect("the host's key-value file has the table spin_key_value")
}

/// Overwrites a key that is there, behind the application's back.
pub fn overwrite(state: &Path, key: &str, value: &[u8]) {
    let file = state.join("sqlite_key_value.db");
    let write = || -> rusqlite::Result<usize> {
        let connection = rusqlite::Connection::open(file)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.execute(
            "UPDATE spin_key_value SET value = ?2 WHERE key = ?1",
            rusqlite::params![key, value],
        )
    };
    assert_eq!(write().expect("the host's file"), 1, "{key}");
}
