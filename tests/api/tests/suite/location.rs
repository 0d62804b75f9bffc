//! `/v1/location`: what is kept of a position, for how long, and how often it may change.

use std::thread;
use std::time::Duration;

use api_tests::{Answer, App, Builder, Cell, DAY, HOUR, MINUTE, Person, SECOND, on_both_engines};
use serde_json::{Value, json};

use crate::faults::{Attempt, again, sweep};

const HERE: (f64, f64) = (24.4798, 118.0894);
/// Within the same cell.
const BESIDE: (f64, f64) = (24.4796, 118.0891);

fn update(lat: f64, lng: f64) -> Value {
    json!({ "lat": lat, "lng": lng, "accuracy_m": 10, "coordinate_system": "wgs84" })
}

fn put(app: &App, person: &Person, body: &Value) -> Answer {
    app.request("PUT", "/v1/location")
        .token(&person.token)
        .json(body)
}

fn get(app: &App, person: &Person) -> Answer {
    app.get("/v1/location", &person.token)
}

fn rows(app: &App, person: &Person) -> Vec<Vec<Cell>> {
    app.database().rows(&format!(
        "SELECT * FROM locations WHERE account_id = '{}'",
        person.account_id
    ))
}

/// Metres between two points that are near each other.
fn metres(point: &Value, lat: f64, lng: f64) -> f64 {
    let number = |name: &str| point[name].as_f64().expect("a number");
    let east = (number("lng") - lng) * 111_320.0 * lat.to_radians().cos();
    ((number("lat") - lat) * 111_320.0).hypot(east)
}

