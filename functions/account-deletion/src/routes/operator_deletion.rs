//! `/v1/operator/accounts/{id}/deletion`: for who asked by another way than the app (clauses R5, R7), and for minors
//! (clause M1).

use http::StatusCode;
use serde::Deserialize;
use shared::http::{Answer, Context, Id, Json, ProblemBody, Violation};
use shared::operator::{Admin, IdentityCheck};
use shared::sql::{Parameter, statements};
use utoipa::ToSchema;
use uuid::Uuid;

use super::deletion::DeletionAccepted;
use crate::closing;
use crate::error::Error;
use crate::leaving;

statements! {
    /// A request of the person's.
    FIND_REQUEST = "SELECT id FROM requests WHERE id = $1 AND account_id = $2";
    /// The report that a person is a minor. Its words say whom it is about, where it names no account.
    FIND_REPORT = "SELECT id FROM requests WHERE id = $1 AND kind = 'report' AND reason = 'minor' \
                     AND (subject IS NULL OR subject = $2)";
}

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
    /// How it was made sure who asks: needed where the person `requested` it. A minor may be reported by anybody.
    identity: Option<IdentityCheck>,
    reason: OperatorDeletionReason,
    /// The request by which it was reported that the person is a minor: needed then. Else one that the person made.
    request: Option<Uuid>,
    /// Whether what `remaining` names may be lost. A minor's coins hold nothing up.
    #[serde(default)]
    forfeit: bool,
}

impl OperatorDeletion {
    /// Whether it says what it must: who asked was made sure of, or there is the report of a minor.
    fn check(&self, cx: &Context, account_id: Uuid) -> Result<(), Error> {
        let (identity, request) = (self.identity, self.request);
        match self.reason {
            OperatorDeletionReason::Requested if identity.is_none() => {
                return Err(Violation::new("identity", "missing").into());
            }
            OperatorDeletionReason::Minor if request.is_none() => {
                return Err(Violation::new("request", "missing").into());
            }
            _ => {}
        }
        if let Some(id) = request {
            let statement = match self.reason {
                OperatorDeletionReason::Requested => &FIND_REQUEST,
                OperatorDeletionReason::Minor => &FIND_REPORT,
            };
            let parameters = [Parameter::id(id), Parameter::id(account_id)];
            let found = cx.sql()?.first(statement, &parameters)?;
            found.ok_or_else(|| Violation::new("request", "unknown-request"))?;
        }
        Ok(())
    }

    /// As it is recorded, such as `account.delete:minor:unchecked:…` with the request.
    fn action(&self) -> String {
        let identity = self.identity.map_or("unchecked", IdentityCheck::name);
        let action = format!("account.delete:{}:{identity}", self.reason.name());
        match self.request {
            Some(request) => format!("{action}:{request}"),
            None => action,
        }
    }
}

/// Delete an account
///
/// For who asked through service, with the identity checked; for a minor at once, by the request that reported it. It
/// is recorded.
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
        (status = 422, description = "`invalid-fields`: `identity` is `missing` for `requested`, `request` is `missing` \
            for `minor`, or there is none of the kind about this account: `unknown-request`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    admin: Admin,
    Id(id): Id,
    Json(request): Json<OperatorDeletion>,
) -> Result<Answer, Error> {
    request.check(cx, id)?;
    let action = request.action();
    admin.audit_account(cx, &action, id)?;
    let state = closing::find(cx, id)?.ok_or(Error::NotFound)?;
    let executes_at = match request.reason {
        OperatorDeletionReason::Requested => {
            state.remaining.require_forfeit(request.forfeit)?;
            cx.now().plus(closing::grace()?)
        }
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
