//! What a search answers is exactly what looking at everybody would answer.

use std::collections::HashSet;

use api_tests::{App, Person, on_both_engines};
use cities::Sampler;
use s2::cellid::CellID;
use s2::latlng::LatLng;
use s2::point::Point;
use serde_json::Value;

const STEPS: [i64; 7] = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
const CITIES: [&str; 4] = ["350203", "350205", "350200", "110105"];
const INDUSTRIES: [&str; 3] = ["软件", "咨询", "餐饮"];
const FAR_FUTURE: i64 = 4_000_000_000_000;
const SEARCHES: usize = 150;

#[derive(Clone, Copy)]
struct Place {
    cell: i64,
    centre: [i64; 3],
}

impl Place {
    fn of((lat, lng): (f64, f64)) -> Self {
        let cell = CellID::from(LatLng::from_degrees(lat, lng)).parent(14);
        let centre = Point::from(cell).0;
        let metres = |unit: f64| (unit * 6_371_010.0).round() as i64;
        Self {
            cell: cell.0.cast_signed(),
            centre: [metres(centre.x), metres(centre.y), metres(centre.z)],
        }
    }

    fn within(self, other: Self) -> Option<i64> {
        let differences = self.centre.iter().zip(other.centre).map(|(a, b)| a - b);
        let squared: i64 = differences.map(|difference| difference * difference).sum();
        STEPS.into_iter().find(|step| squared <= step * step)
    }
}

struct Dweller {
    id: String,
    place: Place,
    is_hidden: bool,
    is_expired: bool,
    is_complete: bool,
    city: Option<&'static str>,
    industries: Vec<&'static str>,
    /// What of the profile nobody else sees, as it is stored.
    hidden_fields: i64,
}

const HIDES_CITY: i64 = 1 << 6;
const HIDES_INDUSTRIES: i64 = 1 << 8;

/// People in cities, people everywhere, people around the places where grids are odd, and a crowd.
fn positions(random: &mut fastrand::Rng) -> Vec<(f64, f64)> {
    let mut sampler = Sampler::new(random.u64(..));
    let mut positions: Vec<_> = (0..800).map(|_| sampler.position()).collect();
    positions.extend((0..400).map(|_| {
        let lat = (random.f64() * 2.0 - 1.0).asin().to_degrees();
        (lat, random.f64() * 360.0 - 180.0)
    }));
    for (lat, lng) in ODD {
        positions.extend((0..100).map(|_| {
            let (north, east) = (random.f64() - 0.5, random.f64() - 0.5);
            let spread = (lat + north).to_radians().cos().abs().max(0.01);
            let lat = (lat + north).clamp(-90.0, 90.0);
            (lat, (lng + east / spread + 180.0).rem_euclid(360.0) - 180.0)
        }));
    }
    positions.extend((0..1500).map(|_| {
        let (north, east) = (random.f64() - 0.5, random.f64() - 0.5);
        (CROWD.0 + 0.03 * north, CROWD.1 + 0.03 * east)
    }));
    positions
}

/// The antimeridian, the poles, and a corner and an edge of the cube that the grid is made from.
const ODD: [(f64, f64); 5] = [
    (10.0, 180.0),
    (89.9, 0.0),
    (-89.9, 90.0),
    (35.26, 45.0),
    (0.0, 45.0),
];
const CROWD: (f64, f64) = (24.48, 118.09);

/// One of `values`, or nothing, as if that stood among them so many times.
fn one_or_none(
    random: &mut fastrand::Rng,
    values: &[&'static str],
    nothing: usize,
) -> Option<&'static str> {
    values.get(random.usize(..values.len() + nothing)).copied()
}

fn dwellers(random: &mut fastrand::Rng) -> Vec<Dweller> {
    let positions = positions(random);
    let mut dweller = |(at, position): (usize, (f64, f64))| Dweller {
        id: format!("{:08x}-0000-7000-8000-{at:012x}", random.u32(..)),
        place: Place::of(position),
        is_hidden: random.u8(..10) == 0,
        is_expired: random.u8(..10) == 0,
        is_complete: random.u8(..10) != 0,
        city: one_or_none(random, &CITIES, 1),
        // The last one is rare.
        industries: INDUSTRIES
            .into_iter()
            .zip([2, 4, 200])
            .filter(|(_, rarity)| random.u32(..rarity) == 0)
            .map(|(industry, _)| industry)
            .collect(),
        hidden_fields: random
            .choice([0, 0, HIDES_CITY, HIDES_INDUSTRIES])
            .expect("one of them"),
    };
    positions
        .into_iter()
        .enumerate()
        .map(&mut dweller)
        .collect()
}

fn insert(app: &App, dwellers: &[Dweller]) {
    let database = app.database();
    let ids: Vec<_> = dwellers.iter().map(|dweller| dweller.id.clone()).collect();
    database.insert_accounts(&ids);
    let rows = |row: &dyn Fn(&Dweller) -> String| dwellers.iter().map(row).collect::<Vec<_>>();
    database.insert(
        "consents",
        &rows(&|dweller| format!("('{}', 'location', 'v', 0)", dweller.id)),
    );
    let text = |text: Option<String>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    database.insert(
        "profiles",
        &rows(&|dweller| {
            let company = text(dweller.is_complete.then(|| "c".to_owned()));
            let industries = (!dweller.industries.is_empty()).then(|| Value::from(dweller.industries.clone()));
            format!(
                "('{}', 0, {}, 'a', 'male', 'n', {company}, 'j', NULL, NULL, NULL, NULL, NULL, NULL, {}, NULL, \
                 {}, NULL)",
                dweller.id,
                dweller.hidden_fields,
                text(dweller.city.map(str::to_owned)),
                text(industries.map(|list| list.to_string())),
            )
        }),
    );
    database.insert(
        "locations",
        &rows(&|dweller| {
            let expires_at = if dweller.is_expired { 1 } else { FAR_FUTURE };
            let hidden = i64::from(dweller.is_hidden);
            row(&dweller.id, dweller.place, hidden, expires_at)
        }),
    );
}

