//! Problems: every error that leaves is one of these (RFC 9457, `application/problem+json`).

use http::{HeaderName, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::json::Violation;
use super::{Answer, Context};
use crate::crypto::Broken;
use crate::key_value::Unavailable;
use crate::log::Level;
use crate::sql::{OpenError, SqlError};
use crate::time::Timestamp;
use crate::variables::Misconfigured;

const TYPE_PREFIX: &str = "https://www.chuangrenmai.com/problems/";

/// A problem: its status, its stable name, what the person reads, and fields for the machine.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    name: &'static str,
    title: &'static str,
    fields: Map<String, Value>,
    headers: Vec<(HeaderName, String)>,
    /// What the log must say of it, where the fault is ours.
    cause: Option<Cause>,
}

#[derive(Debug)]
struct Cause {
    level: Level,
    text: String,
}

/// A problem as it is answered. Further members depend on its type.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A URI that names the kind of problem and never changes.
    #[serde(rename = "type")]
    #[schema(example = "https://www.chuangrenmai.com/problems/unauthenticated")]
    kind: String,
    /// What the person reads.
    #[schema(example = "请先登录")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 401)]
    status: u16,
    /// The request's identifier, as in the header `x-request-id`.
    request_id: Uuid,
    #[serde(flatten)]
    #[schema(ignore)]
    fields: Map<String, Value>,
}

impl Problem {
    /// A problem named `name` (in lower case with hyphens), titled for the person.
    pub fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        Self {
            status,
            name,
            title,
            fields: Map::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Adds a member for the machine.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds `Retry-After`: the seconds from `now` until `at`, at least one.
    #[must_use]
    pub fn retry_at(self, now: Timestamp, at: Timestamp) -> Self {
        self.retry_after(now.seconds_until(at))
    }

    /// Adds `Retry-After`, at least one second.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, seconds.max(1).to_string())
    }

    /// Adds what the log is to say. It must hold no value of a person's.
    #[must_use]
    pub fn because(mut self, level: Level, text: impl Into<String>) -> Self {
        self.cause = Some(Cause {
            level,
            text: text.into(),
        });
        self
    }

    /// The title for the person.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// The status it answers.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// 401: no session, or one that has ended.
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "请先登录")
            .header(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// 404: nothing there, or nothing that the asker may know of.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "您访问的内容不存在")
    }

    /// 422: `violations` says of each field what is wrong with it.
    pub fn invalid_fields(violations: &[Violation]) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-fields",
            "提交的内容有误",
        )
        .with(
            "violations",
            serde_json::to_value(violations).expect("violations are plain data"),
        )
    }

    /// 503: something behind us is away; the same may succeed later, and nothing was changed by halves.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "服务暂时不可用,请稍后再试",
        )
        .retry_after(5)
    }

    /// 500: the fault is ours.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "服务器出错了",
        )
    }

    pub(super) fn into_answer(self, id: Uuid) -> Answer {
        let body = ProblemBody {
            kind: format!("{TYPE_PREFIX}{}", self.name),
            title: self.title,
            status: self.status.as_u16(),
            request_id: id,
            fields: self.fields,
        };
        let mut answer = Answer::json(self.status, &body)
            .header(header::CONTENT_TYPE, "application/problem+json");
        for (name, value) in self.headers {
            answer = answer.header(name, &value);
        }
        answer
    }

    /// Logs what the log must say of it: also for one that is survived and not answered.
    pub fn log(&self, cx: &Context) {
        if let Some(cause) = &self.cause {
            let fields = [
                ("problem", self.name.into()),
                ("cause", cause.text.as_str().into()),
                ("path", cx.request().uri().path().into()),
            ];
            cx.log(cause.level, "problem", &fields);
        }
    }
}

/// Lets `?` lift whatever is a problem already into a feature's error enum, as its variant `Problem`.
#[macro_export]
#[doc(hidden)]
macro_rules! __lift_problems {
    ($error:ident) => {
        $crate::http::lift_problems!($error:
            $crate::http::Problem,
            $crate::crypto::Broken,
            $crate::key_value::Unavailable,
            $crate::sql::OpenError,
            $crate::sql::SqlError,
            $crate::variables::Misconfigured,
        );
    };
    ($error:ident: $($source:ty,)*) => {
        $(impl From<$source> for $error {
            fn from(source: $source) -> Self {
                Self::Problem(source.into())
            }
        })*
    };
}

pub use crate::__lift_problems as lift_problems;

impl From<SqlError> for Problem {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Unavailable => {
                Self::unavailable().because(Level::Error, "database unavailable")
            }
            // A constraint that the code did not expect is a fault of the code.
            SqlError::Constraint(constraint) => {
                Self::internal().because(Level::Error, format!("{constraint:?}"))
            }
            SqlError::Failed => Self::internal().because(Level::Error, "statement failed"),
            SqlError::Mismatch { column } => {
                Self::internal().because(Level::Error, format!("column {column} mismatched"))
            }
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Misconfigured(misconfigured) => misconfigured.into(),
            OpenError::Sql(error) => error.into(),
        }
    }
}

impl From<Misconfigured> for Problem {
    fn from(Misconfigured { variable }: Misconfigured) -> Self {
        Self::internal().because(Level::Alarm, format!("variable {variable} is unusable"))
    }
}

impl From<Unavailable> for Problem {
    fn from(Unavailable: Unavailable) -> Self {
        Self::unavailable().because(Level::Error, "key-value store unavailable")
    }
}

impl From<Broken> for Problem {
    fn from(Broken: Broken) -> Self {
        Self::internal().because(Level::Alarm, "a sealed value does not open")
    }
}
