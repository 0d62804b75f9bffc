//! `/v1/operator/accounts/{id}/deletion`: for who asked by another way than the app (clauses R5, R7), and for minors
//! (clause M1).

use http::StatusCode;
use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody};
use shared::operator::{Admin, IdentityCheck};
use utoipa::ToSchema;

use super::deletion::DeletionAccepted;
use crate::closing;
use crate::error::Error;
use crate::leaving;

/// Why an operator deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorDeletionReason {
    /// The person asked for it.
    Requested,
    /// The person is a minor: the account is deleted at once.
    Minor,
}

impl OperatorDeletionReason {
    fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Minor => "minor",
        }
    }
}

/// A deletion by an operator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorDeletion {
    identity: IdentityCheck,
    reason: OperatorDeletionReason,
    /// Whether what `remaining` names may be lost.
    #[serde(default)]
    forfeit: bool,
}

/// Delete an account
///
/// For who asked through service, with the identity checked; for a confirmed minor at once. It is recorded.
#[utoipa::path(post, path = "/v1/operator/accounts/{id}/deletion", tag = "operators",
    security(("operator" = [])),
    params(("id" = String, Path, format = Uuid, description = "the account")),
    request_body = OperatorDeletion,
    responses(
        (status = 202, body = DeletionAccepted),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: there is no such account",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`balance-remaining`: names what `remaining` would be lost",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    admin: Admin,
    Id(id): Id,
    Json(request): Json<OperatorDeletion>,
) -> Result<Answer, Error> {
    let (identity, reason) = (request.identity.name(), request.reason.name());
    let action = format!("account.delete:{reason}:{identity}");
    admin.audit_account(cx, &action, id)?;
    let state = closing::find(cx, id)?.ok_or(Error::NotFound)?;
    state.remaining.require_forfeit(request.forfeit)?;
    let executes_at = match request.reason {
        OperatorDeletionReason::Requested => cx.now().plus(closing::grace()?),
        OperatorDeletionReason::Minor => cx.now(),
    };
    let executes_at = leaving::leave(cx, id, executes_at, None)?.ok_or(Error::NotFound)?;
    let remaining = state.remaining;
    Ok(Answer::json(
        StatusCode::ACCEPTED,
        &DeletionAccepted {
            executes_at,
            remaining,
        },
    ))
}
