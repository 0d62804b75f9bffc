//! `/v1/operator/breach-notices`: issuing the notice of a breach, once (clause C2).

use http::StatusCode;
use serde::Deserialize;
use shared::announcement::{Announcement, Audience};
use shared::http::{Answer, Context, Json, ProblemBody, Violation, request_key};
use shared::operator::Admin;
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::content::{Announced, BreachNotice, Content};
use crate::error::Error;
use crate::text;

/// Six passages of 5,000 characters, and a thousand accounts, as JSON may have them.
pub const MAX_BODY: usize = 256 * 1024;
const MOST_ACCOUNTS: usize = 1000;

/// The notice of a breach. Each text has 1 to 5,000 characters.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreachNoticeRequest {
    #[schema(min_length = 1, max_length = 5000)]
    what_happened: String,
    #[schema(min_length = 1, max_length = 5000)]
    possible_effects: String,
    /// What was and will be done.
    #[schema(min_length = 1, max_length = 5000)]
    measures: String,
    /// What people can do themselves.
    #[schema(min_length = 1, max_length = 5000)]
    advice: String,
    #[schema(min_length = 1, max_length = 5000)]
    remedies: String,
    /// Whom to ask.
    #[schema(min_length = 1, max_length = 5000)]
    contact: String,
    affected: Affected,
    /// Whether everybody can read it from the beginning.
    is_public: bool,
}

/// Who is concerned: one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Affected {
    /// Every account that there is now.
    everybody: Option<bool>,
    /// These. What is no account is passed over.
    #[schema(min_items = 1, max_items = 1000)]
    accounts: Option<Vec<Uuid>>,
    /// Those that were opened before this moment.
    #[schema(format = DateTime)]
    registered_before: Option<String>,
}

/// Issue a breach notice
///
/// It is brought to the inbox of each account concerned, and by SMS where that is set up. An `Idempotency-Key` is
/// required: the same call with the same key is the same notice, whoever sends it and whenever.
#[utoipa::path(post, path = "/v1/operator/breach-notices", tag = "operators",
    security(("operator" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255,
        description = "makes the notice one")),
    request_body = BreachNoticeRequest,
    responses(
        (status = 201, body = Announced),
        (status = 400, description = "`idempotency-key-required`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: texts violate `length`; `affected` is not `one-of-\
            everybody-accounts-registered-before`, `affected.accounts` violates `items`, \
            `affected.registered_before` is `invalid`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    admin: Admin,
    Json(request): Json<BreachNoticeRequest>,
) -> Result<Answer, Error> {
    let id = request_key(cx, b"operators")?;
    let is_public = request.is_public;
    let (content, audience) = request.checked().map_err(Error::Invalid)?;
    let cause = format!("request:{id}");
    admin.audit(cx, "breach-notice.issue", &cause)?;
    let content = Content::Breach(content);
    let announcement = Announcement {
        cause: &cause,
        kind: content.kind(),
        content: &content,
        purpose: None,
        is_public,
        audience: &audience,
    };
    let made = announcement.make(cx)?;
    Ok(Answer::json(
        StatusCode::CREATED,
        &Announced {
            id: made.id,
            created_at: made.created_at,
        },
    ))
}

impl BreachNoticeRequest {
    /// What is said, and to whom.
    ///
    /// # Errors
    /// What is wrong with it.
    fn checked(self) -> Result<(BreachNotice, Audience), Vec<Violation>> {
        let texts = [
            ("what_happened", &self.what_happened),
            ("possible_effects", &self.possible_effects),
            ("measures", &self.measures),
            ("advice", &self.advice),
            ("remedies", &self.remedies),
            ("contact", &self.contact),
        ];
        let mut violations: Vec<_> = texts
            .into_iter()
            .filter_map(|(field, passage)| text::check(field, passage, text::PASSAGE))
            .collect();
        match self.affected.audience() {
            Ok(audience) if violations.is_empty() => Ok((
                BreachNotice {
                    what_happened: self.what_happened,
                    possible_effects: self.possible_effects,
                    measures: self.measures,
                    advice: self.advice,
                    remedies: self.remedies,
                    contact: self.contact,
                },
                audience,
            )),
            Ok(_) => Err(violations),
            Err(violation) => {
                violations.push(violation);
                Err(violations)
            }
        }
    }
}

impl Affected {
    fn audience(self) -> Result<Audience, Violation> {
        match (self.everybody, self.accounts, self.registered_before) {
            (Some(true), None, None) => Ok(Audience::Everybody),
            (None, Some(ids), None) => {
                if (1..=MOST_ACCOUNTS).contains(&ids.len()) {
                    Ok(Audience::accounts(ids))
                } else {
                    Err(Violation::new("affected.accounts", "items"))
                }
            }
            (None, None, Some(moment)) => Timestamp::from_rfc_3339(&moment)
                .map(Audience::RegisteredBefore)
                .ok_or_else(|| Violation::new("affected.registered_before", "invalid")),
            _ => Err(Violation::new(
                "affected",
                "one-of-everybody-accounts-registered-before",
            )),
        }
    }
}
