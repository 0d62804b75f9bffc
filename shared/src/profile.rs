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
    let row = cx
        .sql()?
        .first(&SELECT_REQUIRED, &[Parameter::id(account_id)])?;
    let Some(row) = row else {
        return Ok(REQUIRED.to_vec());
    };
    let mut missing = Vec::new();
    for field in REQUIRED {
        if row.get::<Option<String>>(field)?.is_none() {
            missing.push(field);
        }
    }
    Ok(missing)
}

/// The guard of everything behind the app's door: the caller has given the required five.
///
/// Answers 403 `profile-incomplete` with the `missing` fields.
#[derive(Debug)]
pub struct ProfileComplete(());

impl FromContext for ProfileComplete {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let session = Session::from_context(cx)?;
        let missing = missing(cx, session.account_id)?;
        if missing.is_empty() {
            return Ok(Self(()));
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "profile-incomplete",
            "请先完善个人资料",
        )
        .with("missing", missing))
    }
}
