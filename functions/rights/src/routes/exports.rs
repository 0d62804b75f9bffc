//! `/v1/account/exports`: asking for a copy of one's data, and what became of it (clause R6).

use http::StatusCode;
use serde::Deserialize;
use shared::http::{Answer, Context, Json, Page, PageRequest, Problem, ProblemBody, Violation};
use shared::rate_limit::{self, Limit};
use shared::session::AnySession;
use shared::variables;
use utoipa::ToSchema;

use crate::email;
use crate::export::{self, Export};
use crate::person::Person;

/// Where the link goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// One e-mail address.
    #[schema(example = "xiaoming@example.com", max_length = 254)]
    email: String,
}

/// Ask for a copy of my data
///
/// Everything that is held, as JSON lines in a zip, with a schema and a readable index. A link to a page from which it
/// is downloaded once, within 24 hours, is mailed to the address. What cannot be read for a day is left out, and listed
/// in `missing.jsonl`. While one is under way a further request gives that one the new address, and a new link if one
/// was made, and answers it.
#[utoipa::path(post, path = "/v1/account/exports", tag = "rights", security(("session" = [])),
    request_body = ExportRequest,
    responses(
        (status = 202, body = Export),
        (status = 422, description = "`invalid-fields`: `email`, `invalid`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`: the variable `exports_per_day`, or ten addresses in a day",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    AnySession(session): AnySession,
    Json(request): Json<ExportRequest>,
) -> Result<Answer, Problem> {
    if !email::is_address(&request.email) {
        return Err(Problem::invalid_fields(&[Violation::new(
            "email", "invalid",
        )]));
    }
    let person = Person::load(cx, session.account_id)?;
    let export = match export::readdress(cx, &person, &request.email)? {
        Some(under_way) => under_way,
        None => {
            let allowed = variables::parsed("exports_per_day")?;
            let limit = Limit::per_day("export", session.account_id.as_bytes(), allowed);
            // What was begun counts, whether or not its answer arrives.
            let _ = rate_limit::take(cx, [limit.kept()])?;
            export::start(cx, &person, &request.email)?
        }
    };
    Ok(Answer::json(StatusCode::ACCEPTED, &export))
}

/// List my copies
///
/// Those whose time is not over, the newest first.
#[utoipa::path(get, path = "/v1/account/exports", tag = "rights", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query, description = "the `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Page<Export>)))]
pub fn list(
    cx: &Context,
    AnySession(session): AnySession,
    page: PageRequest,
) -> Result<Answer, Problem> {
    Ok(Answer::ok(&export::list(cx, session.account_id, page)?))
}
