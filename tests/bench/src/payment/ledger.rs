//! The ledger's append: a tip from one of many wallets to another, as one statement, by how many entries there are.
//! Native clients, the statement prepared once; a commit does not wait for the disk, which would hide all else.

use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;
use shared::sql::Statement;

const SIZES: [usize; 2] = [1, 1_000_000];
const APPENDS: usize = 4000;
/// Rounds alternate between few and many entries, and the median round counts.
const ROUNDS: usize = 5;
/// How many appends PostgreSQL's statistics may be behind.
const BETWEEN_ANALYSES: usize = 200;
/// The wallets among which the entries lie.
const WALLETS: usize = 1000;

/// What was measured on one engine with so many entries.
#[derive(Serialize)]
pub struct Row {
    pub engine: &'static str,
    pub entries: usize,
    pub per_second: f64,
    pub p50_ms: f64,
}

/// Both engines, each with few and with many entries.
///
/// # Errors
/// A server is not there, or refuses something.
pub fn measure() -> Result<Vec<Row>> {
    let engines: [fn(usize) -> Result<Row>; 2] = [sqlite, postgres];
    let mut rows = Vec::new();
    for engine in engines {
        let mut rounds = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (entries, rounds) in SIZES.into_iter().zip(&mut rounds) {
                rounds.push(engine(entries)?);
            }
        }
        rows.extend(rounds.map(median));
    }
    Ok(rows)
}

fn median(mut rounds: Vec<Row>) -> Row {
    rounds.sort_by(|a, b| a.p50_ms.total_cmp(&b.p50_ms));
    rounds.swap_remove(ROUNDS / 2)
}

fn append() -> Result<&'static Statement> {
    let named = shared::ledger::STATEMENTS
        .iter()
        .find(|(name, _)| *name == "APPEND");
    Ok(&named.context("no statement APPEND")?.1)
}

/// The wallet `at`, always of another name than its neighbours', so that they lie apart.
fn wallet(at: usize) -> String {
    format!(
        "{:08x}-0000-4000-8000-{at:012x}",
        at.wrapping_mul(2_654_435_761) as u32
    )
}

/// Entries in turns among the wallets: each has so many coins that it can tip. Both engines' words for a series
/// differ, so they are made here.
fn filling(entries: usize) -> impl Iterator<Item = (String, String, i64, i64)> {
    (0..entries.max(2)).map(|nth| {
        let (wallet_at, number) = (nth % WALLETS, nth / WALLETS + 1);
        let number = i64::try_from(number).expect("few");
        (
            format!("{nth:08x}-1111-4111-8111-111111111111"),
            wallet(wallet_at),
            number,
            number * 1_000_000,
        )
    })
}

/// The payer and the payee of the append `nth`: among the wallets that have entries.
fn sides(nth: usize, entries: usize) -> (String, String) {
    let wallets = entries.clamp(2, WALLETS);
    (wallet(nth * 7 % wallets), wallet((nth * 7 + 1) % wallets))
}

fn row(engine: &'static str, entries: usize, mut times: Vec<f64>) -> Row {
    let total: f64 = times.iter().sum();
    times.sort_by(f64::total_cmp);
    let row = Row {
        engine,
        entries,
        per_second: times.len() as f64 / total * 1000.0,
        p50_ms: times[times.len() / 2],
    };
    eprintln!(
        "{engine}, {entries} entries: {:.0} a second",
        row.per_second
    );
    row
}

fn sqlite(entries: usize) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("ledger.db");
    crate::prepare(&file)?;
    let mut connection = rusqlite::Connection::open(&file)?;
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    let filled = connection.transaction()?;
    {
        let mut insert = filled
            .prepare("INSERT INTO ledger VALUES (?1, 'top-up', ?2, ?3, 1000000, ?4, 0, 0)")?;
        for (reference, account, number, balance) in filling(entries) {
            insert.execute((reference, account, number, balance))?;
        }
    }
    filled.commit()?;
    let mut statement = connection.prepare(append()?.sqlite())?;
    let mut times = Vec::with_capacity(APPENDS);
    for nth in 0..APPENDS {
        let (payer, payee) = sides(nth, entries);
        let reference = format!("{nth:08x}-2222-4222-8222-222222222222");
        let started = Instant::now();
        statement.execute((
            reference,
            "tip-given",
            payer,
            -1_i64,
            0_i64,
            0_i64,
            "tip-received",
            payee,
        ))?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(row("SQLite", entries, times))
}

fn postgres(entries: usize) -> Result<Row> {
    let url = std::env::var("BENCH_POSTGRES_URL").context("BENCH_POSTGRES_URL is not set")?;
    let mut administrator = ::postgres::Client::connect(&url, ::postgres::NoTls)?;
    let name = format!("bench_ledger_{entries}");
    administrator.batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))?;
    administrator.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let (server, _) = url.rsplit_once('/').context("a URL with a database")?;
    let url = format!("{server}/{name}");
    let migrated = std::process::Command::new("scripts/migrate")
        .args(["postgres", &url])
        .stdout(std::process::Stdio::null())
        .status()?;
    anyhow::ensure!(migrated.success(), "scripts/migrate failed");
    let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls)?;
    client.batch_execute("SET synchronous_commit = off")?;
    let mut copy = client.copy_in("COPY ledger FROM STDIN")?;
    for (reference, account, number, balance) in filling(entries) {
        use std::io::Write as _;
        writeln!(
            copy,
            "{reference}\ttop-up\t{account}\t{number}\t1000000\t{balance}\t0\t0"
        )?;
    }
    copy.finish()?;
    client.batch_execute("VACUUM ANALYZE ledger")?;
    let statement = client.prepare(append()?.postgres())?;
    let mut times = Vec::with_capacity(APPENDS);
    for nth in 0..APPENDS {
        if nth % BETWEEN_ANALYSES == 0 {
            // As autovacuum does when a table has grown: the plan for an empty one reads all of it.
            client.batch_execute("ANALYZE ledger")?;
        }
        let (payer, payee) = sides(nth, entries);
        let reference = format!("{nth:08x}-2222-4222-8222-222222222222");
        let started = Instant::now();
        client.execute(
            &statement,
            &[
                &reference,
                &"tip-given",
                &payer,
                &-1_i64,
                &0_i64,
                &0_i64,
                &"tip-received",
                &payee,
            ],
        )?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(row("PostgreSQL", entries, times))
}
