//! What RSA costs in Wasm, and how much of a verification that is.

use std::time::Duration;

use ureq::Agent;

use crate::host::Host;
use crate::load::{self, Request};
use crate::verification::Verifying;
use crate::{get, median};

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(2);
/// So many at a time, so that the request around them hardly counts.
const TIMES: u8 = 10;

/// The table: milliseconds for one operation, and of what a request takes on one connection, how much is RSA.
pub fn table(bare: &Host, person: &Verifying) -> String {
    let rsa = |operation: &str, times: u8| {
        let url = format!("{}/rsa?{operation}={times}", bare.url);
        p50(&(Box::new(move |agent: &Agent| get(agent, &url, "", 200)) as Request))
    };
    let nothing = rsa("sign", 0);
    let once = |operation| (rsa(operation, TIMES) - nothing) / f64::from(TIMES);
    let (sign, verify) = (once("sign"), once("verify"));
    let start = p50(&(Box::new(|agent: &Agent| person.start(agent)) as Request));
    let callback = p50(&(Box::new(|agent: &Agent| person.call_back(agent)) as Request));
    let row = |what: &str, whole: f64, rsa: f64| {
        format!(
            "| {what} | {whole:.2} | {rsa:.2} | {:.0} % |\n",
            100.0 * rsa / whole
        )
    };
    [
        "| RSA-2048 in Wasm, one connection | p50 ms | of it RSA ms | share |\n|---|---|---|---|\n"
            .to_owned(),
        row("one signature (crate `rsa`)", sign, sign),
        row("one verification (our own)", verify, verify),
        row(
            "verification start: two signatures, one verification",
            start,
            2.0 * sign + verify,
        ),
        row(
            "verification callback: one signature, two verifications",
            callback,
            sign + 2.0 * verify,
        ),
    ]
    .concat()
}

fn p50(request: &Request) -> f64 {
    let rounds = (0..ROUNDS).map(|_| load::run(1, ROUND, request));
    median(rounds.collect()).p50_ms
}
