//! What a handler knows of the request and of the host.

use std::cell::OnceCell;

use http::Request;
use uuid::Uuid;

use super::Problem;
use crate::key_value::{KeyValue, Unavailable};
use crate::log::{self, Level};
use crate::random;
use crate::session::Session;
use crate::sql::{OpenError, Sql};
use crate::time::Timestamp;

/// One request and its host. The doors open when they are first used, and once.
pub struct Context {
    request: Request<Vec<u8>>,
    parameters: Vec<(&'static str, String)>,
    id: Uuid,
    now: Timestamp,
    sql: OnceCell<Sql>,
    key_value: OnceCell<KeyValue>,
    /// Several guards need it; it is looked for once.
    pub(crate) session: OnceCell<Session>,
}

impl Context {
    pub(super) fn new(
        request: Request<Vec<u8>>,
        parameters: Vec<(&'static str, String)>,
        id: Uuid,
        now: Timestamp,
    ) -> Self {
        Self {
            request,
            parameters,
            id,
            now,
            sql: OnceCell::new(),
            key_value: OnceCell::new(),
            session: OnceCell::new(),
        }
    }

    /// The request with its body.
    pub fn request(&self) -> &Request<Vec<u8>> {
        &self.request
    }

    /// A header's text; `None` if it is not there, or is no text.
    ///
    /// Of several lines the last counts: Spin adds its own headers after those that a client sent in
    /// their name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.request.headers().get_all(name);
        lines.iter().next_back()?.to_str().ok()
    }

    /// The request's identifier, which its answer and its log lines carry.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When the request came. It is one moment for the whole request.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// An identifier for a new row, which sorts by this request's time.
    pub fn new_id(&self) -> Uuid {
        random::id(self.now, &mut random::host())
    }

    /// The database, opened at the first call.
    ///
    /// # Errors
    /// It does not open.
    pub fn sql(&self) -> Result<&Sql, OpenError> {
        match self.sql.get() {
            Some(sql) => Ok(sql),
            None => {
                let sql = Sql::open()?;
                Ok(self.sql.get_or_init(|| sql))
            }
        }
    }

    /// The key-value store, opened at the first call.
    ///
    /// # Errors
    /// It does not open.
    pub fn key_value(&self) -> Result<&KeyValue, Unavailable> {
        match self.key_value.get() {
            Some(store) => Ok(store),
            None => {
                let store = KeyValue::open()?;
                Ok(self.key_value.get_or_init(|| store))
            }
        }
    }

    /// Logs an event of this request; see [`log::event`].
    pub fn log(&self, level: Level, event: &str, fields: &[(&str, serde_json::Value)]) {
        log::event(level, self.id, event, fields);
    }

    /// The path's segment in the braces `{name}`.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find_map(|(key, value)| (*key == name).then_some(value.as_str()))
    }
}

/// Something that must hold, or be there, before a handler runs.
pub trait FromContext: Sized {
    /// Finds it.
    ///
    /// # Errors
    /// What is answered where it does not hold.
    fn from_context(cx: &Context) -> Result<Self, Problem>;
}
