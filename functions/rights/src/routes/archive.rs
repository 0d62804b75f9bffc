//! `/v1/exports/{id}/archive`: the copy itself, by the page that the mailed link opens (clause R6).

use http::header;
use shared::http::{Answer, Context, Id, ProblemBody};
use utoipa::ToSchema;

use super::link::LinkToken;
use crate::error::Error;
use crate::export::Archive;

/// A zip.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct Zip(Vec<u8>);

/// The page's form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct DownloadForm {
    /// Of the link.
    token: String,
}

/// Download a copy of one's data
///
/// By the form of `GET /v1/exports/{id}`, without a session: once, and for ten minutes again should the download break
/// off. An answer is not kept for an `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/exports/{id}/archive", tag = "rights",
    params(("id" = String, Path, format = Uuid, description = "the export")),
    request_body(content = DownloadForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "the archive", content_type = "application/zip", body = Zip),
        (status = 404, description = "`not-found`: there is no such link",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`export-downloaded`, `export-expired`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(cx: &Context, Id(id): Id) -> Result<Answer, Error> {
    let LinkToken(token) = LinkToken::among(cx.request().body())?;
    let archive = Archive::open(cx, id, &token)?;
    Ok(Answer::chunks("application/zip", archive).header(
        header::CONTENT_DISPOSITION,
        "attachment; filename=\"chuangrenmai-data.zip\"",
    ))
}
