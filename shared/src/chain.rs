//! Asking another component of the application, through Spin's service chaining: no route from outside leads to
//! the paths below `/internal/`.

use std::time::Duration;

use http::{Method, Request, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::outbound::{self, Limits};

/// What is asked for is done in bounded parts, each far below this; the largest answer is the bytes of an upload of
/// the embedded store, a megabyte in base64.
const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(20),
    max_answer: 2 * 1024 * 1024,
};

/// The other component did not do it, or not all of it, or its answer was lost. What is asked for bears being asked
/// for again.
#[derive(Debug)]
pub struct Unanswered;

/// What a call of work that is done in parts came to, as components tell each other.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// How much was done.
    pub done: usize,
    /// Whether there is more to do at once.
    pub more: bool,
}

/// Asks `component` at `path`, with `question` as JSON.
///
/// # Errors
/// See [`Unanswered`].
pub fn ask<T: DeserializeOwned>(
    component: &str,
    path: &str,
    question: &impl Serialize,
) -> Result<T, Unanswered> {
    let body = serde_json::to_vec(question).map_err(|_| Unanswered)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{component}.spin.internal{path}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|_| Unanswered)?;
    let answer = outbound::send_within(&request, &LIMITS).map_err(|_| Unanswered)?;
    if !answer.status().is_success() {
        return Err(Unanswered);
    }
    serde_json::from_slice(answer.body()).map_err(|_| Unanswered)
}
