//! The ledger's append: a tip from one wallet to another, as one statement, by how many entries there are already.
//! Native clients, the statement prepared once; a commit does not wait for the disk, which would hide all else.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ::postgres::{Client, NoTls};
use anyhow::{Context as _, Result};
use rusqlite::Connection;
use serde::Serialize;
use shared::sql::Statement;
use tempfile::TempDir;
use uuid::{Builder, Uuid};

/// The wallets among which the entries lie that are there before.
const WALLETS: usize = 1000;
const MANY: usize = 1_000_000;
/// Pairs; in each, the second has more entries before, and is else the same.
const CASES: [[Case; 2]; 2] = [
    [Case::new(2, 1), Case::new(2, MANY)],
    [Case::new(WALLETS, WALLETS), Case::new(WALLETS, MANY)],
];
const APPENDS: usize = 500;
/// Rounds alternate between few and many entries, each from the same state, and the median round counts.
const ROUNDS: usize = 15;
/// How many appends PostgreSQL's statistics may be behind.
const BETWEEN_ANALYSES: usize = 100;
/// Reads a wallet's balance. Before a round each wallet's is read, so that what the caches can hold is in them.
const BALANCE: &str = "SELECT l.balance FROM ledger l WHERE l.account = $1 \
    AND l.number = (SELECT MAX(x.number) FROM ledger x WHERE x.account = $1 AND x.number > 0)";

/// What is measured.
#[derive(Clone, Copy, Serialize)]
pub struct Case {
    /// Between so many wallets.
    pub wallets: usize,
    /// So many entries lie there before, in turns among a thousand wallets.
    pub entries: usize,
}

impl Case {
    const fn new(wallets: usize, entries: usize) -> Self {
        Self { wallets, entries }
    }

    /// The payer and the payee of the append `nth`.
    fn sides(self, nth: usize) -> (String, String) {
        (
            wallet(nth * 7 % self.wallets),
            wallet((nth * 7 + 1) % self.wallets),
        )
    }
}

/// What was measured on one engine.
#[derive(Serialize)]
pub struct Row {
    pub engine: &'static str,
    pub case: Case,
    pub per_second: f64,
}

/// An engine that holds ledgers as they are before.
trait Engine {
    const NAME: &'static str;

    /// Makes the ledger of `entries` entries.
    fn fill(&mut self, entries: usize) -> Result<()>;

    /// How long the timed appends took to a copy of that ledger.
    fn append(&mut self, case: Case) -> Result<Duration>;
}

/// Both engines, the cases in their order: the pairs of [`Row`]s differ in the entries before.
///
/// # Errors
/// A server is not there, or refuses something.
pub fn measure() -> Result<Vec<[Row; 2]>> {
    let mut rows = on(Sqlite::new()?)?;
    rows.extend(on(Postgres::new()?)?);
    Ok(rows)
}

fn on<E: Engine>(mut engine: E) -> Result<Vec<[Row; 2]>> {
    for entries in [1, WALLETS, MANY] {
        engine.fill(entries)?;
    }
    let mut rows = Vec::new();
    for pair in CASES {
        let mut rounds = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (case, times) in pair.into_iter().zip(&mut rounds) {
                times.push(engine.append(case)?);
            }
        }
        rows.push([0, 1].map(|at| {
            rounds[at].sort();
            let (case, per_second) = (
                pair[at],
                APPENDS as f64 / rounds[at][ROUNDS / 2].as_secs_f64(),
            );
            let Case { wallets, entries } = case;
            eprintln!(
                "{}, {wallets} wallets, {entries} entries before: {per_second:.0} a second",
                E::NAME
            );
            Row {
                engine: E::NAME,
                case,
                per_second,
            }
        }));
    }
    Ok(rows)
}

fn statement() -> Result<&'static Statement> {
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

/// What was posted as the `nth`, a second after the one before: when, and under which reference, whose order is the
/// time's as the application's is.
fn posted(nth: usize) -> (i64, String) {
    let millis = 1_700_000_000_000 + 1000 * nth as u64;
    let random = (nth as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let bytes: [u8; 10] = random.to_le_bytes()[6..].try_into().expect("ten bytes");
    let reference: Uuid = Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid();
    (millis.cast_signed(), reference.to_string())
}

/// Top-ups in turns among the wallets, so many coins that each can tip: reference, account, number, balance, and time.
/// The engines' words for a series differ, so they are made here.
fn filling(entries: usize) -> impl Iterator<Item = (String, String, i64, i64, i64)> {
    (0..entries).map(|nth| {
        let number = i64::try_from(nth / WALLETS + 1).expect("few");
        let (created_at, reference) = posted(nth);
        let account = wallet(nth % WALLETS);
        (reference, account, number, number * 1_000_000, created_at)
    })
}

/// An append of a round, the `nth`, as `append` is asked for it.
struct Tip {
    nth: usize,
    reference: String,
    created_at: i64,
    payer: String,
    payee: String,
}

/// Has `append` make each append of a round and say how long it took: the sum.
fn round(case: Case, mut append: impl FnMut(&Tip) -> Result<Duration>) -> Result<Duration> {
    let mut took = Duration::ZERO;
    for nth in 0..APPENDS {
        let (created_at, reference) = posted(case.entries + nth);
        let (payer, payee) = case.sides(nth);
        took += append(&Tip {
            nth,
            reference,
            created_at,
            payer,
            payee,
        })?;
    }
    Ok(took)
}

struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { folder })
    }

    fn file(&self, entries: usize) -> PathBuf {
        self.folder.path().join(format!("{entries}.db"))
    }
}

