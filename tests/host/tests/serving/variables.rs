//! Variables: from the environment, from defaults, through templates.

use crate::host::{Host, manifest, refusal};

const VARIABLES: &str = "variables = { sentence = \"{{ greeting }} {{greeting}}!\" }";

#[test]
fn a_template_takes_the_default() {
    let host = Host::start(&manifest(VARIABLES));
    assert_eq!(
        host.get("/probe/variables?name=sentence").json()["ok"],
        "hello hello!"
    );
}

#[test]
fn the_environment_comes_first() {
    let host = Host::start_with(&manifest(VARIABLES), |command| {
        command.env("SPIN_VARIABLE_GREETING", "hi");
    });
    assert_eq!(
        host.get("/probe/variables?name=sentence").json()["ok"],
        "hi hi!"
    );
}

#[test]
fn only_the_components_own_variables_are_there() {
    let host = Host::start(&manifest(VARIABLES));
    let error = host.get("/probe/variables?name=greeting").json()["error"].to_string();
    assert!(
        error.contains("Undefined") && error.contains("greeting"),
        "{error}"
    );
    let error = host.get("/probe/variables?name=Not-A-Name").json()["error"].to_string();
    assert!(error.contains("InvalidName"), "{error}");
}

#[test]
fn a_required_variable_without_value_stops_the_start() {
    let text = refusal(&manifest(
        "[variables.secret_token]\nrequired = true\nsecret = true",
    ));
    assert!(text.contains("secret_token"), "{text}");
}
