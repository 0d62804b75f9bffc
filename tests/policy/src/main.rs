//! Prints every clause with its status, and writes `POLICY.md`. Exits 1, after naming what is wrong, where
//! clauses and tests do not agree; the page stays as it was then.

use std::fs;
use std::process::ExitCode;

use policy::{PAGE, Policy, root};

fn main() -> ExitCode {
    match report() {
        Ok(listing) => {
            print!("{listing}");
            ExitCode::SUCCESS
        }
        Err(faults) => {
            for fault in faults {
                eprintln!("error: {fault}");
            }
            ExitCode::FAILURE
        }
    }
}

fn report() -> Result<String, Vec<String>> {
    let policy = Policy::read(root())?;
    fs::write(root().join(PAGE), policy.page())
        .map_err(|error| vec![format!("{PAGE}: {error}")])?;
    Ok(policy.listing())
}
