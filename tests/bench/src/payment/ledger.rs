//! The ledger's append: a tip from one wallet to another, as one statement, by how many entries there are. Native
//! clients, the statement prepared once; a commit does not wait for the disk, which would hide all else.

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;
use shared::sql::Statement;

/// What is compared: tips between the same wallets, in a ledger that is new and in one that has grown.
const CASES: [(Wallets, [usize; 2]); 2] = [
    (Wallets::Two, [1, 1_000_000]),
    (Wallets::Thousand, [1000, 1_000_000]),
];
/// Among so many wallets lie the entries, in turns.
const WALLETS: usize = 1000;
/// Few, so that the new ledger stays one: each tip is two entries.
const APPENDS: usize = 500;
/// Rounds alternate between the cases, and of each case the median round counts.
const ROUNDS: usize = 15;
/// Coins that each wallet has more with every entry, so that it can tip.
const COINS: i64 = 1_000_000;

/// Who tips whom.
#[derive(Clone, Copy)]
enum Wallets {
    /// Two each other.
    Two,
    /// A thousand in turns: the last entry of each lies somewhere else.
    Thousand,
}

/// What was measured on one engine with so many entries.
#[derive(Serialize)]
pub struct Row {
    pub engine: &'static str,
    pub wallets: usize,
    pub entries: usize,
    pub per_second: f64,
    pub p50_ms: f64,
}

/// A ledger in which tips are made.
trait Ledger {
    fn tip(&mut self, reference: &str, payer: &str, payee: &str, time: i64) -> Result<()>;
}

/// Both engines, each with the cases' ledgers, two rows a case.
///
/// # Errors
/// A server is not there, or refuses something.
pub fn measure() -> Result<Vec<Row>> {
    let mut rows = on_one("SQLite", sqlite)?;
    rows.extend(on_one("PostgreSQL", postgres)?);
    Ok(rows)
}

fn on_one(engine: &'static str, open: fn(usize) -> Result<Box<dyn Ledger>>) -> Result<Vec<Row>> {
    let mut grown = open(1_000_000)?;
    let mut rounds: [[Vec<Row>; 2]; 2] = Default::default();
    for round in 0..ROUNDS {
        for ((wallets, [few, many]), rounds) in CASES.into_iter().zip(&mut rounds) {
            let mut new = open(few)?;
            let row = |entries, times| Row::new(engine, wallets, entries, times);
            rounds[0].push(row(few, tips(new.as_mut(), wallets, round)?));
            rounds[1].push(row(many, tips(grown.as_mut(), wallets, round)?));
        }
    }
    let rows: Vec<_> = rounds.into_iter().flatten().map(median).collect();
    for row in &rows {
        let Row {
            engine,
            wallets,
            entries,
            per_second,
            ..
        } = row;
        eprintln!("{engine}, {wallets} wallets, {entries} entries: {per_second:.0} a second");
    }
    Ok(rows)
}

fn median(mut rounds: Vec<Row>) -> Row {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds.swap_remove(ROUNDS / 2)
}

impl Wallets {
    const fn count(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Thousand => WALLETS,
        }
    }
}

impl Row {
    fn new(engine: &'static str, wallets: Wallets, entries: usize, mut times: Vec<f64>) -> Self {
        let total: f64 = times.iter().sum();
        times.sort_by(f64::total_cmp);
        Self {
            engine,
            wallets: wallets.count(),
            entries,
            per_second: times.len() as f64 / total * 1000.0,
            p50_ms: times[times.len() / 2],
        }
    }
}

