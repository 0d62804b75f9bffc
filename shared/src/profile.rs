//! The fields without which nobody enters the app (clause L2), and the guard that holds them.

use http::StatusCode;
use uuid::Uuid;

use crate::http::{Context, FromContext, Problem};
use crate::session::Session;
use crate::sql::{Parameter, statements};

/// The five required fields, as columns and as members of the profile.
pub const REQUIRED: [&str; 5] = ["avatar", "gender", "real_name", "company", "job_title"];

statements! {
    /// The required five of one account.
    SELECT_REQUIRED = "SELECT avatar, gender, real_name, company, job_title \
                       FROM profiles WHERE account_id = $1";
}

/// Which of the required fields the account has not given yet.
///
/// # Errors
/// The database failed.
pub fn missing(cx: &Context, account_id: Uuid) -> Result<Vec<&'static str>, Problem> {
    Ok(required(cx, account_id)?.err().unwrap_or_default())
}

/// The guard of everything behind the app's door: the caller has given the required five.
///
/// Answers 403 `profile-incomplete` with the `missing` fields.
#[derive(Debug)]
pub struct ProfileComplete {
    /// The name that the person gave.
    pub real_name: String,
}

impl FromContext for ProfileComplete {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let session = Session::from_context(cx)?;
        let [_, _, real_name, _, _] = required(cx, session.account_id)?.map_err(|missing| {
            Problem::new(
                StatusCode::FORBIDDEN,
                "profile-incomplete",
                "请先完善个人资料",
            )
            .with("missing", missing)
        })?;
        Ok(Self { real_name })
    }
}

/// The required five, or which of them are missing.
fn required(
    cx: &Context,
    account_id: Uuid,
) -> Result<Result<[String; 5], Vec<&'static str>>, Problem> {
    let row = cx
        .sql()?
        .first(&SELECT_REQUIRED, &[Parameter::id(account_id)])?;
    let (mut given, mut missing) = (Vec::new(), Vec::new());
    for field in REQUIRED {
        let value = row.as_ref().map(|row| row.get::<Option<String>>(field));
        match value.transpose()?.flatten() {
            Some(value) => given.push(value),
            None => missing.push(field),
        }
    }
    Ok(given.try_into().map_err(|_| missing))
}
