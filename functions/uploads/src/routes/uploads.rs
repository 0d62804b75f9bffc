//! `/v1/uploads`: a signed form by which a file is sent (clauses E18, G2).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::basis::Sharing;
use shared::consent;
use shared::disclosure::{self, Disclosure};
use shared::http::{Answer, Context, Json, ProblemBody, Violation};
use shared::recipient;
use shared::session::Session;
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::form::{FILE_FIELD, Fields};
use crate::kind::Kind;
use crate::rows::{self, Declared};
use crate::store::Store;
use crate::sweep;

/// How many uploads of anybody each new one clears away.
const SWEPT_ALONG: usize = 2;

const STORED: Disclosure = Disclosure {
    recipient: recipient::ALIYUN_OSS,
    purpose: "storing uploads",
    data: "uploaded file",
    basis: Sharing::Consent,
};

/// What is to be uploaded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadRequest {
    kind: Kind,
    /// The file's media type: for pictures image/jpeg, image/png or image/webp; for voice audio/aac,
    /// audio/amr, audio/mp4 or audio/mpeg; for video video/mp4.
    #[schema(example = "image/jpeg")]
    content_type: String,
    /// The file's exact size in bytes: at most 5,000,000 for an avatar or voice, 10,000,000 for other
    /// pictures, 200,000,000 for video; where the service keeps the files itself, 1,000,000.
    #[schema(minimum = 1, example = 123456)]
    size: i64,
}

/// A form that is ready to be sent as `multipart/form-data`: the fields in their order, then the file.
#[derive(Serialize, ToSchema)]
pub struct UploadForm {
    /// The upload.
    id: Uuid,
    /// Where the form is posted.
    url: String,
    #[schema(example = "POST")]
    method: &'static str,
    /// The fields before the file, in their order.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    fields: Fields,
    /// The name of the field that holds the file, the last one.
    #[schema(example = "file")]
    file_field: &'static str,
    /// When the form can no longer be sent.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Start an upload
///
/// Answers a form for exactly this file. After it was sent, complete the upload; what nothing refers to a
/// day later is deleted.
#[utoipa::path(post, path = "/v1/uploads", tag = "uploads", security(("session" = [])),
    request_body = UploadRequest,
    responses(
        (status = 201, body = UploadForm),
        (status = 403, description = "`consent-required`: names the `purpose` of this kind",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `content_type` is `unsupported` for the kind, \
            `size` violates `range`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too-many-uploads`: twenty that nothing refers to",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`recipient-without-agreement`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    session: Session,
    Json(request): Json<UploadRequest>,
) -> Result<Answer, Error> {
    let store = Store::configured()?;
    let declared = request.declared(store.max_size())?;
    if matches!(store, Store::Oss(_)) {
        recipient::require_agreement(STORED.recipient)?;
    }
    if let Some(purpose) = request.kind.rule().purpose {
        consent::require(cx, session.account_id, purpose)?;
    }
    if let Err(error) = sweep::sweep(cx, SWEPT_ALONG) {
        error.survived(cx, "uploads-not-swept");
    }
    let id = rows::create(cx, session.account_id, &declared)?;
    if matches!(store, Store::Oss(_)) {
        // What the form brings goes past us.
        disclosure::record(cx, session.account_id, &STORED, Some(&id.to_string()))?;
    }
    let form = store.form(id, declared.content_type, declared.size, cx.now())?;
    Ok(Answer::json(
        StatusCode::CREATED,
        &UploadForm {
            id,
            url: form.url,
            method: "POST",
            fields: form.fields,
            file_field: FILE_FIELD,
            expires_at: form.expires_at,
        },
    ))
}

impl UploadRequest {
    fn declared(&self, max_size: i64) -> Result<Declared, Error> {
        let content_type = self.kind.content_type(&self.content_type);
        let max_size = max_size.min(self.kind.rule().max_size);
        let mut violations = Vec::new();
        if content_type.is_none() {
            violations.push(Violation::new("content_type", "unsupported"));
        }
        if !(1..=max_size).contains(&self.size) {
            violations.push(Violation::new("size", "range"));
        }
        match content_type {
            Some(content_type) if violations.is_empty() => Ok(Declared {
                kind: self.kind,
                content_type,
                size: self.size,
            }),
            _ => Err(Error::Invalid(violations)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_type_are_the_kinds() {
        let violations = |kind, content_type: &str, size, max_size| {
            let request = UploadRequest {
                kind,
                content_type: content_type.into(),
                size,
            };
            match request.declared(max_size) {
                Ok(_) => Vec::new(),
                Err(Error::Invalid(violations)) => violations
                    .into_iter()
                    .map(|violation| violation.field)
                    .collect(),
                Err(error) => panic!("{error:?}"),
            }
        };
        let all = i64::MAX;
        assert!(violations(Kind::Avatar, "image/png", 5_000_000, all).is_empty());
        assert_eq!(
            violations(Kind::Avatar, "image/png", 5_000_001, all),
            ["size"]
        );
        assert_eq!(violations(Kind::Image, "image/png", 0, all), ["size"]);
        assert_eq!(violations(Kind::Image, "image/png", -1, all), ["size"]);
        assert!(violations(Kind::Image, "image/png", 1_000_000, 1_000_000).is_empty());
        assert_eq!(
            violations(Kind::Image, "image/png", 1_000_001, 1_000_000),
            ["size"]
        );
        assert_eq!(
            violations(Kind::Voice, "image/png", 5_000_001, all),
            ["content_type", "size"]
        );
    }
}
