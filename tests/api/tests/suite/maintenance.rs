//! `scripts/compact`, by itself.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use api_tests::{App, DAY, Engine, run_script};
use shared::random::first_id;
use shared::time::Timestamp;
use tempfile::TempDir;

/// A line of the log as it was so long ago.
fn line(age: Duration) -> String {
    let id = first_id(Timestamp::now().minus(age));
    format!("{{\"event\":\"x\",\"level\":\"info\",\"request_id\":\"{id}\"}}\n")
}

// clause D2
#[test]
fn lines_of_the_last_six_months_stay_unless_all_are_to_go() {
    let state = TempDir::new().expect("a temporary directory");
    let folder = state.path().join("logs");
    fs::create_dir(&folder).expect("a new folder");
    let (old, young) = (line(DAY * 186), line(DAY * 183));
    let file = folder.join("profile_stdout.txt");
    let written = format!("{old}it panicked\n{old}{young}it panicked again\n");
    fs::write(&file, written).expect("a new file");
    let compact = |how: &str| {
        let folder = state.path().to_string_lossy();
        let (is_content, said) = run_script("compact", &["--state-dir", &folder, how], &[]);
        assert!(is_content, "{said}");
        fs::read_to_string(&file).expect("it is still there")
    };
    assert_eq!(compact("--logs"), format!("{young}it panicked again\n"));
    assert_eq!(compact("--all-logs"), "");
    let left = fs::read_dir(&folder).expect("the folder");
    assert_eq!(left.count(), 1);
}

// clause R5
#[test]
fn a_postgresql_database_is_compacted_where_no_other_is() {
    let app = App::prepare(Engine::Postgres);
    let url = app.database().owner_url().expect("it is PostgreSQL");
    // A checkout that nothing was ever served from.
    let checkout = TempDir::new().expect("a temporary directory");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
    let copied = Command::new("cp")
        .arg("-R")
        .arg(&scripts)
        .arg(checkout.path())
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    let compact = |arguments: &[&str]| {
        let output = Command::new(checkout.path().join("scripts/compact"))
            .args(arguments)
            .output();
        let output = output.expect("the script is there");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    assert_eq!(
        compact(&["--postgres", &url]),
        (true, "compacted the PostgreSQL database\n".to_owned())
    );
    // What is named, or all there is, must be there.
    let (is_content, said) = compact(&["--postgres", &url, "--state-dir", "/nowhere"]);
    assert!(!is_content && said.contains("no such directory"), "{said}");
    let (is_content, said) = compact(&[]);
    assert!(!is_content && said.contains("no such directory"), "{said}");
}
