//! Somebody tries to find out where somebody is, by asking from many places. Whatever is asked, the answers
//! are the same wherever in its cell the target is; and they are not the same in another cell, so the attack
//! is one.

use std::f64::consts::TAU;
use std::thread;

use api_tests::{App, Builder, Engine, Person, on_both_engines};
use s2::cell::Cell;
use s2::cellid::CellID;
use s2::latlng::LatLng;
use serde_json::{Value, json};

const HERE: (f64, f64) = (31.2304, 121.4737);
const STEPS: [i64; 7] = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
const METRE: f64 = 1.0 / 111_195.0;
/// How often each boundary's range is halved: from 3 km to less than a metre.
const HALVINGS: usize = 12;
const ATTACKERS: usize = 6;

/// Two people in one cell, as far apart as can be.
struct Twins {
    one: Person,
    other: Person,
}

/// The place so much of the way from the centre of the target's cell to one of its corners.
fn towards_corner(corner: usize, share: f64) -> (f64, f64) {
    let id = CellID::from(LatLng::from_degrees(HERE.0, HERE.1)).parent(14);
    let centre = LatLng::from(id);
    let corner = LatLng::from(Cell::from(id).vertex(corner));
    let between = |from: f64, to: f64| from + (to - from) * share;
    (
        between(centre.lat.deg(), corner.lat.deg()),
        between(centre.lng.deg(), corner.lng.deg()),
    )
}

/// One attacker's way of asking: goes somewhere unseen, and notes every answer.
struct Attacker<'a> {
    app: &'a App,
    person: &'a Person,
    transcript: Vec<Value>,
}

impl Attacker<'_> {
    fn go(&self, (lat, lng): (f64, f64)) {
        let place = json!({
            "lat": lat, "lng": lng, "accuracy_m": 20_000, "coordinate_system": "wgs84", "hidden": true,
        });
        self.app
            .request("PUT", "/v1/location")
            .token(&self.person.token)
            .json(&place)
            .expect(200);
    }

    /// What is answered from a place about people up to `radius`, in pages of `limit`, cursors apart.
    fn ask(&mut self, from: (f64, f64), radius: i64, limit: usize) -> Value {
        self.go(from);
        let query = format!("?radius_m={radius}&limit={limit}");
        let mut page = self.app.nearby(self.person, &query).expect(200).json;
        page["next_cursor"] = page["next_cursor"].is_string().into();
        self.transcript.push(page.clone());
        page
    }

    /// Bisects, in one direction from the target, where it comes within `step`.
    fn bisect(&mut self, target: &Person, direction: f64, step: i64) {
        self.app.forget_location(self.person);
        // So that both sides of the boundary answer, where there is a step beyond.
        let beyond = STEPS.into_iter().find(|other| *other > step);
        let (mut near, mut far) = ((step as f64 - 1500.0).max(0.0), step as f64 + 1500.0);
        let at = |distance: f64| {
            let north = distance * METRE * direction.cos();
            let east = distance * METRE * direction.sin() / HERE.0.to_radians().cos();
            (HERE.0 + north, HERE.1 + east)
        };
        for _ in 0..HALVINGS {
            let distance = (near + far) / 2.0;
            let page = self.ask(at(distance), beyond.unwrap_or(step), 100);
            let items = page["items"].as_array().expect("a list");
            let item = items.iter().find(|item| item["id"] == *target.account_id);
            let within = item.and_then(|item| item["within"].as_i64());
            if within.is_some_and(|within| within <= step) {
                near = distance;
            } else {
                far = distance;
            }
        }
        // And a short page where the boundary was found: what is on it depends on the order.
        self.ask(at(near), 50_000, 3);
    }
}

