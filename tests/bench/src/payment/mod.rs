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
    appends: Vec<[ledger::Row; 2]>,
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
    text += "\n| appends to the ledger, one after the other | between wallets | entries before | a second | growth |\n\
             |---|---|---|---|---|\n";
    for pair in &report.appends {
        for row in pair {
            writeln!(
                text,
                "| {} | {} | {} | {:.0} | {:.2} |",
                row.engine,
                row.case.wallets,
                row.case.entries,
                row.per_second,
                pair[0].per_second / row.per_second,
            )?;
        }
    }
    Ok(text.trim_end().to_owned())
}
