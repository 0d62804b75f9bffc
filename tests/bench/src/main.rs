//! Measures each endpoint against its limit: a bare component that makes the same host calls, on the same
//! database file, in the same run. Rounds alternate between the two, and the median round counts.
//!
//! Prints a Markdown table, and writes the same numbers to `target/bench.json`.

mod host;
mod load;
mod nearby;
mod payment;
mod rights;
mod rsa;
mod verification;

use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use ureq::Agent;

use host::Host;
use load::{Measured, Request, agent};
use provider_stand_ins::alipay::Alipay;
use verification::Verifying;

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 5;
const WARM_UP: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_secs(3);

/// What is measured, and its limit: the least host calls that do the same.
struct Scenario<'a> {
    name: &'static str,
    connections: usize,
    request: Request<'a>,
    limit: Option<Request<'a>>,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    connections: usize,
    measured: Measured,
    of_constant: f64,
    limit: Option<Measured>,
    of_limit: Option<f64>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        None => endpoints(),
        Some((name, sizes)) if name == "nearby" => nearby::run(sizes),
        Some((name, [])) if name == "payment" => payment::run(),
        Some((name, [])) if name == "rights" => rights::run(),
        Some((name, _)) => anyhow::bail!("there is no benchmark {name}"),
    }
}

/// Every endpoint against its limit.
fn endpoints() -> Result<()> {
    let state = tempfile::tempdir()?;
    prepare(&state.path().join("sqlite_db.db"))?;
    let alipay = Alipay::start(verification::APP_ID);
    let upstream = [("upstream", alipay.url())];
    let bare = Host::start(Path::new("tests/bench/bare.toml"), state.path(), &upstream)?;
    let mut variables = APP_VARIABLES.to_vec();
    variables.extend(verification::variables(&alipay));
    let app = Host::start(Path::new("spin.toml"), state.path(), &variables)?;
    let session = log_in(&app, &agent(), "13800138000")?;
    let token = session["token"].as_str().context("no token")?;
    let person = Verifying::prepare(&app, &alipay, token)?;

    let mut rows = Vec::new();
    for scenario in scenarios(&app, &bare, token, &person) {
        let row = measure(&scenario, rows.first());
        eprintln!("{}: {:.0} a second", row.name, row.measured.per_second);
        rows.push(row);
    }
    std::fs::write("target/bench.json", serde_json::to_vec_pretty(&rows)?)?;
    println!("{}", table(&rows));
    print!("{}", rsa::table(&bare, &person));
    Ok(())
}

const UNLIMITED: &str = "1000000000";

const APP_VARIABLES: [(&str, &str); 8] = [
    (
        "application_key",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ),
    ("orders_per_hour", UNLIMITED),
    ("real_name_starts_per_day", UNLIMITED),
    (
        "recipient_agreements",
        "alipay=2026-01-15/2026-07-01,apple=2026-01-15/2026-07-01,wechat-pay=2026-01-15/2026-07-01",
    ),
    ("sms_codes_per_address_hour", UNLIMITED),
    ("sms_codes_per_number_minute", UNLIMITED),
    ("sms_codes_per_number_hour", UNLIMITED),
    ("sms_codes_per_number_day", UNLIMITED),
];

/// The application's schema, and one row for the bare component.
fn prepare(database: &Path) -> Result<()> {
    migrate("sqlite", database.as_os_str())?;
    rusqlite::Connection::open(database)?.execute_batch(
        "CREATE TABLE bare (id BIGINT PRIMARY KEY, value BIGINT NOT NULL);
         INSERT INTO bare VALUES (1, 0);",
    )?;
    Ok(())
}

fn migrate(engine: &str, database: &OsStr) -> Result<()> {
    let migrated = std::process::Command::new("scripts/migrate")
        .arg(engine)
        .arg(database)
        .stdout(std::process::Stdio::null())
        .status()?;
    ensure!(migrated.success(), "scripts/migrate failed");
    Ok(())
}

