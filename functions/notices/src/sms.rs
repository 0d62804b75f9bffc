//! Telling people of a breach by SMS, too, some a call (clause C2). The function `sms-login` sends: it knows the
//! numbers, and nothing here does.
//!
//! A notice is `due`, and at the end `sent` or `failed`; `sms_at` is when that was, and while it is open when it is to
//! be tried. Before it is asked for, a message counts as `unknown`: if the answer never comes, because the request was
//! stopped or the provider silent, it is tried once more an hour later, and counts as `failed` then. So nobody gets
//! more than two, and the second only where nobody can tell whether the first arrived.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::chain::{self, Part};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, statements};
use shared::time::Timestamp;
use uuid::Uuid;

/// How many messages one call sends at most.
const MOST: usize = 20;
/// After this no further message is begun: whoever asks waits for twenty seconds, and one message may take eight.
const ENOUGH: Duration = Duration::from_secs(8);
/// When a message whose fate is unknown is tried again.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);
/// When a message that nobody could send is due again.
const DUE_AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);

statements! {
    /// What is due, the longest first.
    DUE = "SELECT account_id, announcement_id, sms_status FROM notices \
           WHERE sms_status IN ('due', 'unknown') AND sms_at <= $1 ORDER BY sms_at LIMIT 20";
    /// Takes one, if nobody else has.
    TAKE = "UPDATE notices SET sms_status = CASE WHEN sms_status = 'due' THEN 'unknown' ELSE 'failed' END, \
              sms_at = $1 \
            WHERE account_id = $2 AND announcement_id = $3 AND sms_status = $4 AND sms_at <= $5 \
            RETURNING sms_status";
    /// What became of it.
    SETTLE = "UPDATE notices SET sms_status = $1, sms_at = $2 WHERE account_id = $3 AND announcement_id = $4";
}

#[derive(Serialize)]
struct Question {
    account_id: Uuid,
    /// What the provider can be asked by: the announcement.
    reference: Uuid,
}

/// What `sms-login` says became of a message.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// It is on its way.
    Sent,
    /// The number does not take it.
    Refused,
    /// It may be on its way.
    Unknown,
    /// Nobody can send now.
    Unavailable,
}

#[derive(Deserialize)]
struct Said {
    outcome: Outcome,
}

/// Sends some of the messages that are due; how many, and whether more can be sent now. Each is taken by one call
/// only; where the provider cannot send, the rest waits for the next call.
///
/// # Errors
/// The database failed.
pub fn batch(cx: &Context) -> Result<Part, Problem> {
    let due = cx.sql()?.query(&DUE, &[Parameter::time(cx.now())])?;
    let mut batch = Part {
        done: 0,
        more: due.len() == MOST,
    };
    for row in due {
        if Timestamp::now() >= cx.now().plus(ENOUGH) {
            batch.more = true;
            break;
        }
        let message = Message {
            account_id: row.get("account_id")?,
            announcement_id: row.get("announcement_id")?,
            status: row.get("sms_status")?,
        };
        if !message.take(cx)? {
            continue;
        }
        match message.send() {
            Outcome::Sent => {
                message.settle(cx, "sent", cx.now())?;
                batch.done += 1;
            }
            Outcome::Refused => message.settle(cx, "failed", cx.now())?,
            Outcome::Unknown => {}
            Outcome::Unavailable => {
                message.settle(cx, &message.status, cx.now().plus(DUE_AGAIN_AFTER))?;
                batch.more = false;
                break;
            }
        }
    }
    Ok(batch)
}

struct Message {
    account_id: Uuid,
    announcement_id: Uuid,
    status: String,
}

impl Message {
    fn take(&self, cx: &Context) -> Result<bool, Problem> {
        let taken = cx.sql()?.first(
            &TAKE,
            &[
                Parameter::time(cx.now().plus(TRIED_AGAIN_AFTER)),
                Parameter::id(self.account_id),
                Parameter::id(self.announcement_id),
                Parameter::text(&self.status),
                Parameter::time(cx.now()),
            ],
        )?;
        Ok(taken.is_some())
    }

    fn send(&self) -> Outcome {
        let question = Question {
            account_id: self.account_id,
            reference: self.announcement_id,
        };
        let said = chain::ask("sms-login", "/internal/notice-sms", &question);
        said.map_or(Outcome::Unknown, |said: Said| said.outcome)
    }

    fn settle(&self, cx: &Context, status: &str, at: Timestamp) -> Result<(), Problem> {
        cx.sql()?.execute(
            &SETTLE,
            &[
                Parameter::text(status),
                Parameter::time(at),
                Parameter::id(self.account_id),
                Parameter::id(self.announcement_id),
            ],
        )?;
        Ok(())
    }
}
