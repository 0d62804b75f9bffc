//! One question to each engine, by a native client. The statements are prepared once.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nearby::cell::Cell;
use nearby::people::{self, Wanted};
use nearby::position::Position;
use nearby::search::Search;
use postgres::types::ToSql;
use postgres::{Client, NoTls};
use rusqlite::types::Value as SqliteValue;
use serde_json::Value;
use shared::sql::{Parameter, Statement};
use shared::time::Timestamp;
use uuid::Uuid;

/// What can be asked.
pub trait Engine {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// How many are found.
    fn search(&mut self, question: &Question) -> Result<usize>;

    /// How many people it looks at for that; `None` if it looks at those that [`Ours::rows`] counts.
    fn rows(&mut self, question: &Question) -> Result<Option<usize>>;
}

/// The nearest `limit` within `radius` metres, from a place.
pub struct Question {
    lat: f64,
    lng: f64,
    radius: i64,
    limit: u32,
    /// What our statement takes.
    parameters: Vec<Parameter>,
    /// How long it took to make them.
    pub covered_in: Duration,
}

/// Our statement.
fn page() -> &'static Statement {
    &people::PAGE
}

impl Question {
    pub fn new((lat, lng): (f64, f64), radius: i64, limit: u32) -> Self {
        let now = Timestamp::now();
        let wanted = Wanted {
            radius,
            city: None,
            industry: None,
            limit,
        };
        let before = Instant::now();
        let search = Search {
            origin: Cell::around(Position { lat, lng }),
            began_at: now,
            last: None,
        };
        let ranges = search.ranges(radius);
        Self {
            lat,
            lng,
            radius,
            limit,
            parameters: people::parameters(Uuid::nil(), &search, &ranges, &wanted, now),
            covered_in: before.elapsed(),
        }
    }
}

/// Our statement on SQLite.
pub struct Sqlite(rusqlite::Connection);

impl Sqlite {
    /// With the file in memory, as the servers have theirs.
    pub fn open(file: &Path) -> Result<Self> {
        let connection = rusqlite::Connection::open(file)?;
        connection.pragma_update(None, "mmap_size", 4_000_000_000_i64)?;
        Ok(Self(connection))
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "ours, SQLite"
    }

    fn search(&mut self, question: &Question) -> Result<usize> {
        let mut statement = self.0.prepare_cached(page().sqlite())?;
        let values = question
            .parameters
            .iter()
            .cloned()
            .map(|parameter| match parameter {
                Parameter::Null => SqliteValue::Null,
                Parameter::Integer(integer) => SqliteValue::Integer(integer),
                Parameter::Text(text) => SqliteValue::Text(text),
                Parameter::Blob(bytes) => SqliteValue::Blob(bytes),
            });
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            let _: String = row.get(1)?;
            found += 1;
        }
        Ok(found)
    }

    fn rows(&mut self, _: &Question) -> Result<Option<usize>> {
        Ok(None)
    }
}

/// Our statement on PostgreSQL.
pub struct Postgres {
    client: Client,
    statement: postgres::Statement,
}

impl Postgres {
    pub fn open(url: &str) -> Result<Self> {
        let mut client = connect(url)?;
        let statement = client.prepare(page().postgres())?;
        Ok(Self { client, statement })
    }
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "ours, PostgreSQL"
    }

    fn search(&mut self, question: &Question) -> Result<usize> {
        let parameters: Vec<&(dyn ToSql + Sync)> = question
            .parameters
            .iter()
            .map(|parameter| match parameter {
                Parameter::Integer(integer) => integer as &(dyn ToSql + Sync),
                Parameter::Text(text) => text,
                Parameter::Blob(bytes) => bytes,
                Parameter::Null => &None::<i64>,
            })
            .collect();
        Ok(self.client.query(&self.statement, &parameters)?.len())
    }

    fn rows(&mut self, _: &Question) -> Result<Option<usize>> {
        Ok(None)
    }
}

/// How many people our statement looks at.
pub struct Ours(rusqlite::Connection);

impl Ours {
    pub fn open(file: &Path) -> Result<Self> {
        Ok(Self(rusqlite::Connection::open(file)?))
    }

    /// Goes through the ranges as the statement does, up to the last one that the page needs.
    pub fn rows(&self, question: &Question) -> Result<usize> {
        let (lat, lng) = (question.lat, question.lng);
        let origin = Cell::around(Position { lat, lng });
        let search = Search {
            origin,
            began_at: Timestamp(0),
            last: None,
        };
        let mut statement = self
            .0
            .prepare_cached("SELECT cell FROM locations WHERE cell BETWEEN ?1 AND ?2")?;
        let (mut looked_at, mut found) = (0, 0);
        for range in search.ranges(question.radius) {
            let mut rows = statement.query([range.low, range.high])?;
            while let Some(row) = rows.next()? {
                looked_at += 1;
                let cell = Cell::from_number(row.get(0)?).context("a cell")?;
                let squared = origin.centre().squared_distance(cell.centre());
                found += u32::from((range.ring.nearest..=range.ring.farthest).contains(&squared));
                if found > question.limit {
                    return Ok(looked_at);
                }
            }
        }
        Ok(looked_at)
    }
}

