//! What tests can steer: the clock, and faults at host calls.

use serde_json::{Value, json};

use crate::host::{Host, manifest};

fn host() -> Host {
    Host::start(&manifest(
        "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n\
         allowed_outbound_hosts = [\"http://constant.spin.internal\"]",
    ))
}

fn plan(host: &Host, fault: Value) {
    let answer = host.control("PUT", "/faults", json!({ "faults": [fault] }));
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn set(host: &Host, value: &str) -> crate::host::Answer {
    host.get(&format!(
        "/probe/key-value?operation=set&key=a&value={value}"
    ))
}

fn calls(host: &Host) -> Vec<Value> {
    let state = host.control("GET", "/calls", json!({})).json();
    state["calls"].as_array().unwrap().clone()
}

fn value(host: &Host) -> Value {
    host.get("/probe/key-value?key=a").json()["ok"].clone()
}

#[test]
fn the_clock_stands_moves_and_runs_again() {
    let host = host();
    let now = || host.get("/probe/clock").json()["ok"].as_u64().unwrap();
    let real = now();
    host.control("PUT", "/clock", json!({ "set_ms": 1_700_000_000_000_u64 }));
    assert_eq!(now(), 1_700_000_000_000);
    let state = host
        .control("PUT", "/clock", json!({ "advance_ms": 61_000 }))
        .json();
    assert_eq!(
        state,
        json!({ "now_ms": 1_700_000_061_000_u64, "frozen": true })
    );
    assert_eq!(now(), 1_700_000_061_000);
    host.control("DELETE", "/clock", json!({}));
    assert!(now() >= real);
    host.control("PUT", "/clock", json!({ "advance_ms": 86_400_000 }));
    assert!(now() >= real + 86_400_000);
    assert_eq!(
        host.control("GET", "/clock", json!({})).json()["frozen"],
        false
    );
}

#[test]
fn a_trap_before_the_call_leaves_no_effect() {
    let host = host();
    plan(
        &host,
        json!({ "capability": "key-value", "nth": 2, "when": "before", "kind": "trap" }),
    );
    assert_eq!(set(&host, "1").status, 500);
    assert_eq!(value(&host), Value::Null);
    assert_eq!(set(&host, "2").status, 200);
    assert_eq!(value(&host), "2");
}

#[test]
fn a_trap_after_the_call_leaves_its_effect() {
    let host = host();
    plan(
        &host,
        json!({ "capability": "key-value", "nth": 2, "when": "after", "kind": "trap" }),
    );
    assert_eq!(set(&host, "1").status, 500);
    assert_eq!(value(&host), "1");
}

#[test]
fn an_error_is_the_interfaces_own() {
    let host = host();
    for (capability, path, error) in [
        (
            "key-value",
            "/probe/key-value?key=a",
            "Error::Other(\"injected fault\")",
        ),
        (
            "variables",
            "/probe/variables?name=a",
            "Error::Other(\"injected fault\")",
        ),
        (
            "http",
            "/probe/outbound?url=http://constant.spin.internal/",
            "ErrorCode::InternalError(Some(\"injected fault\"))",
        ),
    ] {
        plan(
            &host,
            json!({ "capability": capability, "nth": 1, "when": "before", "kind": "error" }),
        );
        assert_eq!(host.get(path).json()["error"], error);
    }
    plan(
        &host,
        json!({ "capability": "sqlite", "nth": 2, "when": "after", "kind": "error" }),
    );
    let created = host.sql("sqlite", "CREATE TABLE t (a)", json!([]));
    assert_eq!(created["error"], "Error::Io(\"injected fault\")");
    assert_eq!(
        host.sql("sqlite", "SELECT a FROM t", json!([]))["ok"]["rows"],
        json!([])
    );
}

#[test]
fn a_trap_ends_an_outgoing_request_too() {
    let host = host();
    for when in ["before", "after"] {
        plan(
            &host,
            json!({ "capability": "http", "nth": 1, "when": when, "kind": "trap" }),
        );
        assert_eq!(
            host.get("/probe/outbound?url=http://constant.spin.internal/")
                .status,
            500
        );
    }
}

#[test]
fn a_held_call_goes_on_at_the_next_plan() {
    let host = host();
    assert_eq!(set(&host, "1").status, 200);
    plan(
        &host,
        json!({ "capability": "key-value", "nth": 2, "when": "before", "kind": "hold" }),
    );
    std::thread::scope(|scope| {
        let held = scope.spawn(|| set(&host, "2"));
        while calls(&host).len() < 2 {
            std::thread::yield_now();
        }
        assert!(!held.is_finished());
        assert_eq!(value(&host), "1");
        host.control("DELETE", "/faults", json!({}));
        assert_eq!(held.join().unwrap().status, 200);
    });
    assert_eq!(value(&host), "2");
}

#[test]
fn a_fault_can_be_meant_for_one_component() {
    let host = host();
    plan(
        &host,
        json!({ "capability": "any", "nth": 1, "when": "before", "kind": "trap", "component": "constant" }),
    );
    assert_eq!(set(&host, "1").status, 200);
}

#[test]
fn calls_are_listed_in_order() {
    let host = host();
    host.control("DELETE", "/faults", json!({}));
    set(&host, "1");
    host.sql("sqlite", "SELECT 1", json!([]));
    let calls: Vec<_> = calls(&host)
        .iter()
        .map(|call| {
            format!(
                "{} {} {}",
                call["component"], call["capability"], call["operation"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        calls,
        [
            "probe key-value open",
            "probe key-value set",
            "probe sqlite open",
            "probe sqlite execute"
        ]
    );
}

#[test]
fn a_plan_that_cannot_be_read_is_refused() {
    let host = host();
    let wrong =
        json!({ "faults": [{ "capability": "disk", "nth": 1, "when": "before", "kind": "trap" }] });
    assert_eq!(host.control("PUT", "/faults", wrong).status, 400);
    assert_eq!(
        host.control("PUT", "/clock", json!({ "now": 1 })).status,
        400
    );
    assert_eq!(host.control("GET", "/nothing", json!({})).status, 404);
}