/// The whole attack, by several at once: every answer, in an order that does not depend on their pace.
fn attack(app: &App, attackers: &[Person], target: &Person, directions: usize) -> Vec<Value> {
    thread::scope(|scope| {
        let threads: Vec<_> = attackers
            .iter()
            .enumerate()
            .map(|(at, person)| {
                scope.spawn(move || {
                    let mut attacker = Attacker {
                        app,
                        person,
                        transcript: Vec::new(),
                    };
                    for turn in (at..directions).step_by(attackers.len()) {
                        let direction = TAU * turn as f64 / directions as f64;
                        for step in STEPS {
                            attacker.bisect(target, direction, step);
                        }
                    }
                    attacker.transcript
                })
            })
            .collect();
        let join =
            |thread: thread::ScopedJoinHandle<'_, Vec<Value>>| thread.join().expect("it asks");
        threads.into_iter().flat_map(join).collect()
    })
}

fn place(app: &App, person: &Person, (lat, lng): (f64, f64)) {
    app.locate(person, lat, lng).expect(200);
}

/// Where the target is in its cell: in the middle, and as far as can be in each corner.
fn hideouts() -> Vec<((f64, f64), (f64, f64))> {
    let mut hideouts = vec![(towards_corner(0, 0.0), towards_corner(1, 0.5))];
    for corner in 0..4 {
        let opposite = (corner + 2) % 4;
        hideouts.push((towards_corner(corner, 0.97), towards_corner(opposite, 0.97)));
    }
    hideouts
}

/// In every answer that has one of the twins, the other is there too, at the same distance and always on the
/// same side.
fn twins_look_alike(transcript: &[Value], twins: &Twins) {
    let mut orders = Vec::new();
    for page in transcript {
        let items = page["items"].as_array().expect("a list");
        let find = |person: &Person| {
            items
                .iter()
                .position(|item| item["id"] == *person.account_id)
        };
        match (find(&twins.one), find(&twins.other)) {
            (Some(one), Some(other)) => {
                assert_eq!(items[one]["within"], items[other]["within"]);
                orders.push(one < other);
            }
            (None, None) => {}
            // The page ends between them.
            (Some(at), None) | (None, Some(at)) => assert_eq!(at + 1, items.len()),
        }
    }
    assert!(orders.len() > 100 && orders.windows(2).all(|pair| pair[0] == pair[1]));
}

on_both_engines! {
    // clause E20
    fn nobody_can_be_narrowed_down_to_less_than_a_cell(builder: Builder) {
        let app = builder.without_limits().variable("location_max_speed_kmh", "100000").start();
        let twins = Twins { one: app.someone_locatable(), other: app.someone_locatable() };
        for decoy in 0..20 {
            let decoy = f64::from(decoy);
            app.someone_at(HERE.0 + decoy * 300.0 * METRE, HERE.1 - decoy * decoy * 30.0 * METRE);
        }
        let attackers: Vec<_> = (0..ATTACKERS).map(|_| app.someone_locatable()).collect();
        // On SQLite ten thousand questions in all; PostgreSQL answers from the same cells.
        let directions = match app.database().engine() {
            Engine::Sqlite => 24,
            Engine::Postgres => ATTACKERS,
        };
        let mut asked = 0;
        let mut transcripts = Vec::new();
        for (one, other) in hideouts() {
            place(&app, &twins.one, one);
            place(&app, &twins.other, other);
            let transcript = attack(&app, &attackers, &twins.one, directions);
            twins_look_alike(&transcript, &twins);
            asked += transcript.len();
            transcripts.push(transcript);
        }
        for other in &transcripts[1..] {
            assert_eq!(other.len(), transcripts[0].len());
            let differs = transcripts[0].iter().zip(other).find(|(one, other)| one != other);
            assert!(differs.is_none(), "{differs:?}");
        }
        if app.database().engine() == Engine::Sqlite {
            assert!(asked >= 10_000, "{asked}");
        }
        // In the next cell the same attack sees something else.
        place(&app, &twins.one, towards_corner(0, 1.1));
        let elsewhere = attack(&app, &attackers, &twins.one, ATTACKERS);
        place(&app, &twins.one, towards_corner(0, 0.97));
        assert_ne!(elsewhere, attack(&app, &attackers, &twins.one, ATTACKERS));
    }
}
