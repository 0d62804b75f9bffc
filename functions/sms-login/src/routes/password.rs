//! `/v1/auth/password`: a password to log in with (clause L1).

use serde::Deserialize;
use shared::crypto::{Key, Purpose};
use shared::http::{Answer, Context, Json, Problem, ProblemBody};
use shared::one_time_code::{CodePurpose, Redeemed, Redeemer};
use shared::random;
use shared::session::{self, Session};
use shared::sql::{Parameter, statements};
use utoipa::ToSchema;

use crate::error::Error;
use crate::password::Password;

statements! {
    /// The number of an account.
    FIND_NUMBER = "SELECT phone_hash FROM accounts WHERE id = $1";
    /// Sets the password, unless the account was frozen meanwhile.
    SET = "UPDATE accounts SET password_hash = $1 WHERE id = $2 AND frozen_at IS NULL RETURNING id";
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// 8 to 128 characters, none of the common passwords.
    #[schema(min_length = 8, max_length = 128)]
    password: String,
    /// A fresh code, sent for the purpose `password`.
    #[schema(example = "123456")]
    code: String,
}

/// Set the password
///
/// All other sessions end.
#[utoipa::path(put, path = "/v1/auth/password", tag = "auth", security(("session" = [])),
    request_body = PasswordRequest,
    responses(
        (status = 204, description = "set"),
        (status = 401, description = "`unauthenticated`, or `credentials-invalid`: the code is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `password` violates `length` or is `common`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn set(
    cx: &Context,
    session: Session,
    Json(request): Json<PasswordRequest>,
) -> Result<Answer, Error> {
    let password =
        Password::new(&request.password).map_err(|violation| Error::Invalid(vec![violation]))?;
    let row = cx
        .sql()?
        .first(&FIND_NUMBER, &[Parameter::id(session.account_id)])?
        .ok_or_else(Problem::unauthenticated)?;
    let phone_hash = row
        .get::<Vec<u8>>("phone_hash")?
        .try_into()
        .map_err(|_| Problem::internal())?;
    let redeemer = Redeemer {
        phone_hash: &phone_hash,
        purpose: CodePurpose::Password,
        digits: &request.code,
        identity: Key::for_purpose(Purpose::OneTimeCode)?.hash(&[session.id.as_bytes()]),
        may_open_account: false,
    };
    let Redeemed::Used(()) = redeemer.redeem(cx, ())? else {
        return Err(Error::CredentialsInvalid);
    };
    // Each of these can be done again with the same code, should the request be stopped between them.
    let set = cx.sql()?.first(
        &SET,
        &[
            Parameter::text(password.hash(&mut random::host())),
            Parameter::id(session.account_id),
        ],
    )?;
    // Its sessions have ended, or are about to.
    set.ok_or_else(Problem::unauthenticated)?;
    session::end_all(cx, session.account_id, Some(session.id))?;
    Ok(Answer::no_content())
}
