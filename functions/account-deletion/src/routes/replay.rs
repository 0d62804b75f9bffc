//! `/v1/operator/deletions/replay`: after a backup was restored, doing again what had been asked for since it was
//! made (clause R8).

use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json, Problem, ProblemBody};
use shared::operator::Admin;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::replay;

/// Where to go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletionReplay {
    /// The `next` of the call before; null to begin.
    after: Option<Uuid>,
}

/// What was done again.
#[derive(Serialize, ToSchema)]
pub struct DeletionsReplayed {
    /// Accounts that were deleted again.
    replayed: usize,
    /// What else was asked for since the backup, and done again: accounts closed and opened, categories deleted,
    /// consents withdrawn.
    done_again: usize,
    /// Where to go on; null at the end.
    next: Option<Uuid>,
    /// Accounts that stay although their key is not there: the key-value store was not restored with them, or not
    /// whole.
    keys_missing: usize,
}

/// Replay deletions
///
/// To be called after a backup of the database was restored, again and again until `next` is null, before anybody
/// else may call anything. The first calls do again, a few at a time, what was asked for since the backup: accounts
/// close or open, categories are deleted, consents withdrawn. Each of the others looks at some accounts, and deletes
/// those whose keys were destroyed.
#[utoipa::path(post, path = "/v1/operator/deletions/replay", tag = "operators",
    security(("operator" = [])), request_body = DeletionReplay,
    responses(
        (status = 200, body = DeletionsReplayed),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    admin: Admin,
    Json(request): Json<DeletionReplay>,
) -> Result<Answer, Problem> {
    admin.audit(cx, "deletions.replay", "accounts")?;
    let page = replay::page(cx, request.after)?;
    Ok(Answer::ok(&DeletionsReplayed {
        replayed: page.replayed,
        done_again: page.done_again,
        next: page.next,
        keys_missing: page.keys_missing,
    }))
}
