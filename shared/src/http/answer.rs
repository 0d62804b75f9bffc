//! A successful answer.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::Problem;

/// An answer.
pub struct Answer(pub(super) Response<Body>);

/// What an answer holds: nearly all are whole in memory, for none of those is large.
pub(super) enum Body {
    Whole(Vec<u8>),
    Chunks(Chunks),
}

/// What an answer is made of, one piece after the other.
pub(super) type Chunks = Box<dyn Iterator<Item = Result<Vec<u8>, Problem>>>;

/// Marks an answer that is not the call's last.
#[derive(Clone)]
struct Unfinished;

impl Answer {
    /// `body` as JSON.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).expect("our answers have text keys only");
        Self::bytes(status, "application/json", bytes)
    }

    /// 200 with `body` as JSON.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 204.
    pub fn no_content() -> Self {
        let mut response = Response::new(Body::Whole(Vec::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        Self(response)
    }

    /// `body` as it is, of the media type `content_type`.
    pub fn bytes(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self::new(status, content_type, Body::Whole(body))
    }

    /// 200 with a body that is made piece by piece as the client takes it, so that its size needs no memory. A
    /// piece that cannot be made breaks the answer off, which the client notices.
    ///
    /// The request's own connections are closed by then: the pieces open theirs.
    ///
    /// Such an answer is not kept for an `Idempotency-Key`: the same call again is another one.
    pub fn chunks(
        content_type: &'static str,
        chunks: impl Iterator<Item = Result<Vec<u8>, Problem>> + 'static,
    ) -> Self {
        Self::new(StatusCode::OK, content_type, Body::Chunks(Box::new(chunks)))
    }

    fn new(status: StatusCode, content_type: &'static str, body: Body) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self(response)
    }

    /// The call is not at its end: with the same `Idempotency-Key` it goes on, and this answer is not given
    /// again. Only for a handler that finds by [`super::request_key`] what it did before.
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.0.extensions_mut().insert(Unfinished);
        self
    }

    /// The body, if it is to be given again: it is whole in memory, and the call's last.
    pub(super) fn lasting(&self) -> Option<&[u8]> {
        match self.0.body() {
            Body::Whole(body) if self.0.extensions().get::<Unfinished>().is_none() => Some(body),
            Body::Whole(_) | Body::Chunks(_) => None,
        }
    }

    /// Sets a header.
    ///
    /// # Panics
    /// If `value` has characters that no header may have: values are ours, never a client's.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("header values are made of visible ASCII");
        self.0.headers_mut().insert(name, value);
        self
    }
}
