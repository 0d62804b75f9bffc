//! `/v1/uploads/{id}/complete`: the check before anything may refer to an upload (clauses E18, C1).

use serde::Serialize;
use shared::http::{Answer, Context, Id, ProblemBody};
use shared::session::Session;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::kind::Kind;
use crate::rows::{self, Upload};
use crate::store::Store;
use crate::sweep;

/// An upload that can be referred to.
#[derive(Serialize, ToSchema)]
pub struct ReadyUpload {
    /// The upload.
    id: Uuid,
    kind: Kind,
    /// The media type.
    #[schema(example = "image/jpeg")]
    content_type: &'static str,
    /// The size of what is kept, in bytes: a picture has lost its metadata.
    size: i64,
    #[schema(example = "ready")]
    status: &'static str,
}

/// Complete an upload
///
/// Checks the size, the media type and the first bytes, and removes what a picture says besides what it
/// shows. It can be asked again and again. A file that is not what was declared is discarded.
#[utoipa::path(post, path = "/v1/uploads/{id}/complete", tag = "uploads", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the upload")),
    responses(
        (status = 200, body = ReadyUpload),
        (status = 404, description = "`not-found`: none of one's own",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`upload-missing`: no file has come yet",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`upload-mismatch`: `which` is `size`, `type` or `content`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`upload-storage-unavailable`: try again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    let mut upload = rows::find_own(cx, id, session.account_id)?;
    let store = Store::of(upload.slot)?;
    if !upload.is_ready {
        upload = make_ready(cx, &store, &upload)?;
    }
    // Also for one that was ready before: its first completion may have been stopped right here.
    if let Err(error) = store.tidy(cx, id) {
        error.survived(cx, "upload-not-tidied");
    }
    Ok(Answer::ok(&ReadyUpload {
        id,
        kind: upload.kind,
        content_type: upload.content_type,
        size: upload.size,
        status: "ready",
    }))
}

/// What stays is made first, then the row says so; what came is deleted only after that. Stopped in between,
/// the same can be done again from what came.
fn make_ready(cx: &Context, store: &Store, upload: &Upload) -> Result<Upload, Error> {
    match store.check(cx, upload) {
        Ok(checked) => {
            if rows::complete(cx, upload, &checked)? {
                let size = checked.size;
                return Ok(Upload {
                    size,
                    ..upload.clone()
                });
            }
            ready_by_another(cx, upload).inspect_err(|_| {
                // It was discarded meanwhile, and perhaps swept before we made what stays.
                if let Err(error) = store.undo_check(cx, upload.id) {
                    error.survived(cx, "upload-not-removed");
                }
            })
        }
        // Another call may have been faster, and has deleted what came.
        Err(Error::Missing) => ready_by_another(cx, upload).map_err(|_| Error::Missing),
        Err(Error::Mismatch(which)) => {
            sweep::discard(cx, upload.id, upload.account_id)?;
            Err(Error::Mismatch(which))
        }
        Err(error) => Err(error),
    }
}

fn ready_by_another(cx: &Context, upload: &Upload) -> Result<Upload, Error> {
    let upload = rows::find_own(cx, upload.id, upload.account_id)?;
    if upload.is_ready {
        Ok(upload)
    } else {
        Err(Error::NotFound)
    }
}
