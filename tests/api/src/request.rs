//! Asking the application.

use std::io::Read as _;

use http::{Method, Request as HttpRequest};
use serde_json::Value;

use crate::answer::Answer;
use crate::contract::Contract;

/// The connection to one application.
pub struct Wire {
    agent: ureq::Agent,
    url: String,
}

/// One request that is being made up.
pub struct Request<'a> {
    wire: &'a Wire,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(url: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections_per_host(64)
            .build()
            .into();
        let url = url.to_owned();
        Self { agent, url }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request {
            wire: self,
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Asks the host's control listener.
    pub(crate) fn control(&self, method: &str, url: &str, body: &Value) -> Value {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = self.exchange(HttpRequest::builder().method(method).uri(url), text);
        assert_eq!(answer.status, 200, "{method} {url} {body}: {answer:?}");
        answer.json
    }

    fn exchange(&self, request: http::request::Builder, body: impl Into<Vec<u8>>) -> Answer {
        self.try_exchange(request, body)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_exchange(
        &self,
        request: http::request::Builder,
        body: impl Into<Vec<u8>>,
    ) -> Result<Answer, String> {
        let body: Vec<u8> = body.into();
        let request = request.body(body).expect("a valid request");
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let failed = |error: &dyn std::fmt::Display| format!("{method} {uri}: {error}");
        let mut response = self.agent.run(request).map_err(|error| failed(&error))?;
        let mut body = Vec::new();
        let read = response.body_mut().as_reader().read_to_end(&mut body);
        read.map_err(|error| failed(&error))?;
        Ok(Answer::new(
            format!("{method} {}", uri.path()),
            response.into_parts().0,
            body,
        ))
    }
}

impl Request<'_> {
    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a session's token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a body as it is, and its media type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }

    /// Sends it with a JSON body.
    pub fn json(self, body: &Value) -> Answer {
        self.body("application/json", body.to_string()).send()
    }

    /// Sends it, and holds the answer against what holds for all answers and against the document.
    ///
    /// # Panics
    /// If the answer is not as it must be.
    pub fn send(self) -> Answer {
        let contract = Contract::of(self.wire);
        let (method, path) = (self.method.clone(), self.path.clone());
        let answer = self.send_unchecked();
        answer.check();
        contract.check(&method, &path, &answer);
        answer
    }

    /// Sends it; the answer may be the host's own, about a component that died.
    pub fn send_unchecked(self) -> Answer {
        self.try_send().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sends it, perhaps to a host that is dying.
    ///
    /// # Errors
    /// There was no answer; why not.
    pub fn try_send(self) -> Result<Answer, String> {
        let uri = format!("{}{}", self.wire.url, self.path);
        let mut request = HttpRequest::builder().method(self.method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.wire.try_exchange(request, self.body)
    }
}
