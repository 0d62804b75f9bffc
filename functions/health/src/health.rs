//! `/v1/health`

use http::StatusCode;
use serde::Serialize;
use shared::http::{Answer, Context, Problem, ProblemBody};
use shared::log::Level;
use shared::sql::{SCHEMA_VERSION, SqlError, statements};
use utoipa::{OpenApi, ToSchema};

statements! {
    /// The newest migration that has run.
    NEWEST = "SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1";
}

/// The application is ready.
#[derive(Serialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Ask whether the application is ready
#[utoipa::path(get, path = "/v1/health", tag = "service",
    responses(
        (status = 200, body = Health),
        (status = 503, description = "`not-ready`: no database, or one that is not migrated",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context) -> Result<Answer, Problem> {
    let newest = match cx.sql()?.first(&NEWEST, &[]) {
        Ok(row) => row.map(|row| row.get("version")).transpose()?,
        // Before the first migration there is no such table.
        Err(SqlError::Failed) => None,
        Err(error) => return Err(error.into()),
    };
    if newest == Some(SCHEMA_VERSION) {
        return Ok(Answer::ok(&Health { status: "ok" }));
    }
    Err(
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "服务尚未就绪").because(
            Level::Alarm,
            format!("schema version {newest:?}, need {SCHEMA_VERSION}: run scripts/migrate"),
        ),
    )
}

#[derive(OpenApi)]
#[openapi(paths(read))]
struct Document;

/// The route's documentation.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
