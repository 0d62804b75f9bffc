//! One page of a search, in one statement.
//!
//! The ranges are looked at in their order, and no further than the page needs: at most [`LOOKED_AT`] people.
//! Who is looked at and fits is answered; if fewer fit than were asked for, the last one looked at tells where
//! the next page goes on.
//!
//! No trigonometry: a cell's centre is three integers, and the distance between two is compared squared.

use shared::http::{Context, Problem};
use shared::profile::hidden_bit;
use shared::region;
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::card::{Card, columns};
use crate::search::{Place, RANGES, Range, Search};

/// How many people a page looks at, at most: what bounds its time where few fit.
const LOOKED_AT: i64 = 1000;

/// The ranges, in order. Those that are not needed hold nothing.
macro_rules! ranges {
    () => {
        "WITH ranges (rank, low, high, nearest, farthest) AS (VALUES \
             (CAST(0 AS BIGINT), CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)), \
             (1, $5, $6, $7, $8), (2, $9, $10, $11, $12), \
             (3, $13, $14, $15, $16), (4, $17, $18, $19, $20), (5, $21, $22, $23, $24), \
             (6, $25, $26, $27, $28), (7, $29, $30, $31, $32), (8, $33, $34, $35, $36), \
             (9, $37, $38, $39, $40), (10, $41, $42, $43, $44), (11, $45, $46, $47, $48), \
             (12, $49, $50, $51, $52), (13, $53, $54, $55, $56), (14, $57, $58, $59, $60), \
             (15, $61, $62, $63, $64), (16, $65, $66, $67, $68), (17, $69, $70, $71, $72), \
             (18, $73, $74, $75, $76), (19, $77, $78, $79, $80), (20, $81, $82, $83, $84), \
             (21, $85, $86, $87, $88), (22, $89, $90, $91, $92), (23, $93, $94, $95, $96))"
    };
}

/// What is looked at of a location `l` in one of the `ranges`.
macro_rules! candidate {
    () => {
        "ranges.rank, l.account_id, l.cell, l.hidden, l.moved_at, l.expires_at, ranges.nearest, ranges.farthest, \
         (l.x - $97) * (l.x - $97) + (l.y - $98) * (l.y - $98) + (l.z - $99) * (l.z - $99) AS squared"
    };
}

/// Everybody in the ranges. Whoever shares the last page's last cell counts only after its last account.
macro_rules! candidates_sqlite {
    () => {
        concat!(
            "SELECT ",
            candidate!(),
            " FROM ranges CROSS JOIN locations l \
             WHERE l.cell BETWEEN ranges.low AND ranges.high AND (ranges.rank > 0 OR l.account_id > $100)"
        )
    };
}

/// Whether a candidate `c` belongs to its ring and shows where it is.
macro_rules! is_near {
    () => {
        "c.squared BETWEEN c.nearest AND c.farthest AND c.hidden = 0 AND c.moved_at <= $108 AND c.expires_at > $109"
    };
}

/// The profile `p` of a candidate `c`, if it is looked for and may be seen.
macro_rules! fitting_profile {
    ($industry:literal) => {
        concat!(
            "profiles p WHERE p.account_id = c.account_id AND p.account_id <> $102 AND (p.hidden & $103) = 0 \
             AND COALESCE(p.city, '') BETWEEN $104 AND $105 AND (CAST($106 AS BIGINT) = 0 OR ",
            $industry,
            ") AND ",
            shared::seen_by!("$102")
        )
    };
}

/// The same columns for the last one looked at, who is not answered.
macro_rules! no_card {
    () => {
        "0 AS hidden, NULL AS avatar, NULL AS gender, NULL AS real_name, NULL AS company, NULL AS job_title, \
         NULL AS motto, NULL AS city, NULL AS industries"
    };
}

