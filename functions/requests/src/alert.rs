//! Telling the operators of requests whose time runs out (clause R7).

use serde_json::{Value, json};
use shared::alert::{self, Alert};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::calendar;

/// How many working days before the end the operators are told.
const AHEAD: u32 = 3;

/// How many requests one alert names.
const AT_ONCE: usize = 10;

statements! {
    /// The open requests that are due by a moment, of which nobody was told yet, or not since they are overdue.
    FIND_SILENT = "SELECT id, kind, due_at FROM requests \
                   WHERE status = 'open' AND due_at <= $1 \
                     AND (alerted_at IS NULL OR (due_at <= $2 AND alerted_at < due_at)) \
                   ORDER BY due_at, id LIMIT $3";
    /// The operators know of these, as many as [`AT_ONCE`].
    NOTE = "UPDATE requests SET alerted_at = $1 WHERE id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
}

/// Alerts the operators to at most [`AT_ONCE`] open requests that are due within three working days, or overdue; how
/// many. They hear of each once before its time is over, and once after: the note comes after the alert, so where a
/// stop falls in between they hear of it twice, and never not at all.
///
/// # Errors
/// The database failed, or the variables are unusable.
pub fn alert(cx: &Context) -> Result<usize, Problem> {
    let until = calendar::after(cx.now(), AHEAD).at;
    let most = i64::try_from(AT_ONCE).expect("a small number");
    let parameters = [
        Parameter::time(until),
        Parameter::time(cx.now()),
        Parameter::Integer(most),
    ];
    let found = cx.sql()?.query(&FIND_SILENT, &parameters)?;
    if found.is_empty() {
        return Ok(0);
    }
    let requests = found.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    let text = format!(
        "创人脉:有 {} 项用户请求将在 {AHEAD} 个工作日内到期或已逾期,请尽快处理",
        requests.len()
    );
    alert::raise(
        cx,
        &Alert {
            event: "requests-due",
            text: &text,
            fields: &[("requests", requests.into())],
        },
    )?;
    let mut parameters = vec![Parameter::time(cx.now())];
    for at in 0..AT_ONCE {
        let id = found.get(at).map(|row| row.get::<Uuid>("id")).transpose()?;
        parameters.push(Parameter::optional(id.map(Parameter::id)));
    }
    cx.sql()?.execute(&NOTE, &parameters)?;
    Ok(found.len())
}

/// What of a request the operators' group may read: nothing personal.
fn shown(row: &Row) -> Result<Value, SqlError> {
    Ok(json!({
        "id": row.get::<String>("id")?,
        "kind": row.get::<String>("kind")?,
        "due_at": row.get::<Timestamp>("due_at")?,
    }))
}
