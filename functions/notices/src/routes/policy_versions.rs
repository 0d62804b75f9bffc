//! `/v1/policy/versions`: the policy's history (clauses N1, N2).

use serde::Serialize;
use shared::http::{Answer, Context, Problem};
use shared::time::Timestamp;
use shared::variables;
use utoipa::ToSchema;

use crate::change::Change;
use crate::policy_version::{self, PolicyVersion};

/// A version of the policy.
#[derive(Serialize, ToSchema)]
pub struct PolicyVersionItem {
    /// The version: its date.
    #[schema(example = "2027-01-01")]
    version: String,
    /// One of the policy's five kinds of major change, `minor`, or `first`.
    #[schema(example = "service-model")]
    change: String,
    /// The policy's own words for a major change.
    sentence: Option<&'static str>,
    /// Whether it narrows people's rights: then it does not apply to who has not agreed, for whom the version that
    /// they agreed to goes on.
    narrows: bool,
    /// What changed.
    summary: String,
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
    /// Where its text stands.
    text_url: String,
}

/// The policy's versions, newest first.
#[derive(Serialize, ToSchema)]
pub struct PolicyVersions {
    versions: Vec<PolicyVersionItem>,
}

impl PolicyVersionItem {
    /// A version as it is answered; `base` is the public address.
    pub fn new(version: PolicyVersion, published_at: Timestamp, base: &str) -> Self {
        let base = base.trim_end_matches('/');
        Self {
            text_url: format!("{base}/v1/policy/versions/{}", version.version),
            sentence: Change::named(&version.change).and_then(Change::sentence),
            version: version.version,
            change: version.change,
            narrows: version.narrows,
            summary: version.summary,
            published_at,
        }
    }
}

/// List the policy's versions
///
/// Newest first; the newest is in force.
#[utoipa::path(get, path = "/v1/policy/versions", tag = "policy",
    responses((status = 200, body = PolicyVersions)))]
pub fn list(cx: &Context) -> Result<Answer, Problem> {
    let base = variables::required("public_base_url")?;
    let versions = policy_version::list(cx)?.into_iter();
    let versions = versions.map(|(version, at)| PolicyVersionItem::new(version, at, &base));
    Ok(Answer::ok(&PolicyVersions {
        versions: versions.collect(),
    }))
}
