//! SQLite as components see it on Spin.

use serde_json::json;

use crate::host::{Host, manifest};

fn host() -> Host {
    Host::start(&manifest("sqlite_databases = [\"default\"]"))
}

fn error(host: &Host, statement: &str) -> String {
    host.sql("sqlite", statement, json!([]))["error"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn values_of_all_types_come_back() {
    let answer = host().sql(
        "sqlite",
        "SELECT $1 AS a, $2 AS b, $3, $4, x'01ff' AS e",
        json!([1, 1.5, "三", null]),
    );
    assert_eq!(
        answer["ok"]["rows"],
        json!([[1, 1.5, "三", null, { "blob": [1, 255] }]])
    );
    assert_eq!(answer["ok"]["columns"], json!(["a", "b", "$3", "$4", "e"]));
}

#[test]
fn what_is_written_is_there_for_the_next_request() {
    let host = host();
    host.sql(
        "sqlite",
        "CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT",
        json!([]),
    );
    let written = host.sql("sqlite", "INSERT INTO t VALUES (1) RETURNING a", json!([]));
    assert_eq!(written["ok"]["rows"], json!([[1]]));
    assert_eq!(
        host.sql("sqlite", "SELECT a FROM t", json!([]))["ok"]["rows"],
        json!([[1]])
    );
}

#[test]
fn errors_are_sqlites_texts() {
    let host = host();
    host.sql(
        "sqlite",
        "CREATE TABLE p (a INTEGER PRIMARY KEY, CONSTRAINT positive CHECK (a > 0))",
        json!([]),
    );
    host.sql(
        "sqlite",
        "CREATE TABLE c (a INTEGER REFERENCES p)",
        json!([]),
    );
    host.sql("sqlite", "INSERT INTO p VALUES (1)", json!([]));
    for (statement, text) in [
        (
            "INSERT INTO p VALUES (1)",
            "Error::Io(\"UNIQUE constraint failed: p.a\")",
        ),
        (
            "INSERT INTO p VALUES (-1)",
            "Error::Io(\"CHECK constraint failed: positive\")",
        ),
        (
            "INSERT INTO c VALUES (9)",
            "Error::Io(\"FOREIGN KEY constraint failed\")",
        ),
    ] {
        assert_eq!(error(&host, statement), text);
    }
    assert!(error(&host, "SELECT a FROM nowhere").contains("no such table: nowhere"));
}

#[test]
fn of_several_statements_the_first_is_run() {
    let host = host();
    let answer = host.sql(
        "sqlite",
        "CREATE TABLE one (a); CREATE TABLE two (a)",
        json!([]),
    );
    assert!(answer["ok"].is_object(), "{answer}");
    let names = host.sql("sqlite", "SELECT name FROM sqlite_schema", json!([]));
    assert_eq!(names["ok"]["rows"], json!([["one"]]));
}

#[test]
fn other_files_cannot_be_attached() {
    assert!(error(&host(), "ATTACH '/tmp/other.db' AS other").contains("not authorized"));
}
