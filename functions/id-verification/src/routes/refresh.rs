//! `/v1/verifications/{id}/refresh`: the app is back from Alipay, or polls (clause E6).

use shared::http::{Answer, Context, Id, ProblemBody};
use shared::session::Session;

use super::verifications::VerificationDetails;
use crate::alipay;
use crate::claim;
use crate::error::Error;
use crate::settle::settle;
use crate::verification::{self, Status};

/// Refresh a verification
///
/// Asks Alipay how it stands, at most once in three seconds; in between, and once it is decided, answers
/// what is known. An expired one is asked about, too: the person may have been in time.
#[utoipa::path(post, path = "/v1/verifications/{id}/refresh", tag = "verifications",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = VerificationDetails),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`alipay-unavailable`: nothing has changed",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn refresh(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    let mut verification = verification::find(cx, id, session.account_id)?;
    let is_open = matches!(verification.status, Status::Pending | Status::Expired);
    if is_open && let Some(certify_id) = claim::take_turn(cx, id)? {
        settle(cx, &alipay::app()?, id, &certify_id)?;
        verification = verification::find(cx, id, session.account_id)?;
    }
    Ok(Answer::ok(&VerificationDetails::of(cx, verification)?))
}