on_both_engines! {
    // clause E20
    [stand_in] fn a_cell_is_kept_and_the_position_is_not(app: App) {
        let person = app.someone_locatable();
        app.clock().stop();
        let first = put(&app, &person, &update(HERE.0, HERE.1)).expect(200);
        let kept = rows(&app, &person);
        let second = put(&app, &person, &update(BESIDE.0, BESIDE.1)).expect(200);
        assert_eq!(first.json, second.json);
        assert_eq!(kept, rows(&app, &person));
        assert_eq!(get(&app, &person).expect(200).json, first.json);
        let centre = &first.json["wgs84"];
        assert!(metres(centre, HERE.0, HERE.1) < 450.0, "{centre}");
        assert_eq!(first.json["hidden"], false);
        app.locate(&person, HERE.0 + 0.02, HERE.1).expect_problem(429, "location-too-fast");
        app.clock().advance(MINUTE);
        app.locate(&person, HERE.0 + 0.02, HERE.1).expect(200);
        let kept = rows(&app, &person);
        assert_eq!(kept.len(), 1, "the one before is overwritten");
    }

    // clause V12
    fn both_systems_of_coordinates_name_the_same_cell(app: App) {
        let person = app.someone_locatable();
        let (wgs84, gcj02) = ((39.90872, 116.39748), (39.910_117, 116.403_721));
        let first = put(&app, &person, &update(wgs84.0, wgs84.1)).expect(200);
        let body = json!({
            "lat": gcj02.0, "lng": gcj02.1, "accuracy_m": 10, "coordinate_system": "gcj02",
        });
        let second = put(&app, &person, &body).expect(200);
        assert_eq!(first.json["wgs84"], second.json["wgs84"]);
        let (wgs84, gcj02) = (&first.json["wgs84"], &first.json["gcj02"]);
        let offset = metres(gcj02, wgs84["lat"].as_f64().expect("it"), wgs84["lng"].as_f64().expect("it"));
        assert!((300.0..700.0).contains(&offset), "{offset}");
        app.forget_location(&person);
        let paris = json!({ "lat": 48.857, "lng": 2.352, "accuracy_m": 10, "coordinate_system": "gcj02" });
        let answer = put(&app, &person, &paris).expect(200);
        assert_eq!(answer.json["wgs84"], answer.json["gcj02"]);
    }

    fn bad_positions_are_refused_and_change_nothing(app: App) {
        let person = app.someone_at(HERE.0, HERE.1);
        let kept = rows(&app, &person);
        for (field, value, code) in [
            ("lat", json!(90.1), "lat:range"),
            ("lat", json!(-91), "lat:range"),
            ("lng", json!(180.5), "lng:range"),
            ("accuracy_m", json!(-1), "accuracy_m:range"),
            ("accuracy_m", json!(20001), "accuracy_m:range"),
        ] {
            let mut body = update(HERE.0, HERE.1);
            body[field] = value;
            put(&app, &person, &body).expect_violations(&[code]);
        }
        for (field, value) in [
            ("lat", json!("24")),
            ("lng", json!(null)),
            ("coordinate_system", json!("bd09")),
            ("hidden", json!(1)),
            ("altitude", json!(3)),
        ] {
            let mut body = update(HERE.0, HERE.1);
            body[field] = value;
            assert_eq!(put(&app, &person, &body).expect(422).problem(), Some("invalid-fields"), "{field}");
        }
        assert_eq!(rows(&app, &person), kept);
    }

    // clauses E20, G2
    fn it_needs_the_consent_and_goes_with_it(app: App) {
        let person = app.someone();
        put(&app, &person, &update(HERE.0, HERE.1)).expect_problem(403, "profile-incomplete");
        app.complete_profile(&person);
        let refused = put(&app, &person, &update(HERE.0, HERE.1)).expect_problem(403, "consent-required");
        assert_eq!(refused.text("/purpose"), "location");
        assert!(rows(&app, &person).is_empty());
        app.consent(&person, "location", true).expect(200);
        get(&app, &person).expect_problem(404, "location-missing");
        put(&app, &person, &update(HERE.0, HERE.1)).expect(200);
        app.consent(&person, "location", false).expect(200);
        assert!(rows(&app, &person).is_empty());
        for answer in [
            put(&app, &person, &update(HERE.0, HERE.1)),
            get(&app, &person),
            app.nearby(&person, ""),
        ] {
            answer.expect_problem(403, "consent-required");
        }
        app.forget_location(&person);
        assert!(rows(&app, &person).is_empty());
    }

    // clause E20
    [stand_in] fn it_is_forgotten_when_asked_and_after_a_day(builder: Builder) {
        let app = builder.without_limits().start();
        let person = app.someone_at(HERE.0, HERE.1);
        for _ in 0..2 {
            app.forget_location(&person);
            assert!(rows(&app, &person).is_empty());
        }
        get(&app, &person).expect_problem(404, "location-missing");
        app.locate(&person, HERE.0, HERE.1).expect(200);
        app.clock().advance(DAY - MINUTE);
        get(&app, &person).expect(200);
        app.clock().advance(MINUTE + SECOND);
        get(&app, &person).expect_problem(404, "location-missing");
        app.nearby(&person, "").expect_problem(409, "location-missing");
        // From anywhere to anywhere: the expired one says nothing about speed.
        app.locate(&person, -HERE.0, HERE.1).expect(200);
        assert_eq!(rows(&app, &person).len(), 1);
    }

    fn it_can_be_hidden_and_stays_so(app: App) {
        let person = app.someone_locatable();
        let with = |hidden: Option<bool>| {
            let mut body = update(HERE.0, HERE.1);
            body["hidden"] = json!(hidden);
            put(&app, &person, &body).expect(200).json["hidden"] == true
        };
        assert!(!with(None));
        assert!(with(Some(true)));
        assert!(with(None));
        assert!(!with(Some(false)));
    }

    [stand_in] fn nobody_is_faster_than_an_aeroplane(app: App) {
        app.clock().stop();
        let person = app.someone_at(HERE.0, HERE.1);
        let kept = rows(&app, &person);
        // 1,112 km to the north.
        let refused = app.locate(&person, HERE.0 + 10.0, HERE.1).expect_problem(429, "location-too-fast");
        let wait = refused.retry_after();
        assert!((3300..3340).contains(&wait), "{wait}");
        assert_eq!(rows(&app, &person), kept);
        app.log().event("location-too-fast", refused.request_id());
        app.clock().advance(Duration::from_secs(wait - 30));
        app.locate(&person, HERE.0 + 10.0, HERE.1).expect_problem(429, "location-too-fast");
        app.clock().advance(Duration::from_secs(31));
        app.locate(&person, HERE.0 + 10.0, HERE.1).expect(200);
    }

    fn updates_are_limited(builder: Builder) {
        let app = builder.variable("location_updates_per_hour", "3").start();
        let person = app.someone_locatable();
        for _ in 0..3 {
            app.locate(&person, HERE.0, HERE.1).expect(200);
        }
        let kept = rows(&app, &person);
        let refused = app.locate(&person, BESIDE.0, BESIDE.1).expect_problem(429, "rate-limited");
        assert!((3500..=3600).contains(&refused.retry_after()));
        assert_eq!(rows(&app, &person), kept);
        let other = app.someone_locatable();
        app.locate(&other, HERE.0, HERE.1).expect(200);
    }

    [stand_in] fn forgetting_does_not_lead_around_the_limit_of_speed(builder: Builder) {
        let app = builder.variable("location_placements_per_day", "3").start();
        let person = app.someone_locatable();
        for place in 0..3 {
            app.locate(&person, f64::from(place) * 20.0, HERE.1).expect(200);
            if place == 1 {
                app.consent(&person, "location", false).expect(200);
                app.consent(&person, "location", true).expect(200);
            } else {
                app.forget_location(&person);
            }
        }
        app.locate(&person, HERE.0, HERE.1).expect_problem(429, "rate-limited");
        assert!(rows(&app, &person).is_empty());
        app.clock().advance(DAY + SECOND);
        app.locate(&person, HERE.0, HERE.1).expect(200);
        // Moving is not placing.
        app.clock().advance(HOUR);
        app.locate(&person, HERE.0 + 0.1, HERE.1).expect(200);
    }

    fn of_updates_at_once_one_stands_whole(builder: Builder) {
        let app = builder.without_limits().start();
        let person = app.someone_locatable();
        for _ in 0..8 {
            let answers: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|step| {
                        let (app, person) = (&app, &person);
                        scope.spawn(move || {
                            app.locate(person, HERE.0 + f64::from(step) * 0.003, HERE.1).expect(200)
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().expect("it answers")).collect()
            });
            let kept = get(&app, &person).expect(200).json;
            let newest = answers.iter().map(|answer| answer.text("/updated_at")).max().expect("some");
            assert_eq!(kept["updated_at"], newest, "no later update is lost");
            assert!(answers.iter().any(|answer| answer.json == kept), "it is one of them");
            app.forget_location(&person);
        }
    }

    [stand_in] fn an_update_that_was_stopped_is_done_by_the_next(builder: Builder) {
        let app = builder.without_limits().start();
        for placed in [false, true] {
            sweep(
                &app,
                |app, _| {
                    let person = if placed {
                        app.someone_at(HERE.0, HERE.1)
                    } else {
                        app.someone_locatable()
                    };
                    let body = update(HERE.0 + 0.008, HERE.1);
                    let attempt = Attempt::new("PUT", "/v1/location", Some(&person.token), body);
                    (person, attempt)
                },
                again,
                |app, person, answer| {
                    assert_eq!(get(app, person).expect(200).json, answer.json);
                    assert_eq!(rows(app, person).len(), 1);
                },
            );
        }
        sweep(
            &app,
            |app, _| {
                let person = app.someone_at(HERE.0, HERE.1);
                let attempt = Attempt::new("DELETE", "/v1/location", Some(&person.token), Value::Null);
                (person, attempt)
            },
            again,
            |app, person, _| assert!(rows(app, person).is_empty()),
        );
    }
}
