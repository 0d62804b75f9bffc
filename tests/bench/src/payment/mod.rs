//! `bench payment`: notifications of each institution, verified and credited through the whole stack, and what of
//! that is cryptography; and the ledger's append, by how many entries there are.
//!
//! The PostgreSQL server comes from the environment: `BENCH_POSTGRES_URL` (a superuser's).

mod ledger;
mod stack;

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

#[derive(Serialize)]
struct Report {
    institutions: Vec<stack::Row>,
    appends: Vec<ledger::Row>,
}

/// Measures, prints Markdown tables, and writes `target/bench-payment.json`.
///
/// # Errors
/// A server is not there, or refuses something.
pub fn run() -> Result<()> {
    let report = Report {
        institutions: stack::measure()?,
        appends: ledger::measure()?,
    };
    std::fs::write(
        "target/bench-payment.json",
        serde_json::to_vec_pretty(&report)?,
    )?;
    println!("{}", tables(&report)?);
    Ok(())
}

fn tables(report: &Report) -> Result<String> {
    let mut text = String::from(
        "| notifications of a payment, on SQLite | credited a second, 16 connections | p50 ms, one connection | \
         of it cryptography ms | share |\n|---|---|---|---|---|\n",
    );
    for row in &report.institutions {
        writeln!(
            text,
            "| {} | {:.0} | {:.2} | {:.2} | {:.0} % |",
            row.institution,
            row.per_second,
            row.p50_ms,
            row.cryptography_ms,
            100.0 * row.cryptography_ms / row.p50_ms,
        )?;
    }
    text += "\n| appends to the ledger, one after the other | entries before | a second | p50 ms | growth |\n\
             |---|---|---|---|---|\n";
    for rows in report.appends.chunks(2) {
        for row in rows {
            writeln!(
                text,
                "| {} | {} | {:.0} | {:.3} | {:.2} |",
                row.engine,
                row.entries,
                row.per_second,
                row.p50_ms,
                row.p50_ms / rows[0].p50_ms,
            )?;
        }
    }
    Ok(text.trim_end().to_owned())
}
