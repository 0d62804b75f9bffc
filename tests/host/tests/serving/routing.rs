//! Which component answers, and what it is told of the request.

use serde_json::json;

use crate::host::{Host, component, manifest};

fn trigger(route: &str, component: &str) -> String {
    format!("[[trigger.http]]\nroute = {route}\ncomponent = {component:?}\n")
}

#[test]
fn the_most_specific_route_answers() {
    let tail = [
        trigger("\"/...\"", "probe"),
        trigger("\"/items/:id\"", "probe"),
        trigger("\"/items/fixed\"", "constant"),
        trigger("{ private = true }", "hidden"),
        component("hidden", "constant"),
    ];
    let host = Host::start(&manifest(&tail.concat()));
    let matched = |path: &str| {
        let headers = host.get(path).json()["ok"]["headers"].clone();
        let headers = headers.as_array().unwrap().clone();
        let found = headers
            .iter()
            .find(|header| header[0] == "spin-matched-route");
        found.unwrap()[1].as_str().unwrap().to_owned()
    };
    assert_eq!(matched("/anything/else"), "/...");
    assert_eq!(matched("/items/7"), "/items/:id");
    assert_eq!(host.get("/items/fixed").body, "ok");
    assert_eq!(host.get("/constant").body, "ok");
}

#[test]
fn a_path_without_route_is_not_found() {
    let host = Host::start(&manifest(""));
    assert_eq!(host.get("/nothing").status, 404);
    assert_eq!(host.get("/constant/below").status, 404);
    assert_eq!(host.get("/.well-known/spin/health").body, "OK");
}

#[test]
fn the_component_sees_spins_headers() {
    let host = Host::start(&manifest(&trigger("\"/users/:user_id/...\"", "probe")));
    let address = host.url().strip_prefix("http://").unwrap().to_owned();
    let answer = host.get("/users/7/echo?a=b").json();
    let headers = answer["ok"]["headers"].as_array().unwrap();
    for (name, value) in [
        ("spin-path-info", "/echo"),
        (
            "spin-full-url",
            &format!("http://{address}/users/7/echo?a=b"),
        ),
        ("spin-matched-route", "/users/:user_id/..."),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", "/users/:user_id/..."),
        ("spin-component-route", "/users/:user_id"),
        ("spin-path-match-user-id", "7"),
    ] {
        assert!(
            headers.contains(&json!([name, value])),
            "{name}: {headers:?}"
        );
    }
    let client = headers
        .iter()
        .find(|header| header[0] == "spin-client-addr")
        .unwrap();
    assert!(client[1].as_str().unwrap().starts_with("127.0.0.1:"));
}

/// Spin appends its own values: the last value of a name is the host's.
#[test]
fn a_client_cannot_have_the_last_word() {
    let host = Host::start(&manifest(""));
    let forged = [
        ("spin-client-addr", "1.2.3.4:5"),
        ("spin-path-info", "/forged"),
    ];
    let answer = host.get_with("/probe/echo", &forged).json();
    let headers = answer["ok"]["headers"].as_array().unwrap();
    for (name, value) in forged {
        let last = headers.iter().rfind(|header| header[0] == name).unwrap();
        assert_ne!(last[1], value, "{headers:?}");
    }
}

#[test]
fn what_a_component_prints_stays_as_it_is() {
    let mut host = Host::start(&manifest(""));
    host.get("/probe/log?text=%7B%22event%22:%22x%22%7D");
    assert_eq!(host.line_with("event"), "{\"event\":\"x\"}\n");
}
