//! The whole stack: HTTP, the guards, the search or the update, and the answer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nearby::cell::Cell;
use serde::Serialize;
use serde_json::{Value, json};

use super::crowd;
use crate::host::Host;
use crate::load::{self, Measured, Request, agent};
use crate::{APP_VARIABLES, UNLIMITED, log_in};

const CONNECTIONS: usize = 16;
const SEARCHING: usize = 4;
const ASKERS: usize = 64;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

/// Searches of one crowd.
#[derive(Serialize)]
pub struct Row {
    pub people: usize,
    pub database: &'static str,
    pub measured: Measured,
}

/// Updates of one crowd, and the bare component that makes the same host calls.
#[derive(Serialize)]
pub struct Updates {
    pub people: usize,
    /// Whether each is into another cell.
    pub moving: bool,
    pub measured: Measured,
    pub limit: Measured,
}

/// Somebody with a session, at a place.
struct Asker {
    bearer: String,
    place: (f64, f64),
}

fn start(state: &Path, variables: &[(&str, &str)]) -> Result<(Host, Vec<Asker>)> {
    let mut all = APP_VARIABLES.to_vec();
    all.extend([
        ("location_updates_per_hour", UNLIMITED),
        ("location_placements_per_day", UNLIMITED),
    ]);
    all.extend(variables);
    let app = Host::start(&with_bare_component(state)?, state, &all)?;
    let askers = crowd::questions(ASKERS).into_iter().enumerate();
    let askers = askers
        .map(|(at, place)| enter(&app, at, place))
        .collect::<Result<_>>()?;
    Ok((app, askers))
}

/// The application's manifest with the bare component in it: both are served by one host, so that who else
/// is served slows both down alike.
fn with_bare_component(state: &Path) -> Result<PathBuf> {
    let folder = std::env::current_dir()?;
    let target = format!("source = \"{}/target/", folder.display());
    let own = std::fs::read_to_string("spin.toml")?.replace("source = \"target/", &target);
    let own = own.replacen(
        "[variables]\n",
        "[variables]\nsomething = { default = \"a value\" }\n",
        1,
    );
    let bare = format!(
        "[[trigger.http]]\nroute = \"/calls\"\ncomponent = \"bare\"\n[component.bare]\n\
         {target}wasm/wasm32-wasip1/release/examples/bare.wasm\"\nkey_value_stores = [\"default\"]\n\
         sqlite_databases = [\"default\"]\n[component.bare.variables]\nsomething = \"{{{{ something }}}}\"\n"
    );
    let manifest = state.join("spin.toml");
    std::fs::write(&manifest, [own, bare].join("\n"))?;
    Ok(manifest)
}

/// Somebody new, with all that a search needs.
fn enter(app: &Host, at: usize, place: (f64, f64)) -> Result<Asker> {
    let session = log_in(app, &agent(), &format!("137{at:08}"))?;
    let asker = Asker {
        bearer: format!("Bearer {}", session["token"].as_str().context("no token")?),
        place,
    };
    let send = |method: &str, path: &str, body: Value| -> Result<()> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", app.url))
            .header("authorization", &asker.bearer)
            .header("content-type", "application/json")
            .body(body.to_string())?;
        let answer = agent().run(request)?;
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        Ok(())
    };
    let profile = json!({
        "avatar": "https://example.com/a.jpg", "gender": "male", "real_name": "林", "company": "c", "job_title": "j",
    });
    send("PATCH", "/v1/profile", profile)?;
    let consent = json!({ "granted": true, "version": "2026-11-23" });
    send("PUT", "/v1/consents/location", consent)?;
    send("PUT", "/v1/location", update(place, 0.0))?;
    Ok(asker)
}

fn update((lat, lng): (f64, f64), north: f64) -> Value {
    json!({ "lat": lat + north, "lng": lng, "accuracy_m": 1000, "coordinate_system": "wgs84" })
}

fn look(app: &Host, agent: &ureq::Agent, asker: &Asker) {
    let mut answer = agent
        .get(format!("{}/v1/nearby/people?radius_m=50000", app.url))
        .header("authorization", &asker.bearer)
        .call()
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.body_mut().read_to_vec().expect("a body");
}

