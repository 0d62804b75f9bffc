//! The people who are searched, the same in every engine.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use cities::Sampler;
use nearby::cell::Cell;
use nearby::position::Position;
use postgres::{Client, NoTls};

const SEED: u64 = 1;
/// Long after any run.
const FAR_FUTURE: i64 = 4_000_000_000_000;

/// So many people.
pub struct Crowd(Vec<Dweller>);

struct Dweller {
    id: String,
    lat: f64,
    lng: f64,
    cell: Cell,
}

/// The database on the PostgreSQL server.
pub struct Urls {
    /// With the application's schema, and PostGIS.
    pub database: String,
    /// `postgres://HOST:PORT`
    pub host: String,
    server: String,
}

/// Where is asked from: positions of the same distribution.
pub fn questions(number: usize) -> Vec<(f64, f64)> {
    let mut sampler = Sampler::new(SEED + 1);
    (0..number).map(|_| sampler.position()).collect()
}

impl Crowd {
    /// Draws `people`; a larger crowd has everybody of a smaller one.
    pub fn draw(people: usize) -> Self {
        let mut sampler = Sampler::new(SEED);
        let dweller = |at: usize| {
            let (lat, lng) = sampler.position();
            Dweller {
                // Not in the order of the places.
                id: format!(
                    "{:08x}-0000-7000-8000-{at:012x}",
                    (at as u32).wrapping_mul(2_654_435_761)
                ),
                lat,
                lng,
                cell: Cell::around(Position { lat, lng }),
            }
        };
        Self((0..people).map(dweller).collect())
    }

    /// Fills profiles and locations; what they refer to is left out, since no search looks there.
    pub fn fill_sqlite(&self, file: &Path) -> Result<()> {
        let mut database = rusqlite::Connection::open(file)?;
        database.execute_batch("PRAGMA foreign_keys = OFF;")?;
        let transaction = database.transaction()?;
        {
            let mut profile = transaction.prepare(
                "INSERT INTO profiles (account_id, version, hidden, avatar, gender, real_name, company, \
                   job_title, motto, city, industries) \
                 VALUES (?1, 0, 0, 'https://a/b.jpg', 'female', '林小满', '满山科技', '创始人', '厚德载物', \
                   '350203', '[\"软件\"]')",
            )?;
            let mut location = transaction.prepare(
                "INSERT INTO locations VALUES (?1, 'location', ?2, ?3, ?4, ?5, 0, 0, 0, ?6)",
            )?;
            for Dweller { id, cell, .. } in &self.0 {
                let centre = cell.centre();
                profile.execute([id])?;
                location.execute((id, cell.number(), centre.x, centre.y, centre.z, FAR_FUTURE))?;
            }
        }
        transaction.commit()?;
        database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?;
        Ok(())
    }

    /// Makes a database with the application's schema and with PostGIS, and fills both.
    pub fn fill_postgres(&self, server: &str) -> Result<Urls> {
        let urls = Urls::on(server)?;
        let mut admin = Client::connect(server, NoTls)?;
        admin.batch_execute("CREATE DATABASE nearby")?;
        crate::migrate("postgres", urls.database.as_ref())?;

        let mut database = Client::connect(&urls.database, NoTls)?;
        database.batch_execute("SET session_replication_role = replica")?;
        let mut copy = database.copy_in(
            "COPY profiles (account_id, version, hidden, avatar, gender, real_name, company, job_title, \
               motto, city, industries) FROM STDIN",
        )?;
        for Dweller { id, .. } in &self.0 {
            writeln!(
                copy,
                "{id}\t0\t0\thttps://a/b.jpg\tfemale\t林小满\t满山科技\t创始人\t厚德载物\t350203\t[\"软件\"]"
            )?;
        }
        copy.finish()?;
        let mut copy = database.copy_in("COPY locations FROM STDIN")?;
        for Dweller { id, cell, .. } in &self.0 {
            let (number, centre) = (cell.number(), cell.centre());
            let (x, y, z) = (centre.x, centre.y, centre.z);
            writeln!(
                copy,
                "{id}\tlocation\t{number}\t{x}\t{y}\t{z}\t0\t0\t0\t{FAR_FUTURE}"
            )?;
        }
        copy.finish()?;
        database.batch_execute(
            "CREATE EXTENSION postgis; \
             CREATE TABLE places (id TEXT PRIMARY KEY, position GEOGRAPHY(Point, 4326) NOT NULL)",
        )?;
        let mut copy = database.copy_in("COPY places FROM STDIN")?;
        for Dweller { id, lat, lng, .. } in &self.0 {
            writeln!(copy, "{id}\tSRID=4326;POINT({lng} {lat})")?;
        }
        copy.finish()?;
        database
            .batch_execute("CREATE INDEX places_by_position ON places USING GIST (position)")?;
        database.batch_execute("VACUUM ANALYZE")?;
        Ok(urls)
    }

    /// Fills the sorted set `places`.
    pub fn fill_redis(&self, url: &str) -> Result<()> {
        let mut redis = redis::Client::open(url)?.get_connection()?;
        redis::cmd("FLUSHALL").exec(&mut redis)?;
        for dwellers in self.0.chunks(1000) {
            let mut add = redis::cmd("GEOADD");
            add.arg("places");
            for Dweller { id, lat, lng, .. } in dwellers {
                add.arg(*lng).arg(*lat).arg(id);
            }
            add.exec(&mut redis)?;
        }
        Ok(())
    }
}

impl Urls {
    fn on(server: &str) -> Result<Self> {
        let (base, _) = server.rsplit_once('/').context("a URL with a database")?;
        let (_, host) = base.rsplit_once('@').context("a URL with a user")?;
        Ok(Self {
            database: format!("{base}/nearby"),
            host: format!("postgres://{host}"),
            server: server.to_owned(),
        })
    }

    /// Makes room for the next crowd.
    pub fn drop_database(self) -> Result<()> {
        let mut admin = Client::connect(&self.server, NoTls)?;
        admin.batch_execute("DROP DATABASE nearby WITH (FORCE)")?;
        Ok(())
    }
}
