//! `/v1/verifications`, `/v1/verifications/{id}`: what a person has asked for, and how it stands.

use serde::Serialize;
use shared::http::{Answer, Context, Id, Page, PageRequest, Problem, ProblemBody};
use shared::session::Session;
use utoipa::ToSchema;

use crate::claim::Summary;
use crate::error::Error;
use crate::verification::{self, Verification};

/// A verification, and whom it is about.
#[derive(Serialize, ToSchema)]
pub struct VerificationDetails {
    #[serde(flatten)]
    verification: Verification,
    /// Null after the consent was withdrawn.
    subject: Option<Summary>,
}

impl VerificationDetails {
    /// The verification with its subject.
    ///
    /// # Errors
    /// The key store failed.
    pub fn of(cx: &Context, verification: Verification) -> Result<Self, Problem> {
        Ok(Self {
            subject: verification.subject(cx)?,
            verification,
        })
    }
}

/// List the verifications
///
/// Newest first.
#[utoipa::path(get, path = "/v1/verifications", tag = "verifications", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses((status = 200, body = Page<Verification>)))]
pub fn list(cx: &Context, session: Session, page: PageRequest) -> Result<Answer, Problem> {
    let items = verification::list(cx, session.account_id, page)?;
    Ok(Answer::ok(&page.page(items, |item: &Verification| item.id)))
}

/// Read a verification
///
/// Only one's own. Alipay is not asked: see `refresh`.
#[utoipa::path(get, path = "/v1/verifications/{id}", tag = "verifications", security(("session" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = VerificationDetails),
        (status = 404, description = "`not-found`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, session: Session, Id(id): Id) -> Result<Answer, Error> {
    let verification = verification::find(cx, id, session.account_id)?;
    Ok(Answer::ok(&VerificationDetails::of(cx, verification)?))
}
