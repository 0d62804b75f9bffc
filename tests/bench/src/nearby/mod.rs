//! `bench nearby [PEOPLE…]`: searching for people nearby, by the number of people there are.
//!
//! The same people, clustered like China's cities, lie in SQLite, in PostgreSQL, in PostGIS and in Redis; each is
//! asked the same questions by a native client. Then the whole stack is asked, and updated while it is searched.
//! The servers come from the environment: `BENCH_POSTGRES_URL` (a superuser's) and `BENCH_REDIS_URL`.

mod crowd;
mod engines;
mod stack;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::load::Measured;
use crowd::Crowd;
use engines::{Engine, Ours, PostGis, Postgres, Question, Redis, Sqlite};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Where is asked from.
const QUESTIONS: usize = 300;
const LIMIT: u32 = 20;
/// The two questions: the nearest few of a wide circle, and of a small one.
const RADII: [i64; 2] = [50_000, 5000];

/// One engine's answers to one question about one crowd.
#[derive(Serialize)]
struct Row {
    people: usize,
    engine: &'static str,
    radius: i64,
    p50_ms: f64,
    p99_ms: f64,
    rows: f64,
    /// The median over those askers whose page is full in the smallest crowd too.
    full_p50_ms: f64,
}

#[derive(Default, Serialize)]
struct Report {
    engines: Vec<Row>,
    /// People, radius, and the median of the milliseconds that our code takes to find the ranges.
    covers: Vec<(usize, i64, f64)>,
    stack: Vec<stack::Row>,
    updates: Vec<stack::Updates>,
}

/// Measures, prints Markdown tables, and writes `target/bench-nearby.json`.
///
/// # Errors
/// A server is not there, or refuses something.
pub fn run(sizes: &[String]) -> Result<()> {
    let sizes = match sizes {
        [] => SIZES.to_vec(),
        sizes => sizes
            .iter()
            .map(|size| size.parse())
            .collect::<Result<_, _>>()?,
    };
    let mut report = Report::default();
    let mut full_at_first: Option<Vec<bool>> = None;
    for people in sizes {
        eprintln!("{people} people");
        let state = tempfile::tempdir()?;
        let crowd = Crowd::draw(people);
        let database = state.path().join("sqlite_db.db");
        crate::prepare(&database)?;
        crowd.fill_sqlite(&database)?;
        let urls = crowd.fill_postgres(&variable("BENCH_POSTGRES_URL")?)?;
        let redis_url = variable("BENCH_REDIS_URL")?;
        crowd.fill_redis(&redis_url)?;
        {
            let mut engines: Vec<Box<dyn Engine>> = vec![
                Box::new(Sqlite::open(&database)?),
                Box::new(Postgres::open(&urls.database)?),
                Box::new(PostGis::cards(&urls.database)?),
                Box::new(PostGis::identifiers(&urls.database)?),
                Box::new(Redis::open(&redis_url)?),
            ];
            let counted = Ours::open(&database)?;
            for radius in RADII {
                let places = crowd::questions(QUESTIONS).into_iter();
                let questions: Vec<_> = places
                    .map(|from| Question::new(from, radius, LIMIT))
                    .collect();
                let covered_in: Vec<_> = questions
                    .iter()
                    .map(|question| question.covered_in)
                    .collect();
                report
                    .covers
                    .push((people, radius, percentile(&covered_in, 0.5)));
                for engine in &mut engines {
                    let (row, full) = ask(
                        engine.as_mut(),
                        &counted,
                        (people, radius),
                        &questions,
                        full_at_first.as_deref(),
                    )?;
                    eprintln!("{}: {:.3} ms", row.engine, row.p50_ms);
                    report.engines.push(row);
                    if radius == RADII[0] {
                        full_at_first.get_or_insert(full);
                    }
                }
            }
        }
        report
            .stack
            .push(stack::search(people, "SQLite", state.path(), &[])?);
        report
            .updates
            .push(stack::update_all(people, state.path(), false)?);
        report
            .updates
            .push(stack::update_all(people, state.path(), true)?);
        let variables = [
            ("database_url", urls.database.as_str()),
            ("database_host", urls.host.as_str()),
        ];
        report.stack.push(stack::search(
            people,
            "PostgreSQL",
            state.path(),
            &variables,
        )?);
        urls.drop_database()?;
    }
    std::fs::write(
        "target/bench-nearby.json",
        serde_json::to_vec_pretty(&report)?,
    )?;
    print!("{}", tables(&report)?);
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: scripts/bench sets it"))
}

