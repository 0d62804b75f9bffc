//! `/v1/auth/sms-codes`: a one-time code to a mobile number (clauses L1, V18).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json, ProblemBody};
use shared::one_time_code::{self, Code, CodePurpose};
use shared::rate_limit::{self, Limit};
use shared::{random, variables};
use utoipa::ToSchema;

use crate::client_address::ClientAddress;
use crate::error::Error;
use crate::phone::Phone;
use crate::sms::{self, NotSent};

const RESEND_AFTER_SECONDS: u64 = 60;

/// Whom to send a code, and what for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// A mobile number of mainland China, in any form that people type.
    #[schema(example = "+8613800138000")]
    phone: String,
    purpose: CodePurpose,
}

/// A code is on its way.
#[derive(Serialize, ToSchema)]
pub struct CodeSent {
    /// Seconds until the code can no longer be used.
    #[schema(example = 300)]
    expires_in: u64,
    /// Seconds until another can be asked for.
    #[schema(example = 60)]
    resend_after: u64,
}

/// Send a code
///
/// The answer is the same whether or not the number has an account. A newer code voids the older one.
#[utoipa::path(post, path = "/v1/auth/sms-codes", tag = "auth",
    request_body = CodeRequest,
    responses(
        (status = 202, body = CodeSent),
        (status = 422, description = "`phone-invalid`, `invalid-fields`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`, `sms-limit`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`sms-unavailable`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    address: ClientAddress,
    Json(request): Json<CodeRequest>,
) -> Result<Answer, Error> {
    let phone = Phone::parse(&request.phone)?;
    let phone_hash = phone.hash()?;
    let allowed = |variable| variables::parsed::<i64>(variable);
    let taken = rate_limit::take(
        cx,
        [
            Limit::per_minute("sms", &phone_hash, allowed("sms_codes_per_number_minute")?),
            Limit::per_hour("sms", &phone_hash, allowed("sms_codes_per_number_hour")?),
            Limit::per_day("sms", &phone_hash, allowed("sms_codes_per_number_day")?),
            Limit::per_hour(
                "sms-address",
                address.0.as_bytes(),
                allowed("sms_codes_per_address_hour")?,
            )
            .kept(),
        ],
    )?;
    let code = Code::generate(&mut random::host());
    // Only a code that may have left is stored: one that was refused must neither be guessed nor void the
    // one that the person has. A stop between the two costs a message; it was counted, and the person asks
    // for another.
    let store = || one_time_code::store(cx, &phone_hash, request.purpose, &code);
    match sms::send(cx, &phone, &phone_hash, &code) {
        Ok(()) => {
            store()?;
            Ok(Answer::json(
                StatusCode::ACCEPTED,
                &CodeSent {
                    expires_in: one_time_code::LIFETIME.as_secs(),
                    resend_after: RESEND_AFTER_SECONDS,
                },
            ))
        }
        Err(NotSent::Refused(error) | NotSent::NumberRefused(error)) => {
            taken.give_back(cx)?;
            Err(error)
        }
        // It may have been delivered, so it counts, and the code is good.
        Err(NotSent::Unknown(error)) => {
            store()?;
            Err(error)
        }
    }
}
