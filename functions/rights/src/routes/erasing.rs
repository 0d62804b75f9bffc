//! `/internal/erase`: deletes again, for the function `account-deletion`, what a restored backup brought back (clause
//! R8).

use serde::Deserialize;
use serde_json::json;
use shared::data_map::Category;
use shared::http::{Answer, Context, Json, Problem};
use uuid::Uuid;

use crate::deletion;
use crate::error::Error;

/// Whose data, and which.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    account_id: Uuid,
    /// A category's name.
    category: String,
}

/// Deletes a category of an account's data, which the caller has noted. No session asks, so none stays where devices
/// go.
///
/// # Errors
/// There is no such category, or it cannot be deleted; or a store failed.
pub fn create(cx: &Context, Json(question): Json<Question>) -> Result<Answer, Error> {
    let category = Category::named(&question.category).ok_or_else(Problem::not_found)?;
    deletion::delete_noted(cx, question.account_id, None, category)?;
    Ok(Answer::ok(&json!({})))
}