/// Asks all questions once to warm up and once for the clock.
fn ask(
    engine: &mut dyn Engine,
    counted: &Ours,
    (people, radius): (usize, i64),
    questions: &[Question],
    full_at_first: Option<&[bool]>,
) -> Result<(Row, Vec<bool>)> {
    let mut full = Vec::new();
    for question in questions {
        full.push(engine.search(question)? >= LIMIT as usize);
    }
    let mut times = Vec::new();
    for question in questions {
        let before = Instant::now();
        engine.search(question)?;
        times.push(before.elapsed());
    }
    let selected = full_at_first.unwrap_or(&full);
    let full_times = times
        .iter()
        .zip(selected)
        .filter(|(_, full)| **full)
        .map(|(time, _)| *time);
    let mut rows = 0;
    for question in questions {
        rows += match engine.rows(question)? {
            Some(rows) => rows,
            None => counted.rows(question)?,
        };
    }
    let row = Row {
        people,
        engine: engine.name(),
        radius,
        p50_ms: percentile(&times, 0.5),
        p99_ms: percentile(&times, 0.99),
        rows: rows as f64 / questions.len() as f64,
        full_p50_ms: percentile(&full_times.collect::<Vec<_>>(), 0.5),
    };
    Ok((row, full))
}

fn percentile(times: &[Duration], share: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
    times
        .get(at)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

fn tables(report: &Report) -> Result<String> {
    let mut text = String::from(
        "| people | the nearest 20 within | asked | p50 ms | p99 ms | rows touched | p50 ms at full pages |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in &report.engines {
        writeln!(
            text,
            "| {} | {} km | {} | {:.3} | {:.3} | {:.0} | {:.3} |",
            row.people,
            row.radius / 1000,
            row.engine,
            row.p50_ms,
            row.p99_ms,
            row.rows,
            row.full_p50_ms
        )?;
    }
    for radius in RADII {
        let covers = report.covers.iter().filter(|(_, of, _)| *of == radius);
        let times: Vec<_> = covers
            .map(|(_, _, ms)| Duration::from_secs_f64(ms / 1000.0))
            .collect();
        let (km, ms) = (radius / 1000, percentile(&times, 0.5));
        writeln!(
            text,
            "| any | {km} km | our code: the ranges | {ms:.3} | | | |"
        )?;
    }
    text += "\n| people | the whole stack, 16 connections | a second | p50 ms | p99 ms |\n|---|---|---|---|---|\n";
    for row in &report.stack {
        let Measured {
            per_second,
            p50_ms,
            p99_ms,
        } = &row.measured;
        writeln!(
            text,
            "| {} | {} | {per_second:.0} | {p50_ms:.2} | {p99_ms:.2} |",
            row.people, row.database
        )?;
    }
    text += "\n| people | updates on SQLite, 16 connections, while 4 search | a second | p50 ms | p99 ms | limit, a second | of its limit |\n\
             |---|---|---|---|---|---|---|\n";
    for row in &report.updates {
        let Measured {
            per_second,
            p50_ms,
            p99_ms,
        } = &row.measured;
        let how = if row.moving {
            "into another cell"
        } else {
            "in the same cell"
        };
        writeln!(
            text,
            "| {} | {how} | {per_second:.0} | {p50_ms:.2} | {p99_ms:.2} | {:.0} | {:.2} |",
            row.people,
            row.limit.per_second,
            per_second / row.limit.per_second
        )?;
    }
    Ok(text)
}
