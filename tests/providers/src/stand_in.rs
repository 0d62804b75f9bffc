//! What every stand-in shares: it listens, looks at the clock, checks, records refusals, and misbehaves.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::http::Request;

/// Status and error code, which each provider puts into words of its own.
pub type Refusal = (u16, &'static str);

/// How the next request is answered, whatever it says. It is still checked: one that is refused is
/// answered as the provider refuses it.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// With this status and error code; the request has no effect.
    Refuse(u16, &'static str),
    /// With these bytes on the wire, whatever they are; the request has no effect.
    Raw(Vec<u8>),
    /// Carries the request out and never answers.
    Hang,
    /// Carries the request out and answers a byte a second.
    Drip,
    /// Breaks the connection off; the request has no effect.
    Close,
}

/// What one third party checks and answers.
pub trait Provider: Send + Sync + 'static {
    /// A request that was found to be in order.
    type Accepted;

    /// Checks a request at a time in milliseconds since 1970.
    ///
    /// # Errors
    /// The refusal that the provider gives it.
    fn check(&self, request: &Request, now_ms: i64) -> Result<Self::Accepted, Refusal>;

    /// Carries out what was accepted; the answer, as bytes on the wire.
    fn accept(&self, accepted: Self::Accepted) -> Vec<u8>;

    /// The answer to a refused request, as bytes on the wire.
    fn refuse(&self, request: &Request, refusal: Refusal) -> Vec<u8>;
}

/// A running stand-in. It listens until the process ends.
pub struct StandIn<P> {
    shared: Arc<Shared<P>>,
    url: String,
}

struct Shared<P> {
    provider: P,
    state: Mutex<State>,
    /// Hanging connections wait here.
    released: Condvar,
}

#[derive(Default)]
struct State {
    now_ms: Option<i64>,
    planned: VecDeque<Behaviour>,
    refusals: Vec<&'static str>,
    is_released: bool,
}

impl<P: Provider> StandIn<P> {
    /// Starts one on a port of its own.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub(crate) fn serve(provider: P) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            provider,
            state: Mutex::default(),
            released: Condvar::new(),
        });
        let server = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.answer(stream));
            }
        });
        let url = format!("http://{address}");
        Self { shared, url }
    }

    /// `http://address`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The time that dates are compared with, in milliseconds since 1970; real time until this is set.
    pub fn set_clock(&self, now_ms: i64) {
        self.shared.state().now_ms = Some(now_ms);
    }

    /// The next request is answered so, the one after it after the next call of this, then as usual.
    pub fn plan(&self, behaviour: Behaviour) {
        self.shared.state().planned.push_back(behaviour);
    }

    /// The codes of the requests that were refused because something is wrong with them.
    pub fn refusals(&self) -> Vec<&'static str> {
        self.shared.state().refusals.clone()
    }

    pub(crate) fn provider(&self) -> &P {
        &self.shared.provider
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.shared.now_ms()
    }
}

impl<P> Drop for StandIn<P> {
    fn drop(&mut self) {
        self.shared.state().is_released = true;
        self.shared.released.notify_all();
    }
}

impl<P> Shared<P> {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn now_ms(&self) -> i64 {
        let real = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let millis = since.expect("the clock is right").as_millis();
            i64::try_from(millis).expect("this is not the far future")
        };
        self.state().now_ms.unwrap_or_else(real)
    }

    /// Waits, but not longer than the stand-in lives; whether it still lives.
    fn wait(&self, time: Duration) -> bool {
        let state = self.state();
        let time = time.min(Duration::from_secs(60));
        let waited = self
            .released
            .wait_timeout_while(state, time, |state| !state.is_released);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_released
    }

    fn drip(&self, stream: &mut TcpStream, answer: &[u8]) -> std::io::Result<()> {
        for byte in answer {
            stream.write_all(&[*byte])?;
            if !self.wait(Duration::from_secs(1)) {
                break;
            }
        }
        Ok(())
    }
}

impl<P: Provider> Shared<P> {
    fn answer(&self, mut stream: TcpStream) {
        let Some(request) = Request::read(&stream) else {
            return;
        };
        let behaviour = self.state().planned.pop_front();
        let outcome = self.provider.check(&request, self.now_ms());
        if let Err((_, code)) = outcome {
            self.state().refusals.push(code);
        }
        // A client that has gone away is no fault of the stand-in's.
        let _ = match (outcome, behaviour) {
            (Err(refusal), _) => stream.write_all(&self.provider.refuse(&request, refusal)),
            (Ok(_), Some(Behaviour::Refuse(status, code))) => {
                stream.write_all(&self.provider.refuse(&request, (status, code)))
            }
            (Ok(_), Some(Behaviour::Raw(bytes))) => stream.write_all(&bytes),
            (Ok(_), Some(Behaviour::Close)) => Ok(()),
            (Ok(accepted), Some(Behaviour::Hang)) => {
                self.provider.accept(accepted);
                self.wait(Duration::MAX);
                Ok(())
            }
            (Ok(accepted), Some(Behaviour::Drip)) => {
                let answer = self.provider.accept(accepted);
                self.drip(&mut stream, &answer)
            }
            (Ok(accepted), None) => stream.write_all(&self.provider.accept(accepted)),
        };
    }
}

/// A test that panicked elsewhere is no reason to panic here.
pub(crate) fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
