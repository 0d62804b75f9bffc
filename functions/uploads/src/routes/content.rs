//! `/v1/uploads/{id}/content`: the bytes, where the service keeps them itself. The signed link authorises.

use http::{StatusCode, header};
use shared::http::{Answer, Context, Id, ProblemBody};
use utoipa::ToSchema;

use crate::error::Error;
use crate::rows;
use crate::store::Embedded;

/// An upload as it was sent; a picture without its metadata.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct Bytes(Vec<u8>);

/// Read an upload's bytes
///
/// By a link of `GET /v1/uploads/{id}/link`.
#[utoipa::path(get, path = "/v1/uploads/{id}/content", tag = "uploads",
    params(
        ("id" = String, Path, format = Uuid, description = "the upload"),
        ("expires" = i64, Query, description = "of the link"),
        ("reader" = String, Query, description = "of the link"),
        ("signature" = String, Query, description = "of the link"),
    ),
    responses(
        (status = 200, description = "the bytes", content(
            (Bytes = "image/jpeg"), (Bytes = "image/png"), (Bytes = "image/webp"),
            (Bytes = "audio/aac"), (Bytes = "audio/amr"), (Bytes = "audio/mp4"),
            (Bytes = "audio/mpeg"), (Bytes = "video/mp4"),
        )),
        (status = 403, description = "`link-invalid`: changed, or expired",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: the upload is gone",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, Id(id): Id) -> Result<Answer, Error> {
    let store = Embedded::configured()?;
    let query = cx.request().uri().query().unwrap_or_default();
    let link = store
        .linked(id, query, cx.now())
        .ok_or(Error::LinkInvalid)?;
    let upload = rows::find_shown(cx, link.upload_id)?;
    if !upload.is_ready {
        return Err(Error::NotFound);
    }
    let bytes = store.read(cx, &upload)?;
    let max_age = cx.now().seconds_until(link.expires_at);
    Ok(Answer::bytes(StatusCode::OK, upload.content_type, bytes)
        .header(header::CONTENT_DISPOSITION, "inline")
        .header(
            header::CACHE_CONTROL,
            &format!("private, max-age={max_age}"),
        )
        // Should a browser ever take the bytes for a page, nothing in it runs or loads.
        .header(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ))
}
