//! The databases behind the tests: each application has one of its own, migrated, and gone afterwards.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{env, fs};

use postgres::types::Type;
use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};
use shared::crypto::hex;
use tempfile::TempDir;

use crate::host::workspace;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engine {
    /// SQLite, in the host's state directory.
    Sqlite,
    /// PostgreSQL, on the server of `TEST_POSTGRES_URL`.
    Postgres,
}

/// A copy of a database, gone when this is dropped.
pub enum Backup {
    /// A file.
    Sqlite {
        /// What the file lies in.
        _folder: TempDir,
        /// The file.
        copy: PathBuf,
    },
    /// Another database of the server.
    Postgres(String),
}

impl Drop for Backup {
    fn drop(&mut self) {
        if let Self::Postgres(name) = self {
            // As with the database itself.
            let _ = administrator().batch_execute(&format!("DROP DATABASE IF EXISTS {name}"));
        }
    }
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// An application's database, for what a test must look at behind the application's back.
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A database of a server, dropped with this.
    Postgres {
        /// Its address for the application's role, which does not own the tables.
        url: String,
        /// Its name.
        name: String,
        /// The connection that the tests look through.
        client: Box<Mutex<postgres::Client>>,
    },
}

impl Database {
    /// Makes and migrates a database for the application whose state directory is `state`.
    pub(crate) fn create(engine: Engine, state: &Path) -> Self {
        match engine {
            Engine::Sqlite => {
                let file = state.join("sqlite_db.db");
                fs::write(&file, migrated_file()).expect("the state directory is writable");
                Self::Sqlite(file)
            }
            Engine::Postgres => create_postgres(),
        }
    }

    /// The variables that lead the application here.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let Self::Postgres { url, .. } = self else {
            return Vec::new();
        };
        let (host, _) = url.rsplit_once('/').expect("made with a name");
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = host.trim_start_matches("postgres://");
        vec![
            ("database_url".into(), format!("{url}?connect_timeout=10")),
            ("database_host".into(), format!("postgres://{host}")),
        ]
    }

    /// The engine and the database as the scripts name them, seen as the application sees it.
    pub(crate) fn address(&self) -> (&'static str, String) {
        match self {
            Self::Sqlite(file) => ("sqlite", file.to_string_lossy().into_owned()),
            Self::Postgres { url, .. } => ("postgres", url.clone()),
        }
    }

    /// The address of a PostgreSQL database for its tables' owner.
    pub fn owner_url(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres { name, .. } => Some(url_of(name)),
        }
    }

    /// A copy of everything, as a backup has it. Nobody may use the database meanwhile.
    ///
    /// # Panics
    /// If the database refuses.
    pub fn back_up(&self) -> Backup {
        match self {
            Self::Sqlite(file) => {
                let folder = TempDir::new().expect("a temporary directory");
                let copy = folder.path().join("backup.db");
                let copied = sqlite_rows(file, &format!("VACUUM INTO '{}'", copy.display()));
                copied.expect("a new file can be written");
                Backup::Sqlite {
                    _folder: folder,
                    copy,
                }
            }
            Self::Postgres { name, client, .. } => {
                let copy = format!("{name}_backup");
                replace_postgres(&copy, name, client, name);
                Backup::Postgres(copy)
            }
        }
    }

    /// The state of the backup again. Nobody may use the database meanwhile.
    ///
    /// # Panics
    /// If the database refuses.
    pub fn restore(&self, backup: &Backup) {
        match (self, backup) {
            (Self::Sqlite(file), Backup::Sqlite { copy, .. }) => {
                for suffix in ["-wal", "-shm"] {
                    // There is none if the last connection was closed well.
                    let _ = fs::remove_file(format!("{}{suffix}", file.display()));
                }
                fs::copy(copy, file).expect("the state directory is writable");
            }
            (Self::Postgres { name, client, .. }, Backup::Postgres(copy)) => {
                replace_postgres(name, copy, client, name);
            }
            _ => panic!("a backup of the other engine"),
        }
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }

    /// Runs a statement without parameters, in words that both engines know, and answers its rows.
    ///
    /// # Panics
    /// If the database refuses it.
    pub fn rows(&self, statement: &str) -> Vec<Vec<Cell>> {
        let rows = self.try_rows(statement);
        rows.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// As [`Database::rows`], as the tables' owner.
    ///
    /// # Errors
    /// The database refuses it, in these words.
    pub fn try_rows(&self, statement: &str) -> Result<Vec<Vec<Cell>>, String> {
        match self {
            Self::Sqlite(file) => sqlite_rows(file, statement),
            Self::Postgres { client, .. } => {
                let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
                postgres_rows(&mut client, statement)
            }
        }
    }

    /// As [`Database::try_rows`], with no more rights than the application has. On SQLite it has them all.
    ///
    /// # Errors
    /// The database refuses it, in these words.
    pub fn try_rows_as_application(&self, statement: &str) -> Result<Vec<Vec<Cell>>, String> {
        match self {
            Self::Sqlite(file) => sqlite_rows(file, statement),
            Self::Postgres { url, .. } => {
                let client = postgres::Client::connect(url, postgres::NoTls);
                postgres_rows(&mut client.expect("the application may connect"), statement)
            }
        }
    }

    /// The one integer that a statement answers.
    ///
    /// # Panics
    /// If it answers anything else.
    pub fn count(&self, statement: &str) -> i64 {
        match self.rows(statement).as_slice() {
            [row] if matches!(row[..], [Cell::Integer(_)]) => match row[0] {
                Cell::Integer(count) => count,
                _ => unreachable!("just matched"),
            },
            other => panic!("{statement}: {other:?}"),
        }
    }

    /// Every table with its columns, as the database itself knows them; sorted.
    pub fn schema(&self) -> Vec<(String, Vec<String>)> {
        let columns = match self {
            Self::Sqlite(_) => {
                "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' ORDER BY m.name, c.name"
            }
            Self::Postgres { .. } => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = 'public' ORDER BY 1, 2"
            }
        };
        let mut tables: Vec<(String, Vec<String>)> = Vec::new();
        for row in self.rows(columns) {
            let [Cell::Text(table), Cell::Text(column)] = &row[..] else {
                panic!("not two names: {row:?}");
            };
            match tables.last_mut() {
                Some((name, columns)) if name == table => columns.push(column.clone()),
                _ => tables.push((table.clone(), vec![column.clone()])),
            }
        }
        tables
    }
}

