//! `/v1/policy/versions/{version}`: a version's text (clause N1). A version never changes, so it may be cached.

use http::{StatusCode, header};
use shared::http::{Answer, Context, ProblemBody};
use shared::policy::Version;

use crate::error::Error;
use crate::policy_version;

/// Read a version of the policy
///
/// Also one that is not in force any more: it is what people agreed to then.
#[utoipa::path(get, path = "/v1/policy/versions/{version}", tag = "policy",
    params(("version" = String, Path, format = Date, description = "the version", example = "2023-10-25")),
    responses(
        (status = 200, description = "the text, in Chinese", content_type = "text/plain", body = String),
        (status = 404, description = "`not-found`: no such version",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, version: Version) -> Result<Answer, Error> {
    let text = policy_version::text(cx, &version)?.ok_or(Error::NotFound)?;
    let text = Answer::bytes(
        StatusCode::OK,
        "text/plain; charset=utf-8",
        text.into_bytes(),
    );
    Ok(text.header(header::CACHE_CONTROL, "public, max-age=300"))
}