fn scenarios<'a>(
    app: &'a Host,
    bare: &'a Host,
    token: &str,
    person: &'a Verifying,
) -> Vec<Scenario<'a>> {
    let bearer = format!("Bearer {token}");
    let bearer: &'a str = bearer.leak();
    let calls = |query: &'static str| -> Option<Request<'a>> {
        Some(Box::new(move |agent: &Agent| {
            get(agent, &format!("{}/calls?{query}", bare.url), "", 200);
        }))
    };
    let constant = |agent: &Agent| get(agent, &format!("{}/constant", bare.url), "", 200);
    let profile = move || format!("{}/v1/profile", app.url);
    let change = move |agent: &Agent| {
        let change = json!({ "motto": "厚德载物", "city": "350203" });
        let answer = agent
            .patch(profile())
            .header("authorization", bearer)
            .header("content-type", "application/merge-patch+json")
            .send(change.to_string())
            .expect("an answer");
        assert_eq!(answer.status(), 200);
    };
    let numbers = AtomicU32::new(0);
    vec![
        Scenario {
            name: "a constant (bare component)",
            connections: CONNECTIONS,
            request: Box::new(constant),
            limit: None,
        },
        Scenario {
            name: "a constant, one connection: the start of an instance",
            connections: 1,
            request: Box::new(constant),
            limit: None,
        },
        Scenario {
            name: "unknown path of `profile`, one connection: the start of a component of ours",
            connections: 1,
            request: Box::new(move |agent| {
                get(agent, &format!("{}/v1/profiles/x", app.url), "", 401);
            }),
            limit: None,
        },
        Scenario {
            // The page is refused after the guard and before anything else.
            name: "session guard alone",
            connections: CONNECTIONS,
            request: Box::new(move |agent| {
                let url = format!("{}/v1/auth/sessions?limit=0", app.url);
                get(agent, &url, bearer, 422);
            }),
            limit: calls("variables=2&key-value=1"),
        },
        Scenario {
            name: "profile read",
            connections: CONNECTIONS,
            request: Box::new(move |agent| get(agent, &profile(), bearer, 200)),
            limit: calls("variables=3&key-value=1&reads=1"),
        },
        Scenario {
            name: "profile write",
            connections: CONNECTIONS,
            request: Box::new(change),
            limit: calls("variables=4&key-value=1&writes=1"),
        },
        Scenario {
            name: "login of a new number: code and session, two requests",
            connections: CONNECTIONS,
            request: Box::new(move |agent| {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                log_in(app, agent, &format!("139{number:08}")).expect("logs in");
            }),
            limit: Some(Box::new(move |agent| {
                for query in [
                    // The counters and the code.
                    "variables=8&writes=2",
                    // The person's key; the code's use, the consent, the account, its profile, the device
                    // and the session; and the looks between them.
                    "variables=7&key-value-sets=1&reads=5&writes=6",
                ] {
                    get(agent, &format!("{}/calls?{query}", bare.url), "", 200);
                }
            })),
        },
        Scenario {
            name: "verification start: Alipay asked, link signed",
            connections: CONNECTIONS,
            request: Box::new(|agent| person.start(agent)),
            limit: calls("variables=14&key-value=2&reads=3&writes=5&outbound=1"),
        },
        Scenario {
            name: "verification callback: message verified, Alipay asked",
            connections: CONNECTIONS,
            request: Box::new(|agent| person.call_back(agent)),
            limit: calls("variables=6&reads=1&outbound=1"),
        },
    ]
}

fn get(agent: &Agent, url: &str, bearer: &str, status: u16) {
    let mut answer = agent
        .get(url)
        .header("authorization", bearer)
        .call()
        .expect("an answer");
    assert_eq!(answer.status(), status, "{url}");
    answer.body_mut().read_to_vec().expect("a body");
}

/// Logs a number in, opening its account if it is new, and answers the session.
fn log_in(app: &Host, agent: &Agent, number: &str) -> Result<Value> {
    let post = |path: &str, body: Value| {
        agent
            .post(format!("{}{path}", app.url))
            .header("content-type", "application/json")
            .send(body.to_string())
    };
    let asked = post(
        "/v1/auth/sms-codes",
        json!({ "phone": number, "purpose": "login" }),
    )?;
    ensure!(asked.status() == 202, "code refused: {}", asked.status());
    let request_id = asked.headers()["x-request-id"].to_str()?;
    let mut answer = post(
        "/v1/auth/sessions",
        json!({
            "phone": number,
            "code": app.code(request_id),
            "policy_version": "2023-10-25",
            "device": { "id": "bench", "model": "bench", "os": "bench", "app_version": "1" },
        }),
    )?;
    ensure!(answer.status() == 201, "login refused: {}", answer.status());
    Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
}

/// Alternates rounds of the scenario and of its limit.
fn measure(scenario: &Scenario, constant: Option<&Row>) -> Row {
    let run = |request: &Request, duration| load::run(scenario.connections, duration, request);
    let requests: Vec<_> = std::iter::once(&scenario.request)
        .chain(&scenario.limit)
        .collect();
    for request in &requests {
        run(request, WARM_UP);
    }
    let mut rounds = vec![Vec::new(); requests.len()];
    for _ in 0..ROUNDS {
        for (request, rounds) in requests.iter().zip(&mut rounds) {
            rounds.push(run(request, ROUND));
        }
    }
    let mut medians = rounds.into_iter().map(median);
    let measured = medians.next().expect("the scenario itself");
    let limit = medians.next();
    let per_second = measured.per_second;
    Row {
        name: scenario.name,
        connections: scenario.connections,
        of_constant: per_second / constant.map_or(per_second, |row| row.measured.per_second),
        of_limit: limit.as_ref().map(|limit| per_second / limit.per_second),
        measured,
        limit,
    }
}

fn median(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds.swap_remove(rounds.len() / 2)
}

fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| what | connections | a second | p50 ms | p99 ms | of the constant | limit, a second | of its limit |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let limit = row.limit.as_ref();
        table += &format!(
            "| {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {} | {} |\n",
            row.name,
            row.connections,
            row.measured.per_second,
            row.measured.p50_ms,
            row.measured.p99_ms,
            row.of_constant,
            limit.map_or(String::new(), |limit| format!("{:.0}", limit.per_second)),
            row.of_limit
                .map_or(String::new(), |ratio| format!("{ratio:.2}")),
        );
    }
    table
}
