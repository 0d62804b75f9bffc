//! `/v1/auth/password-resets`: a new password with a code by SMS, for who has forgotten it, or whose account is
//! frozen (clauses L1, C3).

use serde::Deserialize;
use shared::http::{Answer, Context, Json, ProblemBody};
use shared::one_time_code::{CodePurpose, Redeemed, Redeemer};
use shared::random;
use utoipa::ToSchema;

use crate::account;
use crate::client_address::ClientAddress;
use crate::error::Error;
use crate::freeze;
use crate::password::Password;
use crate::phone::Phone;
use crate::tries;

/// A new password, and the code that allows it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// A mobile number of mainland China, in any form that people type.
    #[schema(example = "+8613800138000")]
    phone: String,
    /// A fresh code, sent for the purpose `reset`.
    #[schema(example = "123456")]
    code: String,
    /// 8 to 128 characters, none of the common passwords.
    #[schema(min_length = 8, max_length = 128)]
    password: String,
}

/// Reset the password
///
/// All sessions end, and none begins; a frozen account is opened. The answer is the same whether or not the number
/// has an account.
#[utoipa::path(post, path = "/v1/auth/password-resets", tag = "auth",
    request_body = PasswordReset,
    responses(
        (status = 204, description = "set, if the number has an account"),
        (status = 401, description = "`credentials-invalid`: the code is wrong, used or too old",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`account-changed`: try again with another code",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`phone-invalid`; `invalid-fields`: `password` violates `length` or is `common`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`: too many tries; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    address: ClientAddress,
    Json(request): Json<PasswordReset>,
) -> Result<Answer, Error> {
    let phone = Phone::parse(&request.phone)?;
    let password =
        Password::new(&request.password).map_err(|violation| Error::Invalid(vec![violation]))?;
    let phone_hash = phone.hash()?;
    let taken = tries::take(cx, &phone_hash, &address)?;
    let redeemer = Redeemer {
        phone_hash: &phone_hash,
        purpose: CodePurpose::Reset,
        digits: &request.code,
        // Nobody can present this, so nobody can repeat it: a reset that was stopped takes another code.
        identity: random::bytes(&mut random::host()),
        // The code is used up alike where there is no account.
        may_open_account: true,
    };
    let Redeemed::Used(()) = redeemer.redeem(cx, ())? else {
        return Err(Error::CredentialsInvalid);
    };
    taken.give_back(cx)?;
    // What takes long is done for every number, so that the time does not tell either.
    let password_hash = password.hash(&mut random::host());
    if let Some(account) = account::find(cx, &phone_hash)? {
        freeze::reopen(cx, account.id, &password_hash)?;
    }
    Ok(Answer::no_content())
}
