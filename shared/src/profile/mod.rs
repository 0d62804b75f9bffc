//! The fields without which nobody enters the app (clause L2), and the guard that holds them; and what others
//! see of a profile.

use http::StatusCode;
use uuid::Uuid;

use crate::http::{Context, FromContext, Problem};
use crate::session::Session;
use crate::sql::{Parameter, Row, SqlError, statements};

mod seen;
mod view;

pub use view::{Answered, Gender, OPTIONAL, Region, hidden_bit, show};

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
    let row = select(cx, account_id)?;
    Ok(required(row.as_ref())?.err().unwrap_or_default())
}

/// The guard of everything behind the app's door: the caller has given the required five.
///
/// Answers 403 `profile-incomplete` with the `missing` fields.
#[derive(Debug)]
pub struct ProfileComplete {
    /// The name that the person gave.
    pub real_name: String,
}

impl ProfileComplete {
    /// The guard's answer from a row that has the required five as columns; none is a profile with nothing.
    ///
    /// # Errors
    /// 403 `profile-incomplete`, or a column is not what it should be.
    pub fn from_row(row: Option<&Row>) -> Result<Self, Problem> {
        let [_, _, real_name, _, _] = required(row)?.map_err(|missing| {
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

impl FromContext for ProfileComplete {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let session = Session::from_context(cx)?;
        Self::from_row(select(cx, session.account_id)?.as_ref())
    }
}

fn select(cx: &Context, account_id: Uuid) -> Result<Option<Row>, Problem> {
    let parameters = [Parameter::id(account_id)];
    Ok(cx.sql()?.first(&SELECT_REQUIRED, &parameters)?)
}

/// The required five, or which of them are missing.
fn required(row: Option<&Row>) -> Result<Result<[String; 5], Vec<&'static str>>, SqlError> {
    let (mut given, mut missing) = (Vec::new(), Vec::new());
    for field in REQUIRED {
        let value = row.map(|row| row.get::<Option<String>>(field));
        match value.transpose()?.flatten() {
            Some(value) => given.push(value),
            None => missing.push(field),
        }
    }
    Ok(given.try_into().map_err(|_| missing))
}
