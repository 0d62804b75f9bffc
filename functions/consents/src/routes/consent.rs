//! `/v1/consents/{purpose}`: giving a consent, and withdrawing it (clauses G1, R4).

use serde::Deserialize;
use shared::consent::{self, Kind, Purpose};
use shared::http::{Answer, Context, FromContext, Json, ProblemBody};
use shared::session::{AnySession, Session};
use shared::uploads;
use utoipa::ToSchema;

use super::consents::ConsentItem;
use crate::error::Error;
use crate::store;

/// A decision on a purpose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurposeConsentRequest {
    /// Whether the person agrees; `false` withdraws.
    granted: bool,
    /// To agree: the version that the person has read, which must be the one of `GET /v1/consents`.
    #[schema(example = "2026-11-23")]
    version: Option<String>,
}

/// Give or withdraw a consent
///
/// A withdrawal takes effect at once, and what was collected for this purpose alone is deleted with it; who received
/// it is told. All other functions go on. It is open also to who has not agreed to the policy's last major version, and
/// to who is about to leave; giving is not.
#[utoipa::path(put, path = "/v1/consents/{purpose}", tag = "consents", security(("session" = [])),
    params(("purpose" = String, Path, description = "a purpose of `GET /v1/consents`")),
    request_body = PurposeConsentRequest,
    responses(
        (status = 200, body = ConsentItem),
        (status = 404, description = "`not-found`: there is no such purpose",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`consent-version-outdated` names the `version` in force; \
            `consent-basic`: this one goes with the policy and the account",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn set(
    cx: &Context,
    AnySession(session): AnySession,
    purpose: Purpose,
    Json(request): Json<PurposeConsentRequest>,
) -> Result<Answer, Error> {
    let terms = purpose.terms();
    if terms.kind == Kind::Basic {
        return Err(Error::Basic);
    }
    if request.granted {
        Session::from_context(cx)?;
        if request.version.as_deref() != Some(terms.version) {
            return Err(Error::VersionOutdated(terms));
        }
        consent::give(cx, session.account_id, purpose)?;
    } else {
        // From whatever was agreed: nobody must read a newer text first to get out of an older one.
        consent::withdraw(cx, session.account_id, purpose)?;
        uploads::sweep(cx);
    }
    let given = store::list(cx, session.account_id)?;
    let given = given.into_iter().find(|given| given.purpose == terms.name);
    Ok(Answer::ok(&ConsentItem::new(purpose, given)))
}
