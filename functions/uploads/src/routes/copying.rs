//! `/internal/content` and `/internal/links`: uploads for the copy that their owner asked for (clause R6). Both are
//! asked by the component that makes the copy, which knows whose they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::error::Error;
use crate::rows;
use crate::store::{Embedded, Store};

/// Which upload's bytes.
#[derive(Deserialize)]
pub struct ContentQuestion {
    id: Uuid,
}

#[derive(Serialize)]
struct Content {
    /// In base64; null if the upload is gone.
    content: Option<String>,
}

/// The bytes of an upload in the embedded store.
///
/// # Errors
/// The store failed.
pub fn content(cx: &Context, Json(question): Json<ContentQuestion>) -> Result<Answer, Error> {
    let upload = match rows::find(cx, question.id) {
        Ok(upload) if upload.is_ready => upload,
        Ok(_) | Err(Error::NotFound) => return Ok(Answer::ok(&Content { content: None })),
        Err(error) => return Err(error),
    };
    let bytes = Embedded::configured()?.read(cx, &upload)?;
    Ok(Answer::ok(&Content {
        content: Some(STANDARD.encode(bytes)),
    }))
}

/// Which uploads' links, and until when they are to lead there: at most a week.
#[derive(Deserialize)]
pub struct LinksQuestion {
    ids: Vec<Uuid>,
    /// In milliseconds since 1970.
    expires_at: i64,
}

#[derive(Serialize)]
struct Links {
    /// In the order of the question.
    urls: Vec<String>,
}

/// Links to uploads in the bucket.
///
/// # Errors
/// A variable is unusable.
pub fn links(cx: &Context, Json(question): Json<LinksQuestion>) -> Result<Answer, Error> {
    let store = Store::configured()?;
    let expires_at = Timestamp(question.expires_at);
    let link = |id: &Uuid| store.link(cx, *id, cx.id().as_bytes(), expires_at);
    let urls: Result<Vec<_>, _> = question.ids.iter().map(link).collect();
    Ok(Answer::ok(&Links { urls: urls? }))
}
