//! `/v1/policy`: the version in force, and consent to it (clause N1).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json, Problem, ProblemBody};
use shared::policy::Versions;
use shared::session::AnySession;
use shared::variables;
use utoipa::ToSchema;

use crate::account;
use crate::error::Error;

/// The policy in force.
#[derive(Serialize, ToSchema)]
pub struct Policy {
    /// The version in force: its date.
    #[schema(example = "2023-10-25")]
    version: String,
    /// The last version that changed something major. Who consented to an older one must consent again.
    #[schema(example = "2023-10-25")]
    major_version: String,
    /// Where its text stands.
    text_url: String,
}

/// Read the policy's version
#[utoipa::path(get, path = "/v1/policy", tag = "policy",
    responses((status = 200, body = Policy)))]
pub fn read(cx: &Context) -> Result<Answer, Problem> {
    let versions = Versions::in_force(cx)?;
    let base = variables::required("public_base_url")?;
    Ok(Answer::ok(&Policy {
        text_url: format!(
            "{}/v1/policy/versions/{}",
            base.trim_end_matches('/'),
            versions.current
        ),
        version: versions.current,
        major_version: versions.major,
    }))
}

/// A consent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentRequest {
    /// The version that the person has read: it must be the one in force.
    #[schema(example = "2023-10-25")]
    version: String,
}

/// Consent to the policy
///
/// Opens a session again that a major version had closed.
#[utoipa::path(post, path = "/v1/policy/consents", tag = "policy", security(("session" = [])),
    request_body = ConsentRequest,
    responses(
        (status = 204, description = "consent is on record"),
        (status = 409, description = "`policy-version-outdated`: another version is in force",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn consent(
    cx: &Context,
    AnySession(session): AnySession,
    Json(request): Json<ConsentRequest>,
) -> Result<Answer, Error> {
    let versions = Versions::in_force(cx)?;
    if request.version != versions.current {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "policy-version-outdated",
            "隐私政策已更新,请阅读最新版本",
        )
        .with("policy_version", versions.current)
        .into());
    }
    account::consent(cx, session.account_id, &request.version)?;
    Ok(Answer::no_content())
}
