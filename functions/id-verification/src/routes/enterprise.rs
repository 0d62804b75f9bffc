//! `/v1/verifications/enterprise`: a business card and a licence that an operator looks at (clause E7).

use http::StatusCode;
use serde::Deserialize;
use shared::consent::{Consented, EnterpriseVerification, Purpose};
use shared::http::{Answer, Context, Json, ProblemBody, Violation};
use shared::profile::ProfileComplete;
use shared::session::Session;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::claim::{Kind, Summary};
use crate::error::Error;
use crate::person::Person;
use crate::photos::Wanted;
use crate::submission::Submission;
use crate::uscc::Uscc;
use crate::verification::Verification;

const MAX_NAME: usize = 100;

/// A company, and the documents that show it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterpriseRequest {
    /// The company's name, as on the licence.
    #[schema(example = "厦门满山科技有限公司", min_length = 1, max_length = 100)]
    company_name: String,
    /// Its unified social credit code.
    #[schema(example = "91350100M000100Y43")]
    uscc: String,
    /// A completed upload of the kind `business-card`.
    business_card: Uuid,
    /// A completed upload of the kind `licence`.
    licence: Uuid,
}

/// Ask for enterprise verification
///
/// An operator looks at the photos, which are deleted with the decision. Who was refused can ask again.
#[utoipa::path(post, path = "/v1/verifications/enterprise", tag = "verifications",
    security(("session" = [])),
    request_body = EnterpriseRequest,
    responses(
        (status = 201, body = Verification),
        (status = 403, description = "`consent-required` names the `purpose`; `profile-incomplete`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`review-open`: the last one is not decided yet",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `company_name` violates `length`, `uscc` is `invalid`, \
            `business_card` or `licence` is no `upload` for this",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn submit(
    cx: &Context,
    session: Session,
    _: ProfileComplete,
    _: Consented<EnterpriseVerification>,
    Json(request): Json<EnterpriseRequest>,
) -> Result<Answer, Error> {
    let submission = Submission {
        account_id: session.account_id,
        kind: Kind::Enterprise,
        purpose: Purpose::EnterpriseVerification,
        summary: company(&request)?,
        number_hash: None,
        photos: vec![
            Wanted {
                field: "business_card".to_owned(),
                id: request.business_card,
                kind: "business-card",
            },
            Wanted {
                field: "licence".to_owned(),
                id: request.licence,
                kind: "licence",
            },
        ],
    };
    let person = Person::find(cx, session.account_id)?;
    let verification = submission.submit(cx, &person)?;
    Ok(Answer::json(StatusCode::CREATED, &verification))
}

fn company(request: &EnterpriseRequest) -> Result<Summary, Error> {
    let mut violations = Vec::new();
    let name = request.company_name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
        violations.push(Violation::new("company_name", "length"));
    }
    match Uscc::parse(&request.uscc) {
        Some(uscc) if violations.is_empty() => Ok(Summary {
            name: name.to_owned(),
            number: uscc.as_str().to_owned(),
        }),
        Some(_) => Err(Error::Invalid(violations)),
        None => {
            violations.push(Violation::new("uscc", "invalid"));
            Err(Error::Invalid(violations))
        }
    }
}
