//! What operators have to do: tell recipients that have no interface, and those whose interface does not answer
//! (clause R3).

use std::collections::BTreeSet;

use serde::Serialize;
use shared::http::{Context, Page, PageRequest, Problem};
use shared::recipient;
use shared::recipient_notice;
use shared::sql::{Parameter, Row, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::delivery::MANY_TRIES;
use crate::relay::Reached;

statements! {
    /// The notices that people must deliver.
    LIST = {
        sqlite: "SELECT id, recipient, content, tries, created_at FROM recipient_notices \
                 WHERE id > $1 AND (tries >= $2 OR INSTR($3, ',' || recipient || ',') = 0) ORDER BY id LIMIT $4",
        postgres: "SELECT id, recipient, content, tries, created_at FROM recipient_notices \
                   WHERE id > $1 AND (tries >= $2 OR STRPOS($3, ',' || recipient || ',') = 0) ORDER BY id LIMIT $4"
    };
    /// It was delivered.
    DONE = "DELETE FROM recipient_notices WHERE id = $1";
}

/// A recipient to be told that it must delete what it got of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Task {
    id: Uuid,
    /// The recipient's name.
    #[schema(example = "alipay")]
    recipient: String,
    /// The company.
    company: Option<&'static str>,
    /// Where it is reached.
    contact: Option<&'static str>,
    /// Whether what it is to be told can still be read. If not, the rest of it is empty.
    is_readable: bool,
    /// What it got the data for.
    purposes: BTreeSet<String>,
    /// Which data.
    data: BTreeSet<String>,
    /// By what it knows them, such as orders' numbers.
    references: BTreeSet<String>,
    /// The phone number in E.164, if the recipient got it.
    phone: Option<String>,
    /// How often its interface, if it has one, did not acknowledge the notice.
    tries: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl Task {
    fn from_row(row: &Row) -> Result<Self, Problem> {
        let id = row.get("id")?;
        let notice = recipient_notice::open(id, &row.get::<Vec<u8>>("content")?)?;
        let is_readable = notice.is_some();
        let content = notice.map(|notice| notice.content).unwrap_or_default();
        let name: String = row.get("recipient")?;
        let recipient = recipient::named(&name);
        Ok(Self {
            id,
            company: recipient.map(|recipient| recipient.company),
            contact: recipient.map(|recipient| recipient.contact),
            recipient: name,
            is_readable,
            purposes: content.purposes,
            data: content.data,
            references: content.references,
            phone: content.phone,
            tries: row.get("tries")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// One page of the tasks.
///
/// # Errors
/// The variables are unusable, or the database failed.
pub fn list(cx: &Context, page: PageRequest) -> Result<Page<Task>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::text(page.after()),
            Parameter::Integer(MANY_TRIES),
            Parameter::text(Reached::configured()?.searchable()),
            Parameter::Integer(page.rows()),
        ],
    )?;
    let tasks = rows.iter().map(Task::from_row);
    Ok(page.page(tasks.collect::<Result<_, _>>()?, |task: &Task| task.id))
}

/// Ends a task: the notice goes. One that is gone already stays so.
///
/// # Errors
/// The database failed.
pub fn done(cx: &Context, id: Uuid) -> Result<(), Problem> {
    Ok(cx.sql()?.execute(&DONE, &[Parameter::id(id)])?)
}
