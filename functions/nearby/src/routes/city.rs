//! `/v1/nearby/city`: people in the same city (clause E4).

use shared::http::{Answer, Context, Page, ProblemBody, Violation};
use shared::profile::ProfileComplete;
use shared::session::Session;

use super::query::Query;
use crate::city::{self, Place};
use crate::document::PersonInCity;
use crate::error::Error;

/// List the people in a city
///
/// Who shows that they live in the same city, wherever they are. No location is needed for it.
#[utoipa::path(get, path = "/v1/nearby/city", tag = "nearby", security(("session" = [])),
    params(
        ("city" = Option<String>, Query, description = "a division's code (GB/T 2260); a whole city with all \
            its districts, or a district alone. Without it, the whole city of one's own profile"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query, description = "the `next_cursor` of the page before"),
    ),
    responses(
        (status = 200, body = Page<PersonInCity>),
        (status = 403, description = "`profile-incomplete`, with the `missing` fields",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`city-missing`: none asked for, and none in one's own profile",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn list(cx: &Context, session: Session, _: ProfileComplete) -> Result<Answer, Error> {
    let query = Query::read(cx, &[])?;
    let after = match &query.cursor {
        Some(cursor) => Place::from_cursor(cursor)
            .ok_or_else(|| Error::Invalid(vec![Violation::new("cursor", "invalid")]))?,
        None => Place::default(),
    };
    let city = match query.city {
        Some(city) => city,
        None => city::of(cx, session.account_id)?.ok_or(Error::CityMissing)?,
    };
    let page = city::page(cx, session.account_id, &city, &after, query.limit)?;
    Ok(Answer::ok(&page))
}
