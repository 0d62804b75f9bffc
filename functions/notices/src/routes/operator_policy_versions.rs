//! `/v1/operator/policy-versions`: publishing a version of the policy (clauses N1, N2).

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use shared::http::{Answer, Context, Json, ProblemBody, Violation};
use shared::operator::Admin;
use shared::policy::Version;
use shared::time::Timestamp;
use shared::variables;
use utoipa::ToSchema;

use super::policy_versions::PolicyVersionItem;
use crate::change::Change;
use crate::error::Error;
use crate::policy_version::{self, PolicyVersion};
use crate::text;

/// A text of 100,000 characters of three bytes each, which JSON may have made twice as long.
pub const MAX_BODY: usize = 640 * 1024;

/// A version's date may lie so far ahead: a slip of the pen must not keep every later version out.
const FARTHEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A version to publish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyVersionRequest {
    /// Its date, later than that of every version before, and at most a year ahead.
    #[schema(format = Date, example = "2027-01-01")]
    version: String,
    change: Change,
    /// Whether it narrows people's rights; that is never a minor change.
    narrows: bool,
    /// What changed, for people to read first: 1 to 5,000 characters.
    #[schema(min_length = 1, max_length = 5000)]
    summary: String,
    /// All of it: 1 to 100,000 characters.
    #[schema(min_length = 1, max_length = 100000)]
    text: String,
}

/// Publish a version of the policy
///
/// It is in force at once, and everybody is told of it. After a major change people can only read, take a copy and
/// leave until they agree. The same version can be sent again.
#[utoipa::path(post, path = "/v1/operator/policy-versions", tag = "operators",
    security(("operator" = [])),
    request_body = PolicyVersionRequest,
    responses(
        (status = 201, body = PolicyVersionItem),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`policy-version-published` with another content; \
            `policy-version-not-newer` names the `newest_version`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `version` is `invalid` or violates `range`, `summary` or \
            `text` violates `length`, `narrows` is `not-minor`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    admin: Admin,
    Json(request): Json<PolicyVersionRequest>,
) -> Result<Answer, Error> {
    let violations = request.violations(cx.now());
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let base = variables::required("public_base_url")?;
    admin.audit(cx, "policy-version.publish", &request.version)?;
    let version = PolicyVersion {
        version: request.version,
        change: request.change.name().to_owned(),
        narrows: request.narrows,
        summary: request.summary,
        text: Some(request.text),
    };
    // The version first: nobody may hear of one that is not there. Stopped in between, it is announced with what is to
    // be delivered.
    let published_at = policy_version::publish(cx, &version, request.change.is_major())?;
    policy_version::announce(cx, &version)?;
    let item = PolicyVersionItem::new(version, published_at, &base);
    Ok(Answer::json(StatusCode::CREATED, &item))
}

impl PolicyVersionRequest {
    fn violations(&self, now: Timestamp) -> Vec<Violation> {
        let mut violations = Vec::new();
        let farthest = now.plus(FARTHEST).china_date().to_string();
        match Version::parse(&self.version) {
            None => violations.push(Violation::new("version", "invalid")),
            Some(version) if *version.as_str() > *farthest => {
                violations.push(Violation::new("version", "range"));
            }
            Some(_) => {}
        }
        if self.narrows && !self.change.is_major() {
            violations.push(Violation::new("narrows", "not-minor"));
        }
        violations.extend(text::check("summary", &self.summary, text::PASSAGE));
        violations.extend(text::check("text", &self.text, text::POLICY));
        violations
    }
}
