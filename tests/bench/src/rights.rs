//! `bench rights`: how long a copy of a person's data takes to build and to download, and deleting the account, by how
//! many rows the person has; and what memory that needs. On SQLite.

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

const EXPORTS: &str = "/internal/exports";

/// What was measured of one person.
#[derive(Serialize)]
struct Row {
    rows: usize,
    /// From asking for the copy until its link is mailed, with one call after the other.
    build_ms: f64,
    download_ms: f64,
    archive_bytes: usize,
    /// The request that deletes the account.
    delete_ms: f64,
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
    let mut variables = crate::APP_VARIABLES.to_vec();
    variables.push(("deletion_grace_days", "0"));
    let app = Host::start(&manifest, state.path(), &variables)?;
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
    let door = format!("\n[[trigger.http]]\nroute = \"{EXPORTS}\"\ncomponent = \"rights\"\n");
    let text = std::fs::read_to_string("spin.toml")?.replace("source = \"target/", &source);
    let copy = folder.join("spin.toml");
    std::fs::write(&copy, [text, door].concat())?;
    Ok(copy)
}

fn measure(app: &Host, database: &Path, rows: usize) -> Result<Row> {
    let agent = agent();
    let number = format!("138{rows:08}");
    let session = crate::log_in(app, &agent, &number)?;
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
    while post(app, &agent, EXPORTS, "", &json!({}))?["more"] == true {}
    let build_ms = milliseconds(started);
    let link = app.link(id);
    let (_, form) = link.split_once('?').context("no token")?;
    let started = Instant::now();
    // What the button of the link's page sends.
    let mut answer = agent
        .post(format!("{}/v1/exports/{id}/archive", app.url))
        .header("content-type", "application/x-www-form-urlencoded")
        .send(form)?;
    ensure!(answer.status() == 200, "archive: {}", answer.status());
    let archive = answer
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_vec()?;
    let download_ms = milliseconds(started);
    let delete_ms = leave(app, &agent, &number, token)?;
    let account = format!("SELECT COUNT(*) FROM accounts WHERE id = '{account}'");
    let left: i64 =
        rusqlite::Connection::open(database)?.query_row(&account, (), |row| row.get(0))?;
    ensure!(left == 0, "the account is still there");
    Ok(Row {
        rows,
        build_ms,
        download_ms,
        archive_bytes: archive.len(),
        delete_ms,
        peak_mib: app.peak_mib()?,
    })
}

/// As many rows of tables that grow with what a person does: half of them stay under a pseudonym, the others go.
fn fill(database: &Path, account: &str, rows: usize) -> Result<()> {
    let mut connection = rusqlite::Connection::open(database)?;
    let transaction = connection.transaction()?;
    for row in 0..rows {
        let statement = match row % 2 {
            0 => "INSERT INTO consent_events VALUES (?1, ?2, 'location', '2026-11-23', 1, ?3)",
            _ => "INSERT INTO verifications VALUES (?1, ?2, 'real-name', ?3)",
        };
        // Identifiers are UUIDs; the last eight digits of this one count.
        let id = format!("{}{row:08}", &account[..28]);
        transaction.execute(statement, (id, account, row))?;
    }
    Ok(transaction.commit()?)
}

/// Has the account deleted at once: how many milliseconds that took, without asking for the code.
fn leave(app: &Host, agent: &Agent, number: &str, token: &str) -> Result<f64> {
    let asked = agent
        .post(format!("{}/v1/auth/sms-codes", app.url))
        .header("content-type", "application/json")
        .send(json!({ "phone": number, "purpose": "delete" }).to_string())?;
    let code = app.code(asked.headers()["x-request-id"].to_str()?);
    let body = json!({ "code": code, "reason": "other" });
    let started = Instant::now();
    post(app, agent, "/v1/account/deletion", token, &body)?;
    Ok(milliseconds(started))
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
        "| rows of a person, on SQLite | copy built ms | downloaded ms | archive bytes | account deleted ms | \
         host's peak MiB |\n|---|---|---|---|---|---|\n",
    );
    for row in rows {
        writeln!(
            text,
            "| {} | {:.0} | {:.0} | {} | {:.0} | {:.0} |",
            row.rows, row.build_ms, row.download_ms, row.archive_bytes, row.delete_ms, row.peak_mib,
        )?;
    }
    Ok(text.trim_end().to_owned())
}
