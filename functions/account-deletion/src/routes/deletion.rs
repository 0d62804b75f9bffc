//! `/v1/account/deletion`: leaving, and coming back in time (clauses L5, R5).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::crypto::{Key, Purpose};
use shared::http::{Answer, Context, Json, Problem, ProblemBody};
use shared::log::Level;
use shared::one_time_code::{self, CodePurpose, Redeemed, Redeemer};
use shared::session::{AnySession, Session};
use shared::time::Timestamp;
use utoipa::ToSchema;

use crate::closing::{self, Remaining};
use crate::error::Error;
use crate::leaving;

/// Why somebody leaves. It goes to the log, where it can be counted, and is not kept beside anything of the person's.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeletionReason {
    /// It is of no use any more.
    NotNeeded,
    /// The person does not want the data to be held.
    Privacy,
    /// There is another account, or another number.
    OtherAccount,
    /// Too many messages, or unwanted ones.
    Disturbed,
    /// Any other, or none.
    Other,
}

/// A request to delete the account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletionRequest {
    /// A fresh code, sent for the purpose `delete`.
    #[schema(example = "123456")]
    code: String,
    reason: DeletionReason,
    /// Whether what `remaining` names may be lost.
    #[serde(default)]
    forfeit: bool,
}

/// The account closes.
#[derive(Serialize, ToSchema)]
pub struct DeletionAccepted {
    /// When it is deleted. Until that begins, it can be taken back.
    #[schema(value_type = String, format = DateTime)]
    pub executes_at: Timestamp,
    /// What is lost then.
    pub remaining: Remaining,
}

/// How the account stands.
#[derive(Serialize, ToSchema)]
pub struct DeletionState {
    /// When it is deleted, if that was asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    executes_at: Option<Timestamp>,
    /// What is lost then, or would be.
    remaining: Remaining,
}

/// Delete my account
///
/// Needs nothing but a code to the account's number. All sessions end, this one too, and nobody is shown the person
/// any more. Until the deletion begins, logging in again gives a session that can take it back.
#[utoipa::path(post, path = "/v1/account/deletion", tag = "account", security(("session" = [])),
    request_body = DeletionRequest,
    responses(
        (status = 202, body = DeletionAccepted),
        (status = 401, description = "`unauthenticated`, or `credentials-invalid`: the code is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`balance-remaining`: names what `remaining` would be lost; the code stays good",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    AnySession(session): AnySession,
    Json(request): Json<DeletionRequest>,
) -> Result<Answer, Error> {
    let state = closing::find(cx, session.account_id)?.ok_or_else(Problem::unauthenticated)?;
    state.remaining.require_forfeit(request.forfeit)?;
    redeem(cx, &session, &state.phone_hash, &request.code)?;
    let executes_at = cx.now().plus(closing::grace()?);
    let leaving = leaving::leave(cx, session.account_id, executes_at, Some(session.id))?;
    let executes_at = leaving.ok_or_else(Problem::unauthenticated)?;
    cx.log(
        Level::Info,
        "deletion-requested",
        &[("reason", json!(request.reason))],
    );
    let remaining = state.remaining;
    Ok(Answer::json(
        StatusCode::ACCEPTED,
        &DeletionAccepted {
            executes_at,
            remaining,
        },
    ))
}

/// Uses the code. The same session can do so again for a minute, should it be stopped after it.
fn redeem(
    cx: &Context,
    session: &Session,
    phone_hash: &[u8; 32],
    digits: &str,
) -> Result<(), Error> {
    let redeemer = Redeemer {
        phone_hash,
        purpose: CodePurpose::Delete,
        digits,
        identity: Key::for_purpose(Purpose::OneTimeCode)?.hash(&[session.id.as_bytes()]),
        may_open_account: false,
    };
    match redeemer.redeem(cx, ())? {
        Redeemed::Used(()) => Ok(()),
        Redeemed::WouldOpenAccount => Err(one_time_code::credentials_invalid().into()),
    }
}

/// Read whether my account is to be deleted
#[utoipa::path(get, path = "/v1/account/deletion", tag = "account", security(("session" = [])),
    responses((status = 200, body = DeletionState)))]
pub fn read(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Problem> {
    let state = closing::find(cx, session.account_id)?.ok_or_else(Problem::unauthenticated)?;
    Ok(Answer::ok(&DeletionState {
        executes_at: state.executes_at,
        remaining: state.remaining,
    }))
}

/// Keep my account
///
/// Takes the request to delete it back. Where there was none, nothing changes.
#[utoipa::path(delete, path = "/v1/account/deletion", tag = "account", security(("session" = [])),
    responses(
        (status = 204, description = "the account stays"),
        (status = 409, description = "`deletion-begun`: it is too late",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn cancel(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Error> {
    closing::reopen(cx, session.account_id)?;
    cx.log(Level::Info, "deletion-taken-back", &[]);
    Ok(Answer::no_content())
}
