//! `/v1/account/data/{category}`: one category, seen to its end, or deleted (clauses R1, R3).

use shared::data_map::Category;
use shared::http::{Answer, Context, FromContext, Problem, ProblemBody, Violation};
use shared::session::AnySession;

use super::data::HeldCategory;
use crate::deletion;
use crate::error::Error;
use crate::person::Person;

/// Which rows are asked for: those of one table, or the first ones of each.
pub struct Asked {
    table: Option<String>,
    after: String,
}

impl FromContext for Asked {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let mut from = Self {
            table: None,
            after: String::new(),
        };
        let query = cx.request().uri().query().unwrap_or_default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "table" => from.table = Some(value.into_owned()),
                "after" => from.after = value.into_owned(),
                _ => return Err(Problem::invalid_fields(&[Violation::new(key, "unknown")])),
            }
        }
        if from.table.is_none() && !from.after.is_empty() {
            return Err(Problem::invalid_fields(&[Violation::new(
                "table", "missing",
            )]));
        }
        Ok(from)
    }
}

/// See one category of what is held about me
///
/// The first 100 rows of each table; with `table` and `after`, the next 100 of one.
#[utoipa::path(get, path = "/v1/account/data/{category}", tag = "rights", security(("session" = [])),
    params(
        ("category" = String, Path, description = "a category of `GET /v1/account/data`"),
        ("table" = Option<String>, Query, description = "only this table"),
        ("after" = Option<String>, Query, description = "the table's `more` of the page before"),
    ),
    responses(
        (status = 200, body = HeldCategory),
        (status = 404, description = "`not-found`: there is no such category",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: the category has no such table",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(
    cx: &Context,
    AnySession(session): AnySession,
    category: Category,
    from: Asked,
) -> Result<Answer, Problem> {
    let asked = |name: &str| from.table.as_deref().is_none_or(|table| table == name);
    if !category.holdings().any(|holding| asked(holding.name)) {
        return Err(Problem::invalid_fields(&[Violation::new(
            "table", "unknown",
        )]));
    }
    let person = Person::load(cx, session.account_id)?;
    let holdings = category.holdings().filter(|holding| asked(holding.name));
    let held = HeldCategory::new(cx, &person, category, holdings, &from.after)?;
    Ok(Answer::ok(&held))
}

/// Delete one category of what is held about me
///
/// At once, while the account stays: the last location; every device but this one, whose sessions end; the optional
/// fields of the profile; verifications, with the consents to them; the uploads that nothing shows; the blocks; the
/// person's own words beside gifts. Who received such data is told to delete it too.
///
/// The rest of `devices`, `profile`, `uploads` and `gifts` is needed while the account is there: this device, the
/// fields that everybody fills in, what the profile shows or a review looks at, and that something was given.
#[utoipa::path(delete, path = "/v1/account/data/{category}", tag = "rights", security(("session" = [])),
    params(("category" = String, Path, description = "a category of `GET /v1/account/data`")),
    responses(
        (status = 204, description = "what can be deleted of it is not held any more"),
        (status = 404, description = "`not-found`: there is no such category",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`category-needed` names the `basis` on which it is kept",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn delete(
    cx: &Context,
    AnySession(session): AnySession,
    category: Category,
) -> Result<Answer, Error> {
    deletion::delete(cx, session.account_id, Some(session.id), category)?;
    Ok(Answer::no_content())
}
