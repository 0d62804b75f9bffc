//! `/v1/verifications/real-name`: a face that Alipay compares with the identity card (clauses E6, T2, M1).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::consent::{Consented, Purpose, RealNameVerification};
use shared::crypto::KeyedHash;
use shared::disclosure::{self, REAL_NAME_VERIFICATION};
use shared::http::{Answer, Context, Json, ProblemBody, Violation};
use shared::profile::ProfileComplete;
use shared::rate_limit::{self, Limit, Taken};
use shared::recipient;
use shared::session::Session;
use shared::time::Timestamp;
use shared::variables;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::alipay::{self, Start};
use crate::claim::{self, Kind, LIFETIME, NewClaim};
use crate::error::Error;
use crate::id_number::{IdNumber, Refused};
use crate::person::{Person, real_name_summary};
use crate::return_url;
use crate::verification::{self, Status};

/// Whose identity is to be verified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RealNameRequest {
    /// The name on the identity card: the profile's.
    #[schema(example = "林小满")]
    name: String,
    /// The number on the identity card.
    #[schema(example = "11010519491231002X")]
    id_number: String,
    /// Where Alipay sends the person afterwards; the query is free, the rest must be allowed.
    #[schema(example = "chuangrenmai://verification?from=profile")]
    return_url: String,
}

/// A verification that waits for the person.
#[derive(Serialize, ToSchema)]
pub struct Started {
    id: Uuid,
    status: Status,
    /// The page of Alipay's that the app opens. It works once, until `expires_at`.
    certify_url: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Start a real-name verification
///
/// Name and number go to Alipay, and nowhere else; here stay the masked number and a keyed hash.
#[utoipa::path(post, path = "/v1/verifications/real-name", tag = "verifications",
    security(("session" = [])),
    request_body = RealNameRequest,
    responses(
        (status = 201, body = Started),
        (status = 403, description = "`consent-required` names the `purpose`; `profile-incomplete`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already-verified`; `id-number-in-use`: by another account",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `name` is a `mismatch` with the profile's, \
            `id_number` is `invalid`, `return_url` is not `allowed`; `adults-only`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`alipay-unavailable`: nothing was started",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn start(
    cx: &Context,
    session: Session,
    profile: ProfileComplete,
    _: Consented<RealNameVerification>,
    Json(request): Json<RealNameRequest>,
) -> Result<Answer, Error> {
    let mut violations = Vec::new();
    if !return_url::is_allowed(&request.return_url, &variables::text("app_return_urls")?) {
        violations.push(Violation::new("return_url", "allowed"));
    }
    let identity = Identity::check(cx, &request.name, &request.id_number, &profile, violations)?;
    recipient::require_agreement(REAL_NAME_VERIFICATION.recipient)?;
    let hash = identity.number.hash()?;
    let person = Person::unverified(cx, session.account_id, &hash)?;
    let app = alipay::app()?;
    let taken = take_limits(cx, session.account_id, &hash)?;
    let id = cx.new_id();
    let summary = real_name_summary(&identity.name, &identity.number);
    let claim = NewClaim {
        id,
        account_id: session.account_id,
        kind: Kind::RealName,
        purpose: Purpose::RealNameVerification,
        real_name: Some(&identity.name),
        summary: person.seal(cx, id, &summary)?,
        number_hash: Some(&hash),
    };
    // In this order a stop leaves nothing that anybody sees: the claim proves the consent before anything is
    // sent, and only what is published is shown.
    claim.insert_pending(cx)?;
    let number = alipay::order_number(id);
    disclosure::record(
        cx,
        session.account_id,
        &REAL_NAME_VERIFICATION,
        Some(&number),
    )?;
    let start = Start {
        id,
        name: &identity.name,
        number: &identity.number,
        return_url: &request.return_url,
    };
    let certify_id = match alipay::initialize(cx, &app, &start) {
        Ok(certify_id) => certify_id,
        Err(error) => {
            claim::remove(cx, id)?;
            taken.give_back(cx)?;
            return Err(error);
        }
    };
    if !claim::set_certify_id(cx, id, &certify_id)? {
        return Err(shared::consent::required(claim.purpose).into());
    }
    let certify_url = alipay::link(cx, &app, &certify_id)?;
    verification::publish(cx, id, session.account_id, claim.kind)?;
    Ok(Answer::json(
        StatusCode::CREATED,
        &Started {
            id,
            status: Status::Pending,
            certify_url,
            expires_at: cx.now().plus(LIFETIME),
        },
    ))
}

/// A name and a number that fit the person's profile.
pub struct Identity {
    /// The name, as it goes to Alipay or to the operators.
    pub name: String,
    /// The number.
    pub number: IdNumber,
}

impl Identity {
    /// Checks what the person typed; `violations` are those that were found before.
    ///
    /// # Errors
    /// [`Error::Underage`], or [`Error::Invalid`] with all violations.
    pub fn check(
        cx: &Context,
        name: &str,
        number: &str,
        profile: &ProfileComplete,
        mut violations: Vec<Violation>,
    ) -> Result<Self, Error> {
        let number = IdNumber::parse(number, cx.now().china_date());
        if number == Err(Refused::Underage) {
            return Err(Error::Underage);
        }
        if name.trim() != profile.real_name {
            violations.push(Violation::new("name", "mismatch"));
        }
        match number {
            Ok(number) if violations.is_empty() => Ok(Self {
                name: profile.real_name.clone(),
                number,
            }),
            Ok(_) => Err(Error::Invalid(violations)),
            Err(_) => {
                violations.push(Violation::new("id_number", "invalid"));
                Err(Error::Invalid(violations))
            }
        }
    }
}

/// Each start costs money, and a number must not be tried from many accounts.
fn take_limits(cx: &Context, account_id: Uuid, number: &KeyedHash) -> Result<Taken, Error> {
    let allowed = variables::parsed("real_name_starts_per_day")?;
    Ok(rate_limit::take(
        cx,
        [
            Limit::per_day("real-name", account_id.as_bytes(), allowed),
            Limit::per_day("real-name-number", number, allowed),
        ],
    )?)
}