/// A connection that plans a prepared statement once.
fn connect(url: &str) -> Result<Client> {
    let mut client = Client::connect(url, NoTls)?;
    client.batch_execute("SET plan_cache_mode = force_generic_plan")?;
    Ok(client)
}

/// The nearest by PostGIS's index.
pub struct PostGis {
    client: Client,
    name: &'static str,
    text: &'static str,
    statement: postgres::Statement,
}

/// Who is near, and how far away.
const IDENTIFIERS: &str = "SELECT id, ST_Distance(position, ST_MakePoint($1, $2)::GEOGRAPHY) FROM places \
     WHERE ST_DWithin(position, ST_MakePoint($1, $2)::GEOGRAPHY, $3) \
     ORDER BY position <-> ST_MakePoint($1, $2)::GEOGRAPHY LIMIT $4";

/// The same with what our statement answers of each, and with what it looks at before.
const CARDS: &str = concat!(
    "SELECT id, ST_Distance(position, ST_MakePoint($1, $2)::GEOGRAPHY), p.hidden, p.avatar, p.gender, \
       p.real_name, p.company, p.job_title, p.motto, p.city, p.industries \
     FROM places JOIN profiles p ON p.account_id = id \
     WHERE ST_DWithin(position, ST_MakePoint($1, $2)::GEOGRAPHY, $3) AND ",
    shared::seen_by!("'00000000-0000-0000-0000-000000000000'"),
    " ORDER BY position <-> ST_MakePoint($1, $2)::GEOGRAPHY LIMIT $4"
);

impl PostGis {
    pub fn identifiers(url: &str) -> Result<Self> {
        Self::open(url, "PostGIS, identifiers", IDENTIFIERS)
    }

    pub fn cards(url: &str) -> Result<Self> {
        Self::open(url, "PostGIS, the same cards", CARDS)
    }

    fn open(url: &str, name: &'static str, text: &'static str) -> Result<Self> {
        let mut client = connect(url)?;
        let statement = client.prepare(text)?;
        Ok(Self {
            client,
            name,
            text,
            statement,
        })
    }
}

impl Engine for PostGis {
    fn name(&self) -> &'static str {
        self.name
    }

    fn search(&mut self, question: &Question) -> Result<usize> {
        let (lat, lng) = (question.lat, question.lng);
        let (radius, limit) = (question.radius as f64, i64::from(question.limit));
        let rows = self
            .client
            .query(&self.statement, &[&lng, &lat, &radius, &limit])?;
        Ok(rows.len())
    }

    fn rows(&mut self, question: &Question) -> Result<Option<usize>> {
        let text = self
            .text
            .replace("$1", &question.lng.to_string())
            .replace("$2", &question.lat.to_string())
            .replace("$3", &question.radius.to_string())
            .replace("$4", &question.limit.to_string());
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {text}");
        let row = self.client.query_one(&explain, &[])?;
        let plan: Value = row.get(0);
        Ok(Some(scanned(&plan[0]["Plan"])))
    }
}

/// The rows that the plan's scans gave or threw away.
fn scanned(node: &Value) -> usize {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let own = if node["Relation Name"].is_string() {
        let thrown_away =
            number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        ((number("Actual Rows") + thrown_away) * number("Actual Loops")) as usize
    } else {
        0
    };
    let below = node["Plans"].as_array().into_iter().flatten();
    own + below.map(scanned).sum::<usize>()
}

/// The nearest by Redis's sorted set.
pub struct Redis(redis::Connection);

impl Redis {
    pub fn open(url: &str) -> Result<Self> {
        Ok(Self(redis::Client::open(url)?.get_connection()?))
    }

    fn count(&mut self, question: &Question, limit: Option<u32>) -> Result<usize> {
        let mut search = redis::cmd("GEOSEARCH");
        search
            .arg("places")
            .arg("FROMLONLAT")
            .arg(question.lng)
            .arg(question.lat);
        search
            .arg("BYRADIUS")
            .arg(question.radius)
            .arg("m")
            .arg("ASC");
        if let Some(limit) = limit {
            search.arg("COUNT").arg(limit);
        }
        let found: Vec<String> = search.query(&mut self.0)?;
        Ok(found.len())
    }
}

impl Engine for Redis {
    fn name(&self) -> &'static str {
        "Redis, identifiers"
    }

    fn search(&mut self, question: &Question) -> Result<usize> {
        self.count(question, Some(question.limit))
    }

    /// At least all within the radius: it sorts them before it counts.
    fn rows(&mut self, question: &Question) -> Result<Option<usize>> {
        self.count(question, None).map(Some)
    }
}
