//! The OpenAPI document is served, names every route and nothing else, and holds against generated
//! requests.

use std::collections::BTreeSet;
use std::process::Command;
use std::{env, fs};

use api_tests::{App, Builder, on_both_engines};
use serde_json::Value;

/// Method and path of every documented operation.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").keys();
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

/// Generates requests after the document and sends them; `filter` says to which operations.
///
/// What the document cannot say is not asked for: which texts are phone numbers and which codes were sent.
fn schemathesis(app: &App, filter: &[&str]) {
    let program = env::var("SCHEMATHESIS").unwrap_or_else(|_| {
        panic!("SCHEMATHESIS is not set: scripts/test installs schemathesis and sets it")
    });
    let person = app.someone();
    app.complete_profile(&person);
    // Not as a header, which would also go with the requests that must be refused without one.
    // A header that is no UTF-8 is answered by the host, Spin as the stand-in, before a component sees it.
    let latin: String = (0x80..=0xff_u8)
        .map(|byte| format!("\\u00{byte:02x}"))
        .collect();
    let configuration = format!(
        "[generation]\nexclude-header-characters = \"{latin}\"\n\
         [auth.openapi.session]\nbearer = \"{}\"\n",
        person.token
    );
    fs::write(app.state().join("schemathesis.toml"), configuration).expect("a writable directory");
    let output = Command::new(program)
        .args([
            "run",
            &format!("{}/v1/openapi.json", app.url()),
            "--url",
            app.url(),
        ])
        .args([
            "--checks",
            "all",
            "--exclude-checks",
            "positive_data_acceptance",
        ])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "20",
        ])
        .args([
            "--seed",
            "1",
            "--workers",
            "1",
            "--max-redirects",
            "0",
            "--no-color",
        ])
        .args(filter)
        .current_dir(app.state())
        .output()
        .expect("schemathesis starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

/// What ends the session that is used.
const ENDS: [&str; 2] = [
    "DELETE /v1/auth/sessions/current",
    "POST /v1/account/leak-reports",
];

on_both_engines! {
    fn the_document_is_served_and_may_be_cached(app: App) {
        let answer = app.request("GET", "/v1/openapi.json").send().expect(200);
        assert!(answer.text("/openapi").starts_with("3.1."));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    }

    fn generated_requests_find_no_violation(builder: Builder) {
        let shop = crate::payment::open(builder);
        let app = &shop.app;
        schemathesis(app, &ENDS.map(|name| ["--exclude-name", name]).concat());
        for name in ENDS {
            schemathesis(app, &["--include-name", name]);
        }
    }
}

#[test]
fn every_route_is_documented_and_nothing_else() {
    let app = App::prepare(api_tests::Engine::Sqlite);
    let document = app.document();
    let routes: BTreeSet<_> = [
        sms_login::ROUTES,
        ::profile::ROUTES,
        ::consents::ROUTES,
        ::nearby::ROUTES,
        ::blocks::ROUTES,
        id_verification::ROUTES,
        ::payment::ROUTES,
        ::wallet::ROUTES,
        ::uploads::ROUTES,
        account_deletion::ROUTES,
        ::rights::ROUTES,
        ::requests::ROUTES,
        ::notices::ROUTES,
        ::retention::ROUTES,
        health::ROUTES,
        documents::ROUTES,
    ]
    .into_iter()
    .flatten()
    .map(|route| (route.method.to_string(), route.path.to_owned()))
    .collect();
    assert_eq!(operations(&document), routes);
}
