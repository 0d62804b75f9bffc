//! Every statement finds its rows through an index.

use api_tests::{App, Cell, Database, Engine, on_both_engines};
use shared::sql::Statement;

/// SQLite parses the whole schema at every request, so its text has a bound: a thousand characters cost each of
/// them about 25 microseconds.
const MAX_SCHEMA_LENGTH: i64 = 18_000;
const MAX_TABLES: usize = 37;

/// Every statement of the application.
pub fn statements() -> impl Iterator<Item = &'static (&'static str, Statement)> {
    [
        shared::STATEMENTS,
        sms_login::STATEMENTS,
        ::profile::STATEMENTS,
        ::consents::STATEMENTS,
        ::nearby::STATEMENTS,
        ::blocks::STATEMENTS,
        id_verification::STATEMENTS,
        ::payment::STATEMENTS,
        ::wallet::STATEMENTS,
        ::uploads::STATEMENTS,
        account_deletion::STATEMENTS,
        ::rights::STATEMENTS,
        ::requests::STATEMENTS,
        ::notices::STATEMENTS,
        ::retention::STATEMENTS,
        shared::data_map::STATEMENTS,
        health::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .flatten()
}

fn tables(database: &Database) -> Vec<String> {
    database
        .schema()
        .into_iter()
        .map(|(table, _)| table)
        .collect()
}

/// The lines of SQLite's plan that read a whole table. Reading along a whole index for an order with a
/// limit is none of them, nor are constants.
fn sqlite_scans(database: &Database, statement: &Statement) -> Vec<String> {
    let mut text = statement.sqlite().to_owned();
    // Parameters need no values for a plan, but the test's door takes none.
    for number in (1..=statement.parameters()).rev() {
        text = text.replace(&format!("${number}"), "NULL");
    }
    let rows = database.rows(&format!("EXPLAIN QUERY PLAN {text}"));
    let details = rows
        .into_iter()
        .filter_map(|row| match row.into_iter().nth(3) {
            Some(Cell::Text(detail)) => Some(detail),
            _ => None,
        });
    let details: Vec<_> = details.collect();
    let is_made = |name: &str| {
        let made = ["CO-ROUTINE", "MATERIALIZE"].map(|how| format!("{how} {name}"));
        details.iter().any(|detail| made.contains(detail))
    };
    let scans = details.iter().filter(|detail| {
        let constants = detail.contains("CONSTANT ROW") || detail.contains("VALUES CLAUSE");
        // What a part of the statement yields has been found through that part's own index.
        let yielded = detail.strip_prefix("SCAN ").is_some_and(is_made);
        detail.starts_with("SCAN") && !constants && !yielded && !detail.contains("USING")
    });
    scans.cloned().collect()
}

/// The lines of PostgreSQL's plan that read a whole table although that was made dear. The plan is the
/// one for any parameters.
fn postgres_scans(database: &Database, name: &str, statement: &Statement) -> Vec<String> {
    let Database::Postgres { client, .. } = database else {
        unreachable!("asked for PostgreSQL")
    };
    let mut client = client.lock().expect("no test has panicked with it");
    let nulls = vec!["NULL"; statement.parameters()].join(", ");
    let arguments = if nulls.is_empty() {
        nulls
    } else {
        format!("({nulls})")
    };
    client
        .batch_execute(&format!(
            "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; \
             PREPARE statement AS {}",
            statement.postgres()
        ))
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let plan = client.query(&format!("EXPLAIN EXECUTE statement{arguments}"), &[]);
    let plan = plan.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    client
        .batch_execute("DEALLOCATE statement")
        .expect("it was prepared");
    plan.iter()
        .map(|row| row.get::<_, String>(0))
        .filter(|line| line.contains("Seq Scan"))
        .collect()
}

on_both_engines! {
    fn no_statement_reads_a_whole_table(app: App) {
        let database = app.database();
        let mut names = 0;
        for (name, statement) in statements() {
            let scans = match database.engine() {
                Engine::Sqlite => sqlite_scans(database, statement),
                Engine::Postgres => postgres_scans(database, name, statement),
            };
            assert!(scans.is_empty(), "{name}: {scans:?}");
            names += 1;
        }
        assert!(names > 20, "{names}");
    }

    fn the_schema_is_short(app: App) {
        assert!(tables(app.database()).len() <= MAX_TABLES);
        if app.database().engine() == Engine::Sqlite {
            let length = app.database().count("SELECT SUM(LENGTH(sql)) FROM sqlite_schema");
            assert!(length <= MAX_SCHEMA_LENGTH, "{length}");
        }
    }
}
