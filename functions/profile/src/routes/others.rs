//! `/v1/profiles/{id}`: what others see (clauses T1, S2).

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::profile::ProfileComplete;
use shared::session::Session;

use crate::document::PublicProfile;
use crate::error::Error;
use crate::store;
use crate::view::Public;

/// Read someone's profile
///
/// Who has not completed their own sees nobody's, and is seen by nobody. Of two people one of whom has
/// blocked the other, neither sees the other.
#[utoipa::path(get, path = "/v1/profiles/{id}", tag = "profile", security(("session" = [])),
    params(("id" = String, Path, format = Uuid, description = "the account")),
    responses(
        (status = 200, body = PublicProfile),
        (status = 403, description = "`profile-incomplete`, with the `missing` fields",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: nobody, or nobody who can be seen",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(
    cx: &Context,
    session: Session,
    _: ProfileComplete,
    Id(id): Id,
) -> Result<Answer, Error> {
    let profile = store::find_seen(cx, id, session.account_id)?;
    Ok(Answer::ok(&Public(&profile)))
}
