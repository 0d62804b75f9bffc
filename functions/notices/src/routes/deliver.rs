//! `/internal/deliver`: brings what was announced to people, some at a time (clauses N1, G3, T4, C2). One call looks
//! at 500 accounts at most and sends 20 messages at most.

use shared::chain::Part;
use shared::http::{Answer, Context};

use crate::error::Error;
use crate::{deliver, policy_version, sms};

/// Does a part of what is to be delivered: versions to announce, accounts to look at, and messages to send. Stopped
/// anywhere, the next call goes on.
///
/// # Errors
/// The database failed.
pub fn create(cx: &Context) -> Result<Answer, Error> {
    let announced = policy_version::announce_next(cx)?;
    let part = deliver::part(cx)?;
    let batch = sms::batch(cx)?;
    Ok(Answer::ok(&Part {
        done: usize::from(announced) + part.done + batch.done,
        more: part.more || batch.more,
    }))
}
