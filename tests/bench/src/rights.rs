//! `bench rights`: how long a copy of a person's data takes to build and to download, by how many rows the person has,
//! and what memory that needs. On SQLite.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use ureq::Agent;

use crate::host::Host;
use crate::load::agent;

/// How many rows the people have.
const ROWS: [usize; 4] = [10, 100, 1_000, 10_000];

/// What was measured of one person.
#[derive(Serialize)]
struct Row {
    rows: usize,
    /// From asking for the copy until its link is mailed, with one call after the other.
    build_ms: f64,
    download_ms: f64,
    archive_bytes: usize,
    /// The most memory that the host needed meanwhile.
    peak_mib: f64,
}

/// Measures, prints a Markdown table, and writes `target/bench-rights.json`.
///
/// # Errors
/// The application does not do as it should.
pub fn run() -> Result<()> {
    let state = tempfile::tempdir()?;
    let database = state.path().join("sqlite_db.db");
    crate::prepare(&database)?;
    let manifest = with_door(state.path())?;
    let app = Host::start(&manifest, state.path(), &crate::APP_VARIABLES)?;
    // The first one pays for what is compiled and cached.
    measure(&app, &database, 10)?;
    let rows: Vec<_> = ROWS
        .into_iter()
        .map(|rows| measure(&app, &database, rows))
        .collect::<Result<_>>()?;
    std::fs::write(
        "target/bench-rights.json",
        serde_json::to_vec_pretty(&rows)?,
    )?;
    println!("{}", table(&rows)?);
    Ok(())
}

/// The manifest with a route to the path by which exports go on.
fn with_door(folder: &Path) -> Result<std::path::PathBuf> {
    let here = std::env::current_dir()?;
    let source = format!("source = \"{}/target/", here.display());
    let door = "\n[[trigger.http]]\nroute = \"/internal/exports\"\ncomponent = \"rights\"\n";
    let text = std::fs::read_to_string("spin.toml")?.replace("source = \"target/", &source);
    let copy = folder.join("spin.toml");
    std::fs::write(&copy, text + door)?;
    Ok(copy)
}

fn measure(app: &Host, database: &Path, rows: usize) -> Result<Row> {
    let agent = agent();
    let session = crate::log_in(app, &agent, &format!("138{rows:08}"))?;
    let token = session["token"].as_str().context("no token")?;
    let account = session["account"]["id"].as_str().context("no account")?;
    fill(database, account, rows)?;
    app.forget_peak()?;
    let started = Instant::now();
    let path = "/v1/account/exports";
    let export = post(
        app,
        &agent,
        path,
        token,
        &json!({ "email": "bench@example.cn" }),
    )?;
    let id = export["id"].as_str().context("no id")?;
    while post(app, &agent, "/internal/exports", "", &json!({}))?["more"] == true {}
    let build_ms = milliseconds(started);
    let link = app.link(id);
    let path = link.splitn(4, '/').nth(3).context("no path")?;
    let started = Instant::now();
    let mut answer = agent.get(format!("{}/{path}", app.url)).call()?;
    ensure!(answer.status() == 200, "archive: {}", answer.status());
    let archive = answer
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_vec()?;
    Ok(Row {
        rows,
        build_ms,
        download_ms: milliseconds(started),
        archive_bytes: archive.len(),
        peak_mib: app.peak_mib()?,
    })
}

/// As many rows of a table that grows with what a person does.
fn fill(database: &Path, account: &str, rows: usize) -> Result<()> {
    let mut connection = rusqlite::Connection::open(database)?;
    let transaction = connection.transaction()?;
    for row in 0..rows {
        transaction.execute(
            "INSERT INTO consent_events VALUES (?1, ?2, 'location', '2026-11-23', 1, ?3)",
            (format!("{account}-{row:08}"), account, row),
        )?;
    }
    Ok(transaction.commit()?)
}

fn post(app: &Host, agent: &Agent, path: &str, token: &str, body: &Value) -> Result<Value> {
    let mut answer = agent
        .post(format!("{}{path}", app.url))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .send(body.to_string())?;
    ensure!(answer.status().is_success(), "{path}: {}", answer.status());
    Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn table(rows: &[Row]) -> Result<String> {
    let mut text = String::from(
        "| rows of a person, on SQLite | copy built ms | downloaded ms | archive bytes | host's peak MiB |\n\
         |---|---|---|---|---|\n",
    );
    for row in rows {
        writeln!(
            text,
            "| {} | {:.0} | {:.0} | {} | {:.0} |",
            row.rows, row.build_ms, row.download_ms, row.archive_bytes, row.peak_mib,
        )?;
    }
    Ok(text.trim_end().to_owned())
}
