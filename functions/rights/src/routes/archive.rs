//! `/v1/exports/{id}/archive`: the copy itself, by the link that was mailed (clause R6).

use http::header;
use shared::http::{Answer, Context, Id, ProblemBody};
use utoipa::ToSchema;

use crate::error::Error;
use crate::export::Archive;

/// A zip.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct Zip(Vec<u8>);

/// Download a copy of one's data
///
/// By the link that was mailed, without a session: once, and for ten minutes again should the download break off.
#[utoipa::path(get, path = "/v1/exports/{id}/archive", tag = "rights",
    params(
        ("id" = String, Path, format = Uuid, description = "the export"),
        ("token" = String, Query, description = "of the link"),
    ),
    responses(
        (status = 200, description = "the archive", content_type = "application/zip", body = Zip),
        (status = 404, description = "`not-found`: there is no such link",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`export-downloaded`, `export-expired`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, Id(id): Id) -> Result<Answer, Error> {
    let query = cx.request().uri().query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let token = pairs.find_map(|(key, value)| (key == "token").then_some(value));
    let archive = Archive::open(cx, id, &token.unwrap_or_default())?;
    Ok(Answer::chunks("application/zip", archive)
        .header(
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"chuangrenmai-data.zip\"",
        )
        // The address has the token in it.
        .header(header::REFERRER_POLICY, "no-referrer"))
}
