//! An operator's webhook: takes every POST and keeps it.

use std::sync::Mutex;

use crate::http::{Request, response};
use crate::stand_in::{Provider, Refusal, StandIn, locked};

/// A running webhook. It can refuse: `plan(Behaviour::Refuse(500, "broken"))`.
pub type Webhook = StandIn<Recorder>;

/// What the webhook was told.
#[derive(Default)]
pub struct Recorder {
    posts: Mutex<Vec<Request>>,
}

impl StandIn<Recorder> {
    /// Starts one.
    pub fn start() -> Self {
        Self::serve(Recorder::default())
    }

    /// The requests that were accepted, in order.
    pub fn posts(&self) -> Vec<Request> {
        locked(&self.provider().posts).clone()
    }
}

impl Provider for Recorder {
    type Accepted = Request;

    fn check(&self, request: &Request, _now_ms: i64) -> Result<Request, Refusal> {
        if request.method != "POST" {
            return Err((405, "method"));
        }
        Ok(request.clone())
    }

    fn accept(&self, request: Request) -> Vec<u8> {
        locked(&self.posts).push(request);
        response("POST", 204, &[], b"")
    }

    fn refuse(&self, request: &Request, (status, code): Refusal) -> Vec<u8> {
        let headers = [("content-type", "text/plain")];
        response(&request.method, status, &headers, code.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Behaviour;
    use crate::http::exchange;

    #[test]
    fn posts_are_kept_unless_they_are_refused() {
        let webhook = Webhook::start();
        webhook.plan(Behaviour::Refuse(500, "broken"));
        let post = b"POST /secret HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(exchange(webhook.url(), post).0, 500);
        assert_eq!(exchange(webhook.url(), post).0, 204);
        let posts = webhook.posts();
        let [kept] = &posts[..] else {
            panic!("{posts:?}")
        };
        assert_eq!(
            (kept.path.as_str(), &kept.body[..]),
            ("/secret", &b"{}"[..])
        );
    }
}
