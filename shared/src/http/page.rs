//! Lists, page by page: `?limit=` and `?cursor=`. A cursor names the last row seen, so a page neither
//! skips nor repeats rows when others come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Context, FromContext, Problem, Violation};

/// The largest page that can be asked for.
const MAX_LIMIT: u32 = 100;
/// The page if none is asked for.
pub const DEFAULT_LIMIT: u32 = 20;

/// Which page is asked for. Rows come by their UUIDv7 identifiers: newest first ([`PageRequest::before`]), or
/// in a queue oldest first ([`PageRequest::after`]); or by their numbers, the highest first
/// ([`PageRequest::before_number`]).
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    limit: u32,
    last_seen: Option<Uuid>,
}

impl PageRequest {
    /// How many rows to select: one more than the page holds, which tells whether another follows.
    pub fn rows(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Only rows with an identifier below this one. The first page takes all: `g` sorts after every
    /// identifier's text, whatever the database's collation.
    pub fn before(self) -> String {
        self.last_seen
            .map_or_else(|| "g".to_owned(), |id| id.to_string())
    }

    /// Only rows with an identifier above this one. The first page takes all.
    pub fn after(self) -> String {
        self.last_seen.map(|id| id.to_string()).unwrap_or_default()
    }

    /// Only rows with a number below this one. The first page takes all.
    pub fn before_number(self) -> i64 {
        let number = self.last_seen.map(|id| i64::try_from(id.as_u128()));
        number.and_then(Result::ok).unwrap_or(i64::MAX)
    }

    /// As [`PageRequest::page`], of rows that have numbers from 1 on.
    pub fn page_by_number<T>(self, rows: Vec<T>, number: impl Fn(&T) -> i64) -> Page<T> {
        self.page(rows, |row| {
            Uuid::from_u128(u128::try_from(number(row)).unwrap_or_default())
        })
    }

    /// The page made of the selected `rows`; `id` gives a row's identifier.
    pub fn page<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let limit = self.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        Page {
            next_cursor: last.map(|row| URL_SAFE_NO_PAD.encode(id(row))),
            items: rows,
        }
    }
}

impl PageRequest {
    /// The page that is asked for where a list takes other parameters too: each goes, with its value, to `other`.
    ///
    /// # Errors
    /// 422 `invalid-fields`, for the first parameter that is wrong.
    pub fn read(
        cx: &Context,
        other: impl FnMut(&str, &str) -> Result<(), Violation>,
    ) -> Result<Self, Problem> {
        read(cx.request().uri().query().unwrap_or_default(), other)
            .map_err(|violation| Problem::invalid_fields(&[violation]))
    }
}

impl FromContext for PageRequest {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        Self::read(cx, unknown)
    }
}

fn unknown(name: &str, _: &str) -> Result<(), Violation> {
    Err(Violation::new(name, "unknown"))
}

fn read(
    query: &str,
    mut other: impl FnMut(&str, &str) -> Result<(), Violation>,
) -> Result<PageRequest, Violation> {
    let mut request = PageRequest {
        limit: DEFAULT_LIMIT,
        last_seen: None,
    };
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match key.as_ref() {
            "limit" => request.limit = page_limit(&value)?,
            "cursor" => {
                let id = URL_SAFE_NO_PAD
                    .decode(value.as_bytes())
                    .ok()
                    .and_then(|bytes| Uuid::from_slice(&bytes).ok())
                    .ok_or_else(|| Violation::new("cursor", "invalid"))?;
                request.last_seen = Some(id);
            }
            _ => other(&key, &value)?,
        }
    }
    Ok(request)
}

/// The value of `?limit=`: from 1 to 100.
///
/// # Errors
/// It is anything else.
pub fn page_limit(value: &str) -> Result<u32, Violation> {
    let limit = value.parse().ok();
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| Violation::new("limit", "invalid"))
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let rows: Vec<Uuid> = (0..25u128).rev().map(Uuid::from_u128).collect();
        let mut seen = Vec::new();
        let mut query = "limit=10".to_owned();
        loop {
            let request = read(&query, unknown).unwrap();
            let selected = rows
                .iter()
                .copied()
                .filter(|id| id.to_string() < request.before())
                .take(request.rows() as usize)
                .collect();
            let page = request.page(selected, |id| *id);
            seen.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query = format!("limit=10&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, rows);
    }

    #[test]
    fn bad_pages_are_refused() {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("cursor=x", "cursor"),
            ("page=2", "page"),
        ] {
            assert_eq!(read(query, unknown).unwrap_err().field, field);
        }
    }
}