fn row(
    id: &str,
    Place {
        cell,
        centre: [x, y, z],
    }: Place,
    hidden: i64,
    expires_at: i64,
) -> String {
    format!("('{id}', 'location', {cell}, {x}, {y}, {z}, {hidden}, 0, 0, {expires_at})")
}

struct Question {
    from: Place,
    radius: i64,
    city: Option<&'static str>,
    industry: Option<&'static str>,
    limit: u32,
}

impl Question {
    fn draw(random: &mut fastrand::Rng, dwellers: &[Dweller]) -> Self {
        Self {
            from: random.choice(dwellers).expect("somebody").place,
            radius: random.choice(STEPS).expect("a step"),
            city: one_or_none(random, &CITIES, 6),
            industry: one_or_none(random, &INDUSTRIES, 4),
            limit: random.u32(20..=100),
        }
    }

    fn path(&self) -> String {
        let mut path = format!(
            "/v1/nearby/people?radius_m={}&limit={}",
            self.radius, self.limit
        );
        if let Some(city) = self.city {
            path += &format!("&city={city}");
        }
        if let Some(industry) = self.industry {
            let encoded: String = industry
                .bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect();
            path += &format!("&industry={encoded}");
        }
        path
    }

    fn fits(&self, dweller: &Dweller) -> bool {
        let shows = |bit: i64| dweller.hidden_fields & bit == 0;
        let lives_in = |city: &str| {
            let whole = city.strip_suffix("00").unwrap_or(city);
            shows(HIDES_CITY) && dweller.city.is_some_and(|code| code.starts_with(whole))
        };
        let follows =
            |industry: &str| shows(HIDES_INDUSTRIES) && dweller.industries.contains(&industry);
        dweller.is_complete
            && !dweller.is_hidden
            && !dweller.is_expired
            && self.city.is_none_or(lives_in)
            && self.industry.is_none_or(follows)
    }

    /// Looks at everybody.
    fn answer<'a>(
        &self,
        dwellers: &'a [Dweller],
        blocked: &HashSet<&str>,
    ) -> Vec<(i64, i64, &'a str)> {
        let mut found: Vec<_> = dwellers
            .iter()
            .filter(|dweller| self.fits(dweller) && !blocked.contains(dweller.id.as_str()))
            .filter_map(|dweller| {
                let within = self.from.within(dweller.place)?;
                (within <= self.radius).then_some((within, dweller.place.cell, dweller.id.as_str()))
            })
            .collect();
        found.sort_unstable();
        found
    }
}

/// Someone who asks, and whom others do not see.
fn asker(app: &App) -> Person {
    let asker = app.someone_locatable();
    app.database().insert(
        "locations",
        &[row(&asker.account_id, Place::of(CROWD), 1, FAR_FUTURE)],
    );
    asker
}

fn go(
    app: &App,
    asker: &Person,
    Place {
        cell,
        centre: [x, y, z],
    }: Place,
) {
    app.database().rows(&format!(
        "UPDATE locations SET cell = {cell}, x = {x}, y = {y}, z = {z} WHERE account_id = '{}' RETURNING cell",
        asker.account_id
    ));
}

on_both_engines! {
    fn a_search_answers_as_if_it_looked_at_everybody(app: App) {
        let mut random = fastrand::Rng::with_seed(20_261_124);
        let dwellers = dwellers(&mut random);
        insert(&app, &dwellers);
        let asker = asker(&app);
        let chosen = random.choose_multiple(&dwellers, 300);
        let (blockers, blocked) = chosen.split_at(150);
        let own = blocked.iter().map(|other| format!("('{}', '{}', 0)", asker.account_id, other.id));
        let others = blockers.iter().map(|other| format!("('{}', '{}', 0)", other.id, asker.account_id));
        app.database().insert("blocks", &own.chain(others).collect::<Vec<_>>());
        let blocked: HashSet<_> = chosen.iter().map(|dweller| dweller.id.as_str()).collect();

        let (mut found, mut longest) = (0, 0);
        for _ in 0..SEARCHES {
            let question = Question::draw(&mut random, &dwellers);
            go(&app, &asker, question.from);
            let items = app.all_pages(&asker, &question.path());
            let answered: Vec<_> = items
                .iter()
                .map(|item| (item["within"].as_i64(), item["id"].as_str()))
                .collect();
            let expected: Vec<_> = question
                .answer(&dwellers, &blocked)
                .into_iter()
                .map(|(within, _, id)| (Some(within), Some(id)))
                .collect();
            assert_eq!(answered, expected, "{}", question.path());
            found += expected.len();
            longest = longest.max(expected.len());
        }
        assert!(found > 5000 && longest > 500, "{found} {longest}");
    }
}
