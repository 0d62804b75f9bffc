//! Load: so many connections, each sending its next request when the last one is answered.

use std::time::{Duration, Instant};

use serde::Serialize;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Requests a second.
    pub per_second: f64,
    /// The median time of a request, in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile, in milliseconds.
    pub p99_ms: f64,
}

/// Sends one request with the given client and checks its answer.
pub type Request<'a> = Box<dyn Fn(&ureq::Agent) + Sync + 'a>;

/// Runs `request` on `connections` threads for `duration`, each with a client of its own.
pub fn run(connections: usize, duration: Duration, request: &Request) -> Measured {
    let started = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let agent = agent();
                    let mut times = Vec::new();
                    while started.elapsed() < duration {
                        let before = Instant::now();
                        request(&agent);
                        times.push(before.elapsed());
                    }
                    times
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a request failed"))
            .collect()
    });
    let elapsed = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let percentile = |share: f64| {
        let at = ((times.len() as f64 * share) as usize).min(times.len() - 1);
        times[at].as_secs_f64() * 1000.0
    };
    Measured {
        per_second: times.len() as f64 / elapsed,
        p50_ms: percentile(0.5),
        p99_ms: percentile(0.99),
    }
}

/// A client that reports every status as an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}
