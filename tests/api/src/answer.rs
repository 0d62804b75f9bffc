//! What the application answers.

use http::response::Parts;
use serde_json::Value;

const PROBLEM_TYPE: &str = "https://www.chuangrenmai.com/problems/";

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and path of what was asked, for the failures' texts.
    asked: String,
    /// The status.
    pub status: u16,
    headers: http::HeaderMap,
    /// The body; null where it is none or no JSON.
    pub json: Value,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(asked: String, parts: Parts, body: Vec<u8>) -> Self {
        Self {
            asked,
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
            body,
        }
    }

    /// A header's text, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body's media type without its parameters.
    pub fn media_type(&self) -> Option<&str> {
        self.header("content-type")?.split(';').next()
    }

    /// The request's identifier.
    ///
    /// # Panics
    /// If it is not there.
    pub fn request_id(&self) -> &str {
        self.header("x-request-id")
            .unwrap_or_else(|| panic!("no x-request-id: {self:?}"))
    }

    /// The problem's name, if the answer is a problem.
    pub fn problem(&self) -> Option<&str> {
        self.json["type"].as_str()?.strip_prefix(PROBLEM_TYPE)
    }

    /// The seconds of `Retry-After`.
    ///
    /// # Panics
    /// If it is not there.
    pub fn retry_after(&self) -> u64 {
        let seconds = self
            .header("retry-after")
            .and_then(|value| value.parse().ok());
        seconds.unwrap_or_else(|| panic!("no Retry-After: {self:?}"))
    }

    /// A text member of the body.
    ///
    /// # Panics
    /// If it is not there.
    pub fn text(&self, pointer: &str) -> String {
        let value = self.json.pointer(pointer).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("no text {pointer}: {self:?}"))
            .to_owned()
    }

    /// Itself, if it has this status.
    ///
    /// # Panics
    /// If it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}: {:?} {}",
            self.asked,
            self.headers,
            self.shown()
        );
        self
    }

    /// Itself, if it is the problem `name` with this status.
    ///
    /// # Panics
    /// If it is anything else.
    #[track_caller]
    pub fn expect_problem(self, status: u16, name: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(
            answer.problem(),
            Some(name),
            "{}: {}",
            answer.asked,
            answer.shown()
        );
        answer
    }

    /// The violations of `invalid-fields`, as `field:code`, sorted.
    ///
    /// # Panics
    /// If it is anything else.
    #[track_caller]
    pub fn expect_violations(self, expected: &[&str]) -> Self {
        let answer = self.expect_problem(422, "invalid-fields");
        let violations = answer.json["violations"]
            .as_array()
            .expect("a list")
            .clone();
        let mut named: Vec<_> = violations
            .iter()
            .map(|violation| {
                let part = |member: &str| violation[member].as_str().expect("a text").to_owned();
                format!("{}:{}", part("field"), part("code"))
            })
            .collect();
        named.sort();
        assert_eq!(named, expected, "{}", answer.asked);
        answer
    }

    /// What holds for every answer of the application.
    pub(crate) fn check(&self) {
        let id = self.request_id();
        assert_eq!(
            self.header("x-content-type-options"),
            Some("nosniff"),
            "{self:?}"
        );
        assert!(self.header("cache-control").is_some(), "{self:?}");
        if self.status < 400 {
            return;
        }
        assert_eq!(
            self.media_type(),
            Some("application/problem+json"),
            "{self:?}"
        );
        assert!(
            self.problem().is_some_and(|name| !name.is_empty()),
            "{self:?}"
        );
        assert!(
            self.json["title"]
                .as_str()
                .is_some_and(|title| !title.is_ascii()),
            "{self:?}"
        );
        assert_eq!(self.json["status"], self.status, "{self:?}");
        assert_eq!(self.json["request_id"], id, "{self:?}");
        match self.status {
            401 => assert!(self.header("www-authenticate").is_some(), "{self:?}"),
            405 => assert!(self.header("allow").is_some(), "{self:?}"),
            429 => assert!(self.retry_after() >= 1, "{self:?}"),
            _ => {}
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
