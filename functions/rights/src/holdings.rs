//! A person's rows as the person reads them: what is sealed is opened, and times are written out.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use shared::crypto::Broken;
use shared::data_map::{Column, Copy, Holding};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, Row, Sql, Value};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::person::Person;

/// Some rows of one table.
pub struct Rows {
    /// The columns that a copy has.
    pub rows: Vec<Map<String, Json>>,
    /// The last one's key, if others follow.
    pub more: Option<String>,
    /// The sealed values that do not open; they are null in the rows.
    pub unreadable: Vec<Unreadable>,
}

/// A sealed value that does not open.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = UnreadableValue)]
pub struct Unreadable {
    /// Its row.
    pub id: Uuid,
    /// Its column.
    #[schema(example = "summary")]
    pub column: &'static str,
}

/// At most `limit` rows of a person in a table, after the one with the key `after`; from the first on if it is empty.
/// A sealed value that does not open keeps nobody from the others; the log says so.
///
/// # Errors
/// The database failed.
pub fn page(
    cx: &Context,
    person: &Person,
    holding: &Holding,
    after: &str,
    limit: usize,
) -> Result<Rows, Problem> {
    let Some(copy) = &holding.copy else {
        return Ok(Rows {
            rows: Vec::new(),
            more: None,
            unreadable: Vec::new(),
        });
    };
    let mut found = select(cx.sql()?, copy, person.account_id, after, limit + 1)?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    let more = last.map(|row| key(copy, row)).transpose()?;
    let mut unreadable = Vec::new();
    let rows = found
        .iter()
        .map(|row| shown(holding, row, person, &mut unreadable))
        .collect::<Result<_, _>>()?;
    if !unreadable.is_empty() {
        Problem::from(Broken).log(cx);
    }
    Ok(Rows {
        rows,
        more,
        unreadable,
    })
}

fn select(
    sql: &Sql,
    copy: &Copy,
    account_id: Uuid,
    after: &str,
    limit: usize,
) -> Result<Vec<Row>, Problem> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(sql.query(copy.statement(), &copy.page(account_id, after, limit))?)
}

fn key(copy: &Copy, row: &Row) -> Result<String, Problem> {
    match row.get(copy.key)? {
        Value::Text(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Null | Value::Blob(_) => Err(Problem::internal()),
    }
}

fn shown(
    holding: &Holding,
    row: &Row,
    person: &Person,
    unreadable: &mut Vec<Unreadable>,
) -> Result<Map<String, Json>, Problem> {
    let members = holding.copied().map(|column| {
        let value = match row.get(column.name)? {
            Value::Blob(sealed) => {
                let id = row.get("id")?;
                open(holding, column, id, &sealed, person).unwrap_or_else(|Broken| {
                    let column = column.name;
                    unreadable.push(Unreadable { id, column });
                    Json::Null
                })
            }
            plain => plainly(column, plain),
        };
        Ok((column.name.to_owned(), value))
    });
    members.collect()
}

/// What is sealed is bound to its table, its column and its row.
fn open(
    holding: &Holding,
    column: &Column,
    id: Uuid,
    sealed: &[u8],
    person: &Person,
) -> Result<Json, Broken> {
    let context = format!("{}.{}:{id}", holding.name, column.name);
    let opened = person.key.open(&context, sealed)?;
    // Some of it is an object, in JSON.
    match serde_json::from_slice(&opened) {
        Ok(object @ Json::Object(_)) => Ok(object),
        _ => Ok(String::from_utf8_lossy(&opened).into_owned().into()),
    }
}

fn plainly(column: &Column, value: Value) -> Json {
    let is_time = column.name.ends_with("_at") || column.name.ends_with("_on");
    match value {
        Value::Integer(millis) if is_time => Timestamp(millis).to_string().into(),
        Value::Integer(integer) => integer.into(),
        Value::Text(text) => text.into(),
        Value::Null | Value::Blob(_) => Json::Null,
    }
}

/// The page's parameters, for statements that read what belongs to an account.
pub fn page_of(account_id: Uuid, after: &str, limit: i64) -> [Parameter; 3] {
    [
        Parameter::id(account_id),
        Parameter::text(after),
        Parameter::Integer(limit),
    ]
}