impl Engine for Sqlite {
    const NAME: &'static str = "SQLite";

    fn fill(&mut self, entries: usize) -> Result<()> {
        let file = self.file(entries);
        crate::migrate("sqlite", file.as_os_str())?;
        let mut connection = Connection::open(&file)?;
        let transaction = connection.transaction()?;
        let mut insert = transaction
            .prepare("INSERT INTO ledger VALUES (?1, 'top-up', ?2, ?3, 1000000, ?4, 0, ?5)")?;
        for entry in filling(entries) {
            insert.execute(entry)?;
        }
        drop(insert);
        transaction.commit()?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn append(&mut self, case: Case) -> Result<Duration> {
        let copy = self.folder.path().join("copy.db");
        fs::copy(self.file(case.entries), &copy)?;
        let connection = Connection::open(&copy)?;
        connection.execute_batch("PRAGMA synchronous = OFF")?;
        let mut balance = connection.prepare(BALANCE)?;
        for at in 0..case.wallets {
            balance.exists([wallet(at)])?;
        }
        let mut statement = connection.prepare(statement()?.sqlite())?;
        round(case, |tip| {
            let started = Instant::now();
            statement.execute((
                &tip.reference,
                "tip-given",
                &tip.payer,
                -1_i64,
                0_i64,
                tip.created_at,
                "tip-received",
                &tip.payee,
            ))?;
            Ok(started.elapsed())
        })
    }
}

struct Postgres {
    administrator: Client,
    /// The server's, up to the database's name.
    server: String,
}

impl Postgres {
    fn new() -> Result<Self> {
        let url = std::env::var("BENCH_POSTGRES_URL").context("BENCH_POSTGRES_URL is not set")?;
        let (server, _) = url.rsplit_once('/').context("a URL with a database")?;
        Ok(Self {
            administrator: Client::connect(&url, NoTls)?,
            server: server.to_owned(),
        })
    }

    fn create(&mut self, name: &str, template: &str) -> Result<String> {
        for statement in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name} TEMPLATE {template}"),
        ] {
            self.administrator.batch_execute(&statement)?;
        }
        Ok(format!("{}/{name}", self.server))
    }
}

impl Engine for Postgres {
    const NAME: &'static str = "PostgreSQL";

    fn fill(&mut self, entries: usize) -> Result<()> {
        let url = self.create(&format!("bench_ledger_{entries}"), "template0")?;
        crate::migrate("postgres", url.as_ref())?;
        let mut client = Client::connect(&url, NoTls)?;
        let mut copy = client.copy_in("COPY ledger FROM STDIN")?;
        for (reference, account, number, balance, created_at) in filling(entries) {
            writeln!(
                copy,
                "{reference}\ttop-up\t{account}\t{number}\t1000000\t{balance}\t0\t{created_at}"
            )?;
        }
        copy.finish()?;
        client.batch_execute("VACUUM ANALYZE ledger")?;
        Ok(())
    }

    fn append(&mut self, case: Case) -> Result<Duration> {
        let url = self.create("bench_ledger", &format!("bench_ledger_{}", case.entries))?;
        let mut client = Client::connect(&url, NoTls)?;
        client.batch_execute("SET synchronous_commit = off")?;
        let balance = client.prepare(BALANCE)?;
        for at in 0..case.wallets {
            client.query(&balance, &[&wallet(at)])?;
        }
        let statement = client.prepare(statement()?.postgres())?;
        round(case, |tip| {
            if tip.nth % BETWEEN_ANALYSES == 0 {
                // As autovacuum does when a table has grown: the plan for an empty one reads all of it.
                client.batch_execute("ANALYZE ledger")?;
            }
            let started = Instant::now();
            client.execute(
                &statement,
                &[
                    &tip.reference,
                    &"tip-given",
                    &tip.payer,
                    &-1_i64,
                    &0_i64,
                    &tip.created_at,
                    &"tip-received",
                    &tip.payee,
                ],
            )?;
            Ok(started.elapsed())
        })
    }
}