/// Everybody asks in turn.
///
/// # Errors
/// The application does not start, or refuses somebody.
pub fn search(
    people: usize,
    database: &'static str,
    state: &Path,
    variables: &[(&str, &str)],
) -> Result<Row> {
    let (app, askers) = start(state, variables)?;
    let turn = AtomicUsize::new(0);
    let request: Request = Box::new(|agent| {
        let at = turn.fetch_add(1, Ordering::Relaxed) % askers.len();
        look(&app, agent, &askers[at]);
    });
    load::run(CONNECTIONS, ROUND, &request);
    let measured = load::run(CONNECTIONS, ROUND * 2, &request);
    eprintln!("{database}: {:.0} searches a second", measured.per_second);
    Ok(Row {
        people,
        database,
        measured,
    })
}

/// Everybody gives a location in turn, in the same cell or in another, while others search; then looks whether each is where the last update
/// said.
///
/// # Errors
/// The application does not start, or an update is lost.
pub fn update_all(people: usize, state: &Path, moving: bool) -> Result<Updates> {
    let (app, askers) = start(state, &[])?;
    let turn = AtomicUsize::new(0);
    let last: Mutex<HashMap<usize, Value>> = Mutex::default();
    let move_on: Request = Box::new(|agent| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        let (at, north) = (
            turn % askers.len(),
            if moving {
                [0.0, 0.006][turn / askers.len() % 2]
            } else {
                0.0
            },
        );
        let mut answer = agent
            .put(format!("{}/v1/location", app.url))
            .header("authorization", &askers[at].bearer)
            .header("content-type", "application/json")
            .send(update(askers[at].place, north).to_string())
            .expect("an answer");
        assert_eq!(answer.status(), 200);
        let text = answer.body_mut().read_to_string().expect("a body");
        let kept: Value = serde_json::from_str(&text).expect("JSON");
        let mut last = last.lock().expect("no holder panics");
        let known = last.entry(at).or_insert_with(|| kept.clone());
        if kept["updated_at"].as_str() > known["updated_at"].as_str() {
            *known = kept;
        }
    });
    let limit: Request = Box::new(|agent| {
        // The body, which takes calls too; the session; the asker; the counter and the location.
        let url = format!("{}/calls?variables=7&key-value=1&reads=1&writes=2", app.url);
        let body = update(askers[0].place, 0.0).to_string();
        let answer = agent.put(url).send(body).expect("an answer");
        assert_eq!(answer.status(), 200);
    });
    let (mut measured, mut limits) = (Vec::new(), Vec::new());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for searcher in 0..SEARCHING {
            let (app, askers, is_over) = (&app, &askers, &is_over);
            scope.spawn(move || {
                let agent = agent();
                let mut at = searcher;
                while !is_over.load(Ordering::Relaxed) {
                    look(app, &agent, &askers[at % askers.len()]);
                    at += SEARCHING;
                }
            });
        }
        for _ in 0..ROUNDS {
            measured.push(load::run(CONNECTIONS, ROUND, &move_on));
            limits.push(load::run(CONNECTIONS, ROUND, &limit));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    drop(move_on);
    check(&app, &askers, &last.into_inner()?, state)?;
    let row = Updates {
        people,
        moving,
        measured: crate::median(measured),
        limit: crate::median(limits),
    };
    eprintln!("{:.0} updates a second", row.measured.per_second);
    Ok(row)
}

/// Nobody's last update is lost, and every centre is the cell's.
fn check(app: &Host, askers: &[Asker], last: &HashMap<usize, Value>, state: &Path) -> Result<()> {
    for (at, kept) in last {
        let mut answer = agent()
            .get(format!("{}/v1/location", app.url))
            .header("authorization", &askers[*at].bearer)
            .call()?;
        let now: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        ensure!(now["updated_at"] == kept["updated_at"], "an update is lost");
    }
    let database = rusqlite::Connection::open(state.join("sqlite_db.db"))?;
    let mut statement =
        database.prepare("SELECT cell, x, y, z FROM locations WHERE updated_at > 0")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let centre = Cell::from_number(row.get(0)?).context("a cell")?.centre();
        let kept = (row.get(1)?, row.get(2)?, row.get(3)?);
        ensure!((centre.x, centre.y, centre.z) == kept, "a cell is stale");
    }
    Ok(())
}
