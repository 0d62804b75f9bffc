//! Delivering notices to recipients that have an interface, until each is acknowledged (clause R3).

use serde_json::{Value, json};
use shared::alert::{self, Alert};
use shared::basis::Sharing;
use shared::chain::Part;
use shared::disclosure::{self, Disclosure};
use shared::http::{Context, Problem};
use shared::random;
use shared::recipient::{self, DELETION_RELAY};
use shared::recipient_notice::{self, Notice};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::relay::{Message, Reached, Relay};
use crate::retry;

/// How many notices are sent at once: each may take four seconds, and who asks for it waits twenty.
const AT_ONCE: usize = 3;

/// After so many tries people see to it, too.
pub const MANY_TRIES: i64 = 10;

statements! {
    /// The notices that are due, to recipients that the interface reaches.
    FIND_DUE = {
        sqlite: "SELECT id, recipient, content, tries, created_at FROM recipient_notices \
                 WHERE due_at <= $1 AND INSTR($2, ',' || recipient || ',') > 0 ORDER BY due_at LIMIT $3",
        postgres: "SELECT id, recipient, content, tries, created_at FROM recipient_notices \
                   WHERE due_at <= $1 AND STRPOS($2, ',' || recipient || ',') > 0 ORDER BY due_at LIMIT $3"
    };
    /// It was acknowledged: the row goes, and with it what it says.
    ACKNOWLEDGED = "DELETE FROM recipient_notices WHERE id = $1";
    /// It was not. Of two who sent the same try, one notes it.
    FAILED = "UPDATE recipient_notices SET tries = $1, due_at = $2 WHERE id = $3 AND tries < $1";
}

struct Due {
    id: Uuid,
    recipient: String,
    content: Vec<u8>,
    tries: i64,
    created_at: Timestamp,
}

impl Due {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.get("id")?,
            recipient: row.get("recipient")?,
            content: row.get("content")?,
            tries: row.get("tries")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Sends at most [`AT_ONCE`] of the notices that are due.
///
/// A notice goes only after its acknowledgement. A stop before that has it sent again, under the same identifier, by
/// which the other side knows it. What fails is noted after the operators were alerted to what has failed often: a
/// stop in between repeats the try, and the alert with it.
///
/// The first try is recorded as a disclosure to whoever runs the interface; the others send the same. The recipients
/// themselves are told nothing that they did not get before.
///
/// # Errors
/// There is no agreement with who runs the interface (clause T5), the variables are unusable, or the database failed.
pub fn deliver(cx: &Context) -> Result<Part, Problem> {
    let reached = Reached::configured()?;
    if reached.is_empty() {
        return Ok(Part::default());
    }
    let (mut due, more) = find_due(cx, &reached)?;
    if due.is_empty() {
        return Ok(Part::default());
    }
    recipient::require_agreement(DELETION_RELAY)?;
    let relay = Relay::configured()?;
    let done = due.len();
    let mut failed = Vec::new();
    for notice in due.drain(..) {
        if is_acknowledged(cx, &relay, &notice)? {
            let parameters = [Parameter::id(notice.id)];
            cx.sql()?.execute(&ACKNOWLEDGED, &parameters)?;
        } else {
            failed.push(notice);
        }
    }
    alarm(cx, &failed)?;
    for notice in failed {
        let tries = notice.tries + 1;
        let random = u16::from_be_bytes(random::bytes(&mut random::host()));
        cx.sql()?.execute(
            &FAILED,
            &[
                Parameter::Integer(tries),
                Parameter::time(cx.now().plus(retry::wait(tries, random))),
                Parameter::id(notice.id),
            ],
        )?;
    }
    Ok(Part { done, more })
}

fn find_due(cx: &Context, reached: &Reached) -> Result<(Vec<Due>, bool), Problem> {
    let most = i64::try_from(AT_ONCE + 1).expect("a small number");
    let parameters = [
        Parameter::time(cx.now()),
        Parameter::text(reached.searchable()),
        Parameter::Integer(most),
    ];
    let rows = cx.sql()?.query(&FIND_DUE, &parameters)?;
    let due = rows.iter().take(AT_ONCE).map(Due::from_row);
    Ok((due.collect::<Result<_, _>>()?, rows.len() > AT_ONCE))
}

/// One that does not open any more cannot be sent; it must not keep the others waiting.
fn is_acknowledged(cx: &Context, relay: &Relay, due: &Due) -> Result<bool, Problem> {
    let Some(notice) = recipient_notice::open(due.id, &due.content)? else {
        return Ok(false);
    };
    if due.tries == 0 {
        record(cx, due.id, &notice)?;
    }
    let message = Message {
        id: due.id,
        created_at: due.created_at,
        content: &notice.content,
    };
    Ok(relay.send(&message, cx.now())?)
}

/// Records that a notice goes to the interface: for its person while the account stays, else for nobody.
fn record(cx: &Context, id: Uuid, notice: &Notice) -> Result<(), Problem> {
    let sent = Disclosure {
        recipient: DELETION_RELAY,
        purpose: "telling recipients what to delete",
        data: match notice.content.phone {
            Some(_) => "references,phone number",
            None => "references",
        },
        basis: Sharing::Law,
    };
    if let Some(account_id) = notice.account_id
        && disclosure::try_record(cx, account_id, &sent, Some(&id.to_string()))?
    {
        return Ok(());
    }
    disclosure::record_of_nobody(cx, &sent, id)
}

/// Alerts the operators, once, to what has now failed so often that they must see to it.
fn alarm(cx: &Context, failed: &[Due]) -> Result<(), Problem> {
    let often = failed.iter().filter(|due| due.tries + 1 == MANY_TRIES);
    let notices: Vec<Value> = often
        .map(|due| json!({ "id": due.id, "recipient": due.recipient }))
        .collect();
    if notices.is_empty() {
        return Ok(());
    }
    let text = format!(
        "创人脉:有 {} 条删除通知多次未能送达,请人工处理",
        notices.len()
    );
    let alert = Alert {
        event: "recipient-notices-undelivered",
        text: &text,
        fields: &[("notices", notices.into())],
    };
    alert::raise(cx, &alert)
}