statements! {
    /// One page. SQLite keeps the order of `CROSS JOIN`s (<https://www.sqlite.org/optoverview.html>, 7.3), so
    /// rows come by rank and along the index, and it stops at the limit; told to sort them, it would first
    /// read all. PostgreSQL sorts within each range, and goes from one to the next only if it must.
    PAGE = {
        sqlite: concat!(
            ranges!(),
            " SELECT * FROM (SELECT c.rank, c.account_id, c.cell, ",
            columns!(),
            " FROM (",
            candidates_sqlite!(),
            " LIMIT CAST($101 AS BIGINT)) c CROSS JOIN ",
            fitting_profile!("INSTR(',' || SUBSTR(p.industries, 2), $107) > 0"),
            " AND ",
            is_near!(),
            ") UNION ALL SELECT * FROM (SELECT c.rank, c.account_id, c.cell, ",
            no_card!(),
            " FROM (",
            candidates_sqlite!(),
            " LIMIT 1 OFFSET $101 - 1) c) LIMIT CAST($110 AS BIGINT)"
        ),
        postgres: concat!(
            ranges!(),
            ", candidates AS MATERIALIZED (SELECT ",
            candidate!(),
            " FROM (SELECT * FROM ranges ORDER BY rank) ranges CROSS JOIN LATERAL (SELECT * FROM locations l \
                WHERE l.cell BETWEEN ranges.low AND ranges.high AND (ranges.rank > 0 OR l.account_id > $100) \
                ORDER BY l.cell, l.account_id LIMIT $101) l \
              ORDER BY ranges.rank, l.cell, l.account_id LIMIT $101) \
             (SELECT c.rank, c.account_id, c.cell, ",
            columns!(),
            " FROM candidates c CROSS JOIN LATERAL (SELECT * FROM ",
            fitting_profile!("STRPOS(',' || SUBSTR(p.industries, 2), $107) > 0"),
            " LIMIT 1) p WHERE ",
            is_near!(),
            ") UNION ALL (SELECT c.rank, c.account_id, c.cell, ",
            no_card!(),
            " FROM candidates c LIMIT 1 OFFSET $101 - 1) LIMIT $110"
        )
    };
}

/// Who is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Up to which step, in metres.
    pub radius: i64,
    /// In this division alone.
    pub city: Option<String>,
    /// With this industry alone.
    pub industry: Option<String>,
    /// How many at once.
    pub limit: u32,
}

/// One page, and the search that goes on after it, if there is more to look at.
///
/// # Errors
/// The database failed.
pub fn page(
    cx: &Context,
    asker: Uuid,
    search: &Search,
    wanted: &Wanted,
) -> Result<(Vec<Card>, Option<Search>), Problem> {
    let ranges = search.ranges(wanted.radius);
    let parameters = parameters(asker, search, &ranges, wanted, cx.now());
    let rows = cx.sql()?.query(&PAGE, &parameters)?;
    let mut cards = Vec::new();
    let mut last = None;
    for row in &rows {
        let is_card = row.get::<Option<String>>("avatar")?.is_some();
        if is_card && cards.len() == wanted.limit as usize {
            return Ok((cards, Some(Search { last, ..*search })));
        }
        let place = place(row, &ranges)?;
        last = Some(place);
        if is_card {
            cards.push(Card::from_row(row, Some(place.step))?);
        } else {
            return Ok((cards, Some(Search { last, ..*search })));
        }
    }
    Ok((cards, None))
}

fn place(row: &Row, ranges: &[Range]) -> Result<Place, SqlError> {
    let rank = usize::try_from(row.get::<i64>("rank")?).ok();
    let range = rank.and_then(|rank| ranges.get(rank));
    Ok(Place {
        step: range
            .ok_or(SqlError::Mismatch { column: "rank" })?
            .ring
            .step,
        cell: row.get("cell")?,
        account_id: row.get("account_id")?,
    })
}

/// The parameters of [`PAGE`].
pub fn parameters(
    asker: Uuid,
    search: &Search,
    ranges: &[Range],
    wanted: &Wanted,
    now: Timestamp,
) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for place in 0..RANGES {
        let numbers = ranges.get(place).map_or([1, 0, 0, 0], |range| {
            [
                range.low,
                range.high,
                range.ring.nearest,
                range.ring.farthest,
            ]
        });
        parameters.extend(numbers.map(Parameter::Integer));
    }
    let centre = search.origin.centre();
    let codes = wanted.city.as_deref().map(region::codes_within);
    // Above every code.
    let (first, last) = codes.unwrap_or_else(|| (String::new(), "g".to_owned()));
    let filtered = [("city", &wanted.city), ("industries", &wanted.industry)];
    let filtered = filtered.iter().filter(|(_, wanted)| wanted.is_some());
    parameters.extend([
        Parameter::Integer(centre.x),
        Parameter::Integer(centre.y),
        Parameter::Integer(centre.z),
        Parameter::text(search.after()),
        Parameter::Integer(LOOKED_AT),
        Parameter::id(asker),
        Parameter::Integer(filtered.map(|(name, _)| hidden_bit(name)).sum()),
        Parameter::text(first),
        Parameter::text(last),
        Parameter::flag(wanted.industry.is_some()),
        Parameter::text(wanted.industry.as_deref().map_or_else(String::new, item)),
        Parameter::time(search.began_at),
        Parameter::time(now),
        Parameter::Integer(i64::from(wanted.limit) + 1),
    ]);
    parameters
}

/// How an industry stands in the JSON list of them, of which the first is preceded by a comma too: a quotation
/// mark inside another one has a backslash before it, so this is found nowhere else.
fn item(industry: &str) -> String {
    format!(",{}", serde_json::Value::from(industry))
}
