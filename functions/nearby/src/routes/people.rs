//! `/v1/nearby/people`: people near me (clauses E4, E20, S2, T1).

use http::StatusCode;
use shared::crypto::{Key, Purpose};
use shared::http::{Answer, Context, Page, ProblemBody, Violation};
use shared::random;
use uuid::Uuid;

use super::query::Query;
use crate::asker::Asker;
use crate::document::PersonNearby;
use crate::error::Error;
use crate::people::{self, Wanted};
use crate::search::Search;

const DEFAULT_RADIUS: i64 = 5000;

/// List the people nearby
///
/// The nearest come first, from where one's own location was last given. Distances are between cells of about
/// 500 m, and told in steps: nobody's position can be computed from them, since none is kept. A page may hold
/// fewer than `limit`, even nobody: there may be more as long as there is a `next_cursor`, which is good for
/// a quarter of an hour. Who moves in the meantime is left out, and nobody comes twice.
#[utoipa::path(get, path = "/v1/nearby/people", tag = "nearby", security(("session" = [])),
    params(
        ("radius_m" = Option<u32>, Query,
            description = "500, 1000, 2000, 5000, 10000, 20000 or 50000; 5000 if absent"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query,
            description = "the `next_cursor` of the page before, with the same radius, city and industry"),
        ("city" = Option<String>, Query, description = "only who shows to live there: a division's code \
            (GB/T 2260); a whole city with all its districts, or a district alone"),
        ("industry" = Option<String>, Query, description = "only who shows to follow this industry"),
    ),
    responses(
        (status = 200, body = Page<PersonNearby>),
        (status = 403, description = "`consent-required`, with the `purpose` and the `version`; \
            `profile-incomplete`, with the `missing` fields",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`location-missing`: one's own was not given, or has expired",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn list(cx: &Context, asker: Asker) -> Result<Answer, Error> {
    let query = Query::read(cx, &["radius_m", "industry"])?;
    let wanted = Wanted {
        radius: query.radius.unwrap_or(DEFAULT_RADIUS),
        city: query.city,
        industry: query.industry,
        limit: query.limit,
    };
    let key = Key::for_purpose(Purpose::NearbyCursor)?;
    let asked = asked(asker.account_id, &wanted);
    let location = asker
        .location
        .ok_or(Error::LocationMissing(StatusCode::CONFLICT))?;
    let search = match query.cursor {
        Some(cursor) => Search::open(&cursor, &key, &asked, cx.now())
            .ok_or_else(|| Error::Invalid(vec![Violation::new("cursor", "invalid")]))?,
        None => Search {
            origin: location.cell,
            began_at: cx.now(),
            last: None,
        },
    };
    let (items, next) = people::page(cx, asker.account_id, &search, &wanted)?;
    let next_cursor = next.and_then(|next| next.seal(&key, &asked, &mut random::host()));
    Ok(Answer::ok(&Page { items, next_cursor }))
}

/// Who asks for what: a cursor serves nothing else.
fn asked(account_id: Uuid, wanted: &Wanted) -> String {
    let part = |part: &Option<String>| serde_json::Value::from(part.clone());
    format!(
        "{account_id} {} {} {}",
        wanted.radius,
        part(&wanted.city),
        part(&wanted.industry)
    )
}
