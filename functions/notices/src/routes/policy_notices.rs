//! `/v1/policy/notices`: what has become part of the policy, and breaches that everybody is told of (clauses G3, T4,
//! C2).

use serde::Serialize;
use shared::consent::{Kind, Purpose};
use shared::http::{Answer, Context, Page, PageRequest, Problem};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::announcement;
use crate::content::Content;

/// A notice that everybody can read.
#[derive(Serialize, ToSchema)]
pub struct PublicNotice {
    id: Uuid,
    /// What people read first.
    title: String,
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
    /// What a new service asks consent for; each person gives or refuses it at `PUT /v1/consents/{purpose}`.
    consent: Option<PurposeTerms>,
    #[serde(flatten)]
    content: Content,
}

/// What a person is asked to agree to.
#[derive(Serialize, ToSchema)]
pub struct PurposeTerms {
    #[schema(example = "location")]
    purpose: &'static str,
    kind: Kind,
    /// The version to agree to: its date.
    #[schema(example = "2026-11-23")]
    version: &'static str,
    title: &'static str,
    text: &'static str,
}

impl PurposeTerms {
    fn of(purpose: Purpose) -> Self {
        let terms = purpose.terms();
        Self {
            purpose: terms.name,
            kind: terms.kind,
            version: terms.version,
            title: terms.title,
            text: terms.text,
        }
    }
}

/// List the policy's notices
///
/// Newest first.
#[utoipa::path(get, path = "/v1/policy/notices", tag = "policy",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the last page's `next_cursor`"),
    ),
    responses((status = 200, body = Page<PublicNotice>)))]
pub fn list(cx: &Context, page: PageRequest) -> Result<Answer, Problem> {
    let public = announcement::list_public(cx, page)?;
    let items = public.into_iter().map(|public| {
        let purpose = public.purpose.as_deref().and_then(Purpose::named);
        PublicNotice {
            id: public.id,
            title: public.content.title().to_owned(),
            published_at: public.created_at,
            consent: purpose.map(PurposeTerms::of),
            content: public.content,
        }
    });
    let page = page.page(items.collect(), |item: &PublicNotice| item.id);
    Ok(Answer::ok(&page))
}
