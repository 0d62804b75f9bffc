//! PostgreSQL as components see it on Spin. Needs a server: `TEST_POSTGRES_URL=postgres://…`.

use serde_json::{Value, json};

use crate::host::{Host, manifest};

/// A host whose probe may reach the server, and the server's address as the probe takes it.
fn host() -> Option<(Host, String)> {
    let Ok(address) = std::env::var("TEST_POSTGRES_URL") else {
        eprintln!("skipped: TEST_POSTGRES_URL is not set");
        return None;
    };
    let host = Host::start(&manifest("allowed_outbound_hosts = [\"postgres://*:*\"]"));
    Some((host, format!("address={}", address.replace('&', "%26"))))
}

fn query(host: &Host, address: &str, statement: &str, parameters: Value) -> Value {
    host.sql(
        &format!("postgres?query=1&{address}"),
        statement,
        parameters,
    )
}

fn error(answer: &Value) -> &str {
    answer["error"].as_str().unwrap()
}

#[test]
fn types_come_back_as_spin_maps_them() {
    let Some((host, address)) = host() else {
        return;
    };
    let statement = "SELECT true AS a, 1::int2 AS b, 2::int4 AS c, 3::int8 AS d, 1.5::float4 AS e, 2.5::float8 AS f,
        'x'::text AS g, 'y'::varchar AS h, '\\x01ff'::bytea AS i, NULL::int8 AS j, now() AS k, NULL::numeric AS l";
    let answer = query(&host, &address, statement, json!([]));
    let expected = [
        "DbValue::Boolean(true)",
        "DbValue::Int16(1)",
        "DbValue::Int32(2)",
        "DbValue::Int64(3)",
        "DbValue::Floating32(1.5)",
        "DbValue::Floating64(2.5)",
        "DbValue::Str(\"x\")",
        "DbValue::Str(\"y\")",
        "DbValue::Binary([1, 255])",
        "DbValue::DbNull",
        "DbValue::Unsupported",
        "DbValue::DbNull",
    ];
    assert_eq!(answer["ok"]["rows"], json!([expected]), "{answer}");
    assert_eq!(
        answer["ok"]["columns"][3],
        json!(["d", "DbDataType::Int64"])
    );
    assert_eq!(
        answer["ok"]["columns"][10],
        json!(["k", "DbDataType::Other"])
    );
}

#[test]
fn parameters_have_one_type_each() {
    let Some((host, address)) = host() else {
        return;
    };
    let statement = "SELECT $1::bigint, $2::text, $3::bytea, $4::bigint, $5::float8, $6::bool";
    let answer = query(
        &host,
        &address,
        statement,
        json!([7, "三", [1, 2], null, 0.5, true]),
    );
    let expected = [
        "DbValue::Int64(7)",
        "DbValue::Str(\"三\")",
        "DbValue::Binary([1, 2])",
        "DbValue::DbNull",
        "DbValue::Floating64(0.5)",
        "DbValue::Boolean(true)",
    ];
    assert_eq!(answer["ok"]["rows"], json!([expected]), "{answer}");
    let wrong = query(&host, &address, "SELECT $1::int4", json!([7]));
    assert!(error(&wrong).contains("Error::QueryFailed"), "{wrong}");
    let unsigned = query(&host, &address, "SELECT $1::bigint", json!([{}]));
    let text = "ValueConversionFailed(\"Postgres does not support unsigned integers\")";
    assert!(error(&unsigned).contains(text), "{unsigned}");
}

#[test]
fn a_failed_statement_names_its_constraint() {
    let Some((host, address)) = host() else {
        return;
    };
    let engine = format!("postgres?{address}");
    let table = format!("host_test_{}", std::process::id());
    let create =
        format!("CREATE TABLE {table} (a BIGINT CONSTRAINT {table}_positive CHECK (a > 0))");
    assert_eq!(host.sql(&engine, &create, json!([]))["ok"], 0);
    assert_eq!(
        host.sql(
            &engine,
            &format!("INSERT INTO {table} VALUES ($1)"),
            json!([1])
        )["ok"],
        1
    );
    let failed = host.sql(
        &engine,
        &format!("INSERT INTO {table} VALUES ($1)"),
        json!([-1]),
    );
    host.sql(&engine, &format!("DROP TABLE {table}"), json!([]));
    assert!(
        error(&failed).contains("QueryFailed(\"Error { kind: Db"),
        "{failed}"
    );
    assert!(
        error(&failed).contains(&format!("{table}_positive")),
        "{failed}"
    );
}

#[test]
fn tls_is_refused_by_name() {
    let Some((host, _)) = host() else { return };
    let address = "address=postgres://x@127.0.0.1:1/x?sslmode=require";
    let answer = query(&host, address, "SELECT 1", json!([]));
    assert!(error(&answer).contains("sslmode=require"), "{answer}");
}
