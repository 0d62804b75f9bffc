//! `/v1/uploads/{id}/form`: where a form leads to when no bucket is configured. The signed form authorises;
//! there is no session, as there would be none at OSS.

use http::header;
use shared::http::{Answer, Context, Id, ProblemBody};
use utoipa::ToSchema;

use crate::error::Error;
use crate::multipart;
use crate::rows;
use crate::store::Embedded;

/// The largest file with the fields before it, in bytes.
pub const MAX_BODY: usize = 1_100_000;

/// The fields of the form that `POST /v1/uploads` answered, and behind them the file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct SentForm {
    key: String,
    #[schema(rename = "Content-Type")]
    content_type: String,
    success_action_status: String,
    policy: String,
    signature: String,
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Send a file
///
/// Only where the service keeps the files itself: `POST /v1/uploads` names the URL. The same form with the
/// same file can be sent again.
#[utoipa::path(post, path = "/v1/uploads/{id}/form", tag = "uploads",
    params(("id" = String, Path, format = Uuid, description = "the upload")),
    request_body(content = SentForm, content_type = "multipart/form-data"),
    responses(
        (status = 204, description = "the file has arrived"),
        (status = 400, description = "`malformed-form`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`upload-form-invalid`, `upload-form-expired`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: the upload is gone",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`upload-already-stored`: with another file",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`upload-mismatch`: `which` is `size` or `content`; nothing was stored",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`upload-storage-full`, `upload-storage-unavailable`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn receive(cx: &Context, Id(id): Id) -> Result<Answer, Error> {
    let boundary = cx
        .header(header::CONTENT_TYPE.as_str())
        .and_then(multipart::boundary)
        .ok_or(Error::NotAForm)?;
    let parts =
        multipart::read(&boundary, cx.request().body()).map_err(|_| Error::MalformedForm)?;
    let upload = rows::find(cx, id)?;
    if upload.is_ready {
        return Err(Error::FormInvalid);
    }
    Embedded::configured()?.receive(cx, &upload, &parts)?;
    Ok(Answer::no_content())
}
