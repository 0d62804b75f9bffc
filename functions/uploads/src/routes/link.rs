//! `/v1/uploads/{id}/link`: a link by which an upload is read (clauses T1, C1).

use std::time::Duration;

use serde::Serialize;
use shared::http::{Answer, Context, Id, ProblemBody};
use shared::session::Session;
use shared::time::Timestamp;
use shared::variables::Misconfigured;
use utoipa::ToSchema;

use crate::error::Error;
use crate::kind::Readers;
use crate::rows::{self, Upload};
use crate::store::Store;

/// What is private is read at once, or asked for again.
pub const PRIVATE: Duration = Duration::from_secs(5 * 60);
/// Avatars stand in lists, and are kept by apps.
const AVATAR: Duration = Duration::from_secs(24 * 60 * 60);

/// A link for one reader.
#[derive(Serialize, ToSchema)]
pub struct UploadLink {
    /// Reads the bytes, without a session.
    url: String,
    /// When it can no longer be used.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Get a link
///
/// To an avatar for any signed-in person, for a day; to everything else for its owner, for five minutes.
#[utoipa::path(get, path = "/v1/uploads/{id}/link", tag = "uploads", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the upload")),
    responses(
        (status = 200, body = UploadLink),
        (status = 404, description = "`not-found`: none that is ready and that the person may read",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    let upload = rows::find_shown(cx, id)?;
    let (may_read, lifetime) = match upload.kind.rule().readers {
        Readers::Owner => (upload.account_id == session.account_id, PRIVATE),
        Readers::SignedIn => (true, AVATAR),
    };
    if !may_read || !upload.is_ready {
        return Err(Error::NotFound);
    }
    let link = UploadLink::new(cx, &upload, session.account_id.as_bytes(), lifetime)?;
    Ok(Answer::ok(&link))
}

impl UploadLink {
    /// A link to a ready upload for the reader whom the bytes `reader` name.
    pub fn new(
        cx: &Context,
        upload: &Upload,
        reader: &[u8],
        lifetime: Duration,
    ) -> Result<Self, Misconfigured> {
        let expires_at = cx.now().plus(lifetime);
        let store = Store::of(upload.slot)?;
        Ok(Self {
            url: store.link(cx, upload.id, reader, expires_at)?,
            expires_at,
        })
    }
}