/// How many milliseconds each tip takes. Their references and times come after all that are there, as in truth.
fn tips(ledger: &mut dyn Ledger, wallets: Wallets, round: usize) -> Result<Vec<f64>> {
    let first = (round * 2 + usize::from(matches!(wallets, Wallets::Thousand))) * APPENDS;
    let mut times = Vec::with_capacity(APPENDS);
    for nth in first..first + APPENDS {
        let payer = wallet(nth * 7 % wallets.count());
        let payee = wallet((nth * 7 + 1) % wallets.count());
        let reference = reference("0198c5a1", nth);
        let time = i64::try_from(nth)? + 2_000_000;
        let started = Instant::now();
        ledger.tip(&reference, &payer, &payee, time)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// Sorts by `nth` among those of one beginning, as identifiers sort by their time.
fn reference(beginning: &str, nth: usize) -> String {
    let text = format!("{nth:08x}");
    format!(
        "{beginning}-{}-7{}-8000-00000000000",
        &text[..4],
        &text[4..7]
    ) + &text[7..]
}

/// The wallet `at`, always of another name than its neighbours', so that they lie apart.
fn wallet(at: usize) -> String {
    format!(
        "{:08x}-0000-4000-8000-{at:012x}",
        at.wrapping_mul(2_654_435_761) as u32
    )
}

/// What makes the entries that are there: reference, account, number, balance, time. Both engines' words for a
/// series differ, so they are made here.
fn filling(entries: usize) -> impl Iterator<Item = (String, String, i64, i64, i64)> {
    (0..entries.max(2)).map(|nth| {
        let number = i64::try_from(nth / WALLETS + 1).expect("few");
        (
            reference("0198c5a0", nth),
            wallet(nth % WALLETS),
            number,
            number * COINS,
            i64::try_from(nth).expect("few"),
        )
    })
}

fn append() -> Result<&'static Statement> {
    let named = shared::ledger::STATEMENTS
        .iter()
        .find(|(name, _)| *name == "APPEND");
    Ok(&named.context("no statement APPEND")?.1)
}

struct Sqlite {
    connection: rusqlite::Connection,
    _folder: tempfile::TempDir,
}

fn sqlite(entries: usize) -> Result<Box<dyn Ledger>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("ledger.db");
    crate::prepare(&file)?;
    let mut connection = rusqlite::Connection::open(&file)?;
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    let filled = connection.transaction()?;
    {
        let mut insert =
            filled.prepare("INSERT INTO ledger VALUES (?1, 'top-up', ?2, ?3, ?4, ?5, 0, ?6)")?;
        for (reference, account, number, balance, time) in filling(entries) {
            insert.execute((reference, account, number, COINS, balance, time))?;
        }
    }
    filled.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    Ok(Box::new(Sqlite {
        connection,
        _folder: folder,
    }))
}

impl Ledger for Sqlite {
    fn tip(&mut self, reference: &str, payer: &str, payee: &str, time: i64) -> Result<()> {
        let mut statement = self.connection.prepare_cached(append()?.sqlite())?;
        statement.execute((
            reference,
            "tip-given",
            payer,
            -1_i64,
            0_i64,
            time,
            "tip-received",
            payee,
        ))?;
        Ok(())
    }
}

struct Postgres {
    client: ::postgres::Client,
    statement: ::postgres::Statement,
}

fn postgres(entries: usize) -> Result<Box<dyn Ledger>> {
    let url = std::env::var("BENCH_POSTGRES_URL").context("BENCH_POSTGRES_URL is not set")?;
    let mut administrator = ::postgres::Client::connect(&url, ::postgres::NoTls)?;
    let name = format!("bench_ledger_{entries}");
    administrator.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
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
    for (reference, account, number, balance, time) in filling(entries) {
        writeln!(
            copy,
            "{reference}\ttop-up\t{account}\t{number}\t{COINS}\t{balance}\t0\t{time}"
        )?;
    }
    copy.finish()?;
    // The plan for an empty table reads all of it.
    client.batch_execute("VACUUM ANALYZE ledger; CHECKPOINT")?;
    let statement = client.prepare(append()?.postgres())?;
    Ok(Box::new(Postgres { client, statement }))
}

impl Ledger for Postgres {
    fn tip(&mut self, reference: &str, payer: &str, payee: &str, time: i64) -> Result<()> {
        self.client.execute(
            &self.statement,
            &[
                &reference,
                &"tip-given",
                &payer,
                &-1_i64,
                &0_i64,
                &time,
                &"tip-received",
                &payee,
            ],
        )?;
        Ok(())
    }
}
