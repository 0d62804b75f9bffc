//! `/internal/notice-sms`: one SMS that tells a person to look into the app, for the function `notices` (clause C2).

use serde::{Deserialize, Serialize};
use shared::crypto::PersonKey;
use shared::http::{Answer, Context, Json, Problem};
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::error::Error;
use crate::phone::{self, Phone};
use crate::sms::{self, NotSent};

statements! {
    /// The sealed number of an account.
    FIND = "SELECT phone, person_key_id FROM accounts WHERE id = $1";
}

/// Whom to tell, and of what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    account_id: Uuid,
    /// By what the provider can be asked about it.
    reference: Uuid,
}

/// What became of the message.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// It is on its way.
    Sent,
    /// The number does not take it, or is nobody's any more.
    Refused,
    /// It may be on its way.
    Unknown,
    /// Nobody can send now.
    Unavailable,
}

#[derive(Serialize)]
struct Said {
    outcome: Outcome,
}

/// Sends one message. Asked twice it sends twice: whoever asks keeps account.
///
/// # Errors
/// The database or the key store failed; nothing was sent.
pub fn create(cx: &Context, Json(question): Json<Question>) -> Result<Answer, Error> {
    let outcome = send(cx, &question)?;
    Ok(Answer::ok(&Said { outcome }))
}

fn send(cx: &Context, question: &Question) -> Result<Outcome, Error> {
    let account_id = question.account_id;
    let Some(row) = cx.sql()?.first(&FIND, &[Parameter::id(account_id)])? else {
        return Ok(Outcome::Refused);
    };
    let key = PersonKey::load(cx, row.get("person_key_id")?)?;
    let phone = key.open(
        &phone::sealed_context(account_id),
        &row.get::<Vec<u8>>("phone")?,
    )?;
    let phone = String::from_utf8(phone).map_err(|_| Problem::internal())?;
    let phone = Phone::parse(&phone)?;
    let reference = question.reference.to_string();
    Ok(match sms::send_notice(cx, &phone, account_id, &reference) {
        Ok(()) => Outcome::Sent,
        Err(NotSent::NumberRefused(_)) => Outcome::Refused,
        // Too many to this number: it is tried again later, as what may have arrived is.
        Err(NotSent::Unknown(_) | NotSent::Refused(Error::SmsRefusedForNow)) => Outcome::Unknown,
        Err(NotSent::Refused(error)) => {
            Problem::from(error).log(cx);
            Outcome::Unavailable
        }
    })
}