impl Cell {
    /// The value's bytes as they lie in a dump.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Null => Vec::new(),
            Self::Integer(integer) => integer.to_string().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Blob(bytes) => bytes.clone(),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes()))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name, .. } = self {
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            // What cannot be dropped while a test unwinds goes with the server.
            let _ = administrator().batch_execute(&drop);
        }
    }
}

/// The text of all migrations in their order, each with its part for this engine and followed by its row.
fn migrations(engine: Engine) -> String {
    let folder = workspace().join("shared/migrations");
    let entries = fs::read_dir(&folder).expect("the migrations are there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    let mut text = "CREATE TABLE schema_migrations (version BIGINT NOT NULL, \
                    CONSTRAINT schema_migrations_version_unique PRIMARY KEY (version));\n"
        .to_owned();
    let part = match engine {
        Engine::Sqlite => "sqlite.sql",
        Engine::Postgres => "postgres.sql",
    };
    for file in files {
        let name = file.file_stem().expect("a file").to_string_lossy();
        if name.contains('.') {
            continue;
        }
        let (version, _) = name.split_once('_').expect("named NNNN_what.sql");
        text += &fs::read_to_string(&file).expect("readable");
        text += &fs::read_to_string(file.with_extension(part)).unwrap_or_default();
        text += &format!("\nINSERT INTO schema_migrations (version) VALUES ({version});\n");
    }
    text
}

/// A migrated SQLite file's bytes, made once.
fn migrated_file() -> &'static [u8] {
    static MIGRATED: OnceLock<Vec<u8>> = OnceLock::new();
    MIGRATED.get_or_init(|| {
        let folder = TempDir::new().expect("a temporary directory");
        let file = folder.path().join("migrated.db");
        let connection = rusqlite::Connection::open(&file).expect("a new file opens");
        let wal = "PRAGMA journal_mode = WAL;";
        let done = connection.execute_batch(&format!("{wal}{}", migrations(Engine::Sqlite)));
        done.expect("the migrations run");
        // Closing brings all of it into the one file.
        drop(connection);
        fs::read(file).expect("it was just written")
    })
}

fn sqlite_rows(file: &Path, statement: &str) -> Result<Vec<Vec<Cell>>, String> {
    let run = || -> rusqlite::Result<Vec<Vec<Cell>>> {
        let connection = rusqlite::Connection::open(file)?;
        let mut prepared = connection.prepare(statement)?;
        let columns = prepared.column_count();
        let rows = prepared.query_map([], |row| {
            (0..columns)
                .map(|column| row.get_ref(column).map(sqlite_cell))
                .collect()
        })?;
        rows.collect()
    };
    run().map_err(|error| error.to_string())
}

fn postgres_rows(client: &mut postgres::Client, statement: &str) -> Result<Vec<Vec<Cell>>, String> {
    let rows = client.query(statement, &[]).map_err(|error| {
        let said = error.as_db_error().map(|error| error.message().to_owned());
        said.unwrap_or_else(|| error.to_string())
    })?;
    Ok(rows.iter().map(postgres_row).collect())
}

