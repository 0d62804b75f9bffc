//! What a component may touch is what its manifest names.

use serde_json::{Value, json};

use crate::host::{Host, component, manifest};

const PRIVATE: &str = "[[trigger.http]]\nroute = { private = true }\ncomponent = \"hidden\"\n";

#[test]
fn stores_and_databases_are_denied_by_default() {
    let host = Host::start(&manifest(""));
    assert_eq!(
        host.get("/probe/key-value?key=a").json()["error"],
        "Error::AccessDenied"
    );
    assert_eq!(
        host.sql("sqlite", "SELECT 1", json!([]))["error"],
        "Error::AccessDenied"
    );
}

#[test]
fn only_granted_labels_open() {
    let host = Host::start(&manifest(
        "key_value_stores = [\"default\"]\nsqlite_databases = [\"default\"]",
    ));
    let other = host.get("/probe/key-value?store=other&key=a").json();
    assert_eq!(other["error"], "Error::AccessDenied");
    let other = host.sql("sqlite?database=other", "SELECT 1", json!([]));
    assert_eq!(other["error"], "Error::AccessDenied");
}

#[test]
fn a_key_value_store_keeps_what_it_is_given() {
    let host = Host::start(&manifest("key_value_stores = [\"default\"]"));
    let ask = |query: &str| host.get(&format!("/probe/key-value?{query}")).json()["ok"].clone();
    assert_eq!(ask("key=a"), Value::Null);
    ask("operation=set&key=a&value=1");
    ask("operation=set&key=a&value=2");
    assert_eq!(ask("key=a"), "2");
    assert_eq!(ask("operation=exists&key=a"), true);
    assert_eq!(ask("operation=keys"), json!(["a"]));
    ask("operation=delete&key=a");
    assert_eq!(ask("operation=exists&key=a"), false);
}

#[test]
fn hosts_are_denied_by_default() {
    let host = Host::start(&manifest(""));
    let url = format!("/probe/outbound?url={}/constant", host.url());
    assert_eq!(
        host.get(&url).json()["error"],
        "ErrorCode::HttpRequestDenied"
    );
    let address = "postgres://nobody@127.0.0.1:1/x";
    let denied = host.sql(
        &format!("postgres?address={address}"),
        "SELECT 1",
        json!([]),
    );
    let error = denied["error"].as_str().unwrap();
    assert!(
        error.contains("address postgres://127.0.0.1:1 is not permitted"),
        "{error}"
    );
}

#[test]
fn an_allowed_host_is_reached() {
    let host = Host::start(&manifest(
        "allowed_outbound_hosts = [\"http://127.0.0.1:*\"]",
    ));
    let url = format!("/probe/outbound?url={}/constant", host.url());
    assert_eq!(
        host.get(&url).json()["ok"],
        json!({ "status": 200, "body": "ok" })
    );
    let refused = host.get("/probe/outbound?url=http://127.0.0.1:1/").json();
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("ConnectionRefused"),
        "{refused}"
    );
}

#[test]
fn components_reach_each_other_by_name_where_allowed() {
    let tail = format!(
        "allowed_outbound_hosts = [\"http://hidden.spin.internal\"]\n{PRIVATE}{}",
        component("hidden", "constant")
    );
    let host = Host::start(&manifest(&tail));
    let chained = |name: &str| {
        host.get(&format!(
            "/probe/outbound?url=http://{name}.spin.internal/x"
        ))
        .json()
    };
    assert_eq!(chained("hidden")["ok"]["body"], "ok");
    assert_eq!(chained("constant")["error"], "ErrorCode::HttpRequestDenied");
}

#[test]
fn a_chained_component_sees_the_whole_path() {
    let tail = format!(
        "allowed_outbound_hosts = [\"http://*.spin.internal\"]\n{PRIVATE}{}",
        component("hidden", "probe")
    );
    let host = Host::start(&manifest(&tail));
    let answer = host
        .get("/probe/outbound?url=http://hidden.spin.internal/a/echo")
        .json();
    let echo: Value = serde_json::from_str(answer["ok"]["body"].as_str().unwrap()).unwrap();
    let headers = echo["ok"]["headers"].as_array().unwrap();
    for pair in [
        ["spin-path-info", "/a/echo"],
        ["spin-client-addr", "0.0.0.0:0"],
    ] {
        assert!(headers.contains(&json!(pair)), "{headers:?}");
    }
}