fn sqlite_cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(integer) => Cell::Integer(integer),
        ValueRef::Real(real) => Cell::Text(real.to_string()),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
    }
}

fn administrator_url() -> String {
    env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("TEST_POSTGRES_URL is not set: scripts/test starts a server and sets it")
    })
}

fn administrator() -> postgres::Client {
    let url = administrator_url();
    postgres::Client::connect(&url, postgres::NoTls)
        .unwrap_or_else(|error| panic!("TEST_POSTGRES_URL: {error}"))
}

/// Makes the database `new` of `template`; `client` is connected to `name` before and afterwards.
fn replace_postgres(new: &str, template: &str, client: &Mutex<postgres::Client>, name: &str) {
    let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
    // A template may have no other connections.
    *client = administrator();
    for statement in [
        format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('{new}', '{template}')"
        ),
        format!("DROP DATABASE IF EXISTS {new} WITH (FORCE)"),
        format!("CREATE DATABASE {new} TEMPLATE {template}"),
    ] {
        let done = client.batch_execute(&statement);
        done.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
    *client = postgres::Client::connect(&url_of(name), postgres::NoTls).expect("it is there");
}

/// The superuser's address of a database on the tests' server.
fn url_of(name: &str) -> String {
    let url = administrator_url();
    let (server, _) = url
        .rsplit_once('/')
        .expect("TEST_POSTGRES_URL names a database");
    format!("{server}/{name}")
}

/// The role that the migrations make for the application.
const APPLICATION_ROLE: &str = "chuangrenmai_application";

fn create_postgres() -> Database {
    let random: [u8; 8] = shared::random::bytes(&mut shared::random::host());
    let name = format!("chuangrenmai_test_{:016x}", u64::from_be_bytes(random));
    let copy = format!("CREATE DATABASE {name} TEMPLATE {}", template());
    administrator()
        .batch_execute(&copy)
        .expect("a superuser may copy databases");
    let url = url_of(&name);
    let client = postgres::Client::connect(&url, postgres::NoTls).expect("it was just created");
    let (server, _) = url.rsplit_once('/').expect("made with a name");
    let (_, host) = server
        .rsplit_once('@')
        .unwrap_or(("", server.trim_start_matches("postgres://")));
    let url = format!("postgres://{APPLICATION_ROLE}:{APPLICATION_ROLE}@{host}/{name}");
    Database::Postgres {
        url,
        name,
        client: Box::new(Mutex::new(client)),
    }
}

/// The migrated database of which each test's is a copy. On each server it is made once.
fn template() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let migrations = migrations(Engine::Postgres);
        let hash = hex(&Sha256::digest(&migrations));
        let name = format!("chuangrenmai_template_{}", &hash[..16]);
        let mut administrator = administrator();
        // Of programs that start at once, one makes it. The lock goes with the connection.
        let found = administrator
            .batch_execute("SELECT pg_advisory_lock(1)")
            .and_then(|()| {
                administrator.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
            });
        if found.expect("a superuser may look").is_empty() {
            make_template(&mut administrator, &name, &migrations);
        }
        name
    })
}

/// It gets its name when it is whole: a test run can be stopped in between.
fn make_template(administrator: &mut postgres::Client, name: &str, migrations: &str) {
    let unfinished = format!("{name}_new");
    for statement in [
        format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
        format!("CREATE DATABASE {unfinished}"),
    ] {
        let done = administrator.batch_execute(&statement);
        done.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
    let mut client = postgres::Client::connect(&url_of(&unfinished), postgres::NoTls)
        .expect("it was just created");
    client
        .batch_execute(migrations)
        .expect("the migrations run");
    client
        .batch_execute(&format!(
            "ALTER ROLE {APPLICATION_ROLE} LOGIN PASSWORD '{APPLICATION_ROLE}'"
        ))
        .expect("a superuser may change roles");
    drop(client);
    administrator
        .batch_execute(&format!("ALTER DATABASE {unfinished} RENAME TO {name}"))
        .expect("a superuser may rename databases");
}

fn postgres_row(row: &postgres::Row) -> Vec<Cell> {
    let columns = row.columns().iter().enumerate();
    columns
        .map(|(at, column)| postgres_cell(row, at, column.type_()))
        .collect()
}

fn postgres_cell(row: &postgres::Row, at: usize, kind: &Type) -> Cell {
    let cell = match *kind {
        Type::INT8 => row.get::<_, Option<i64>>(at).map(Cell::Integer),
        Type::TEXT => row.get::<_, Option<String>>(at).map(Cell::Text),
        Type::BYTEA => row.get::<_, Option<Vec<u8>>>(at).map(Cell::Blob),
        ref other => panic!("no column of ours is of type {other}"),
    };
    cell.unwrap_or(Cell::Null)
}
