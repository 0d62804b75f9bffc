//! `/v1/nearby/people` and `/v1/nearby/city`: who is shown to whom, in what order, page by page.

use std::collections::BTreeSet;
use std::time::Duration;

use api_tests::{App, Builder, HOUR, MINUTE, Person, on_both_engines};
use serde_json::{Value, json};

/// In the middle of Xiamen, away from the edges of its cell.
const HERE: (f64, f64) = (24.4798, 118.0894);
/// About so many degrees of latitude are a kilometre.
const KILOMETRE: f64 = 1.0 / 111.2;

fn ids(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id"))
        .collect()
}

fn shown(app: &App, asker: &Person, query: &str) -> Vec<String> {
    let items = app.all_pages(asker, &format!("/v1/nearby/people{query}"));
    ids(&items).into_iter().map(str::to_owned).collect()
}

fn sees(app: &App, asker: &Person, other: &Person) -> bool {
    shown(app, asker, "?radius_m=50000").contains(&other.account_id)
}

fn patch(app: &App, person: &Person, change: &Value) {
    app.request("PATCH", "/v1/profile")
        .token(&person.token)
        .body("application/merge-patch+json", change.to_string())
        .send()
        .expect(200);
}

fn north(kilometres: f64) -> (f64, f64) {
    (HERE.0 + kilometres * KILOMETRE, HERE.1)
}

fn at(app: &App, (lat, lng): (f64, f64)) -> Person {
    app.someone_at(lat, lng)
}

on_both_engines! {
    // clause E4
    fn the_nearest_come_first_with_a_coarse_distance(app: App) {
        let asker = at(&app, HERE);
        let far = at(&app, north(18.0));
        let near = at(&app, north(3.0));
        let same = at(&app, HERE);
        let _beyond = at(&app, north(60.0));
        let page = app.nearby(&asker, "?radius_m=50000").expect(200);
        let items = page.json["items"].as_array().expect("a list");
        assert_eq!(ids(items), [&*same.account_id, &*near.account_id, &*far.account_id]);
        let within: Vec<_> = items.iter().map(|item| item["within"].as_i64()).collect();
        assert_eq!(within, [Some(500), Some(5000), Some(20_000)]);
        assert_eq!(page.json["next_cursor"], Value::Null);
        assert_eq!(shown(&app, &asker, ""), [same.account_id.clone(), near.account_id]);
        assert_eq!(shown(&app, &asker, "?radius_m=500"), [same.account_id]);
    }

    // clause T1
    fn a_person_is_answered_with_these_members_and_no_other(app: App) {
        let asker = at(&app, HERE);
        let other = at(&app, HERE);
        patch(&app, &other, &json!({
            "motto": "厚德载物", "city": "350203", "industries": ["软件", "咨询"], "about": "x", "birthday": "1990-01-01",
        }));
        let page = app.nearby(&asker, "").expect(200);
        let person = page.json["items"][0].as_object().expect("a person");
        let members: Vec<_> = person.keys().map(String::as_str).collect();
        let expected = BTreeSet::from([
            "avatar", "city", "company", "gender", "id", "industries", "job_title", "motto", "real_name",
            "within",
        ]);
        assert_eq!(members.into_iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(person["city"], json!({ "code": "350203", "name": "福建省厦门市思明区" }));
        assert_eq!(person["industries"], json!(["软件", "咨询"]));
        assert_eq!(person["motto"], "厚德载物");
    }

    // clause S2
    fn hidden_fields_are_neither_shown_nor_found(app: App) {
        let asker = at(&app, HERE);
        let other = at(&app, HERE);
        let by_city = "?city=350203";
        let by_industry = "?industry=%E8%BD%AF%E4%BB%B6";
        patch(&app, &other, &json!({ "motto": "m", "city": "350203", "industries": ["软件"] }));
        for query in ["", by_city, by_industry, "?city=350200", "?city=350000"] {
            assert_eq!(shown(&app, &asker, query), [other.account_id.as_str()], "{query}");
        }
        for query in ["?city=350205", "?city=110000", "?industry=%E8%BD%AF", "?industry="] {
            assert!(shown(&app, &asker, query).is_empty(), "{query}");
        }
        patch(&app, &other, &json!({ "visibility": { "motto": false, "city": false, "industries": false } }));
        let page = app.nearby(&asker, "").expect(200);
        for field in ["motto", "city", "industries"] {
            assert_eq!(page.json["items"][0][field], Value::Null, "{field}");
        }
        for query in [by_city, by_industry] {
            assert!(shown(&app, &asker, query).is_empty(), "{query}");
        }
    }

    fn an_industry_is_matched_whole_whatever_characters_it_has(app: App) {
        let asker = at(&app, HERE);
        let odd = [r#"a"b"#, "b", ",", r"\", "a,b", "%", "_"];
        for tag in odd {
            let other = at(&app, HERE);
            patch(&app, &other, &json!({ "industries": ["x", tag] }));
        }
        for tag in odd {
            let encoded: String = tag.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let items = app.all_pages(&asker, &format!("/v1/nearby/people?industry={encoded}"));
            let found: Vec<_> = items.iter().map(|item| item["industries"][1].as_str()).collect();
            assert_eq!(found, [Some(tag)]);
        }
    }

    // clauses E4, L2, E3
    [stand_in] fn who_must_not_be_seen_is_not(builder: Builder) {
        let app = builder.without_limits().start();
        let asker = at(&app, HERE);
        let other = at(&app, HERE);
        assert!(sees(&app, &asker, &other) && sees(&app, &other, &asker));
        assert!(!sees(&app, &asker, &asker));

        for (blocker, blocked) in [(&asker, &other), (&other, &asker)] {
            let path = format!("/v1/blocks/{}", blocked.account_id);
            app.request("PUT", &path).token(&blocker.token).send().expect(204);
            assert!(!sees(&app, &asker, &other) && !sees(&app, &other, &asker));
            app.request("DELETE", &path).token(&blocker.token).send().expect(204);
            assert!(sees(&app, &asker, &other) && sees(&app, &other, &asker));
        }

        patch(&app, &other, &json!({ "company": null }));
        assert!(!sees(&app, &asker, &other));
        app.complete_profile(&other);
        assert!(sees(&app, &asker, &other));

        let hide = |hidden: bool| {
            let body = json!({
                "lat": HERE.0, "lng": HERE.1, "accuracy_m": 10, "coordinate_system": "wgs84", "hidden": hidden,
            });
            app.request("PUT", "/v1/location").token(&other.token).json(&body).expect(200);
        };
        hide(true);
        assert!(!sees(&app, &asker, &other) && sees(&app, &other, &asker));
        app.locate(&other, HERE.0, HERE.1).expect(200);
        assert!(!sees(&app, &asker, &other), "it stays hidden");
        hide(false);
        assert!(sees(&app, &asker, &other));

        app.forget_location(&other);
        assert!(!sees(&app, &asker, &other));
        app.locate(&other, HERE.0, HERE.1).expect(200);

        app.clock().advance(23 * HOUR);
        app.locate(&asker, HERE.0, HERE.1).expect(200);
        assert!(sees(&app, &asker, &other));
        app.clock().advance(HOUR + MINUTE);
        assert!(!sees(&app, &asker, &other), "it has expired");
        app.locate(&other, HERE.0, HERE.1).expect(200);

        app.consent(&other, "location", false).expect(200);
        assert!(!sees(&app, &asker, &other));
        app.consent(&other, "location", true).expect(200);
        app.locate(&other, HERE.0, HERE.1).expect(200);
        assert!(sees(&app, &asker, &other));

        app.database().rows(&format!(
            "DELETE FROM accounts WHERE id = '{}' RETURNING id", other.account_id
        ));
        assert!(!sees(&app, &asker, &other));
    }

    [stand_in] fn pages_neither_skip_nor_repeat_while_people_move(builder: Builder) {
        let app = builder.without_limits().start();
        let asker = at(&app, HERE);
        let mut people: Vec<_> = (0..5).map(|_| at(&app, HERE)).collect();
        people.extend((0..5).map(|_| at(&app, north(3.0))));
        let all: BTreeSet<_> = people.iter().map(|person| person.account_id.as_str()).collect();
        app.clock().advance(MINUTE);

        let first = app.nearby(&asker, "?limit=4").expect(200);
        let cursor = first.text("/next_cursor");
        let mut seen: Vec<String> = Vec::new();
        seen.extend(ids(first.json["items"].as_array().expect("a list")).into_iter().map(str::to_owned));
        assert_eq!(seen.len(), 4);
        app.clock().advance(Duration::from_secs(300));
        // Someone on the first page goes to where the last page will look, and someone else goes away.
        let moved = people.iter().find(|person| seen.contains(&person.account_id)).expect("someone");
        let (lat, lng) = north(3.0);
        app.locate(moved, lat, lng).expect(200);
        let rest = app.all_pages(&asker, &format!("/v1/nearby/people?limit=4&cursor={cursor}"));
        seen.extend(ids(&rest).into_iter().map(str::to_owned));
        assert_eq!(seen.len(), 10, "nobody comes twice");
        assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), all);
        // A new search sees the new place.
        let page = app.nearby(&asker, "").expect(200);
        let items = page.json["items"].as_array().expect("a list");
        let item = items.iter().find(|item| item["id"] == *moved.account_id).expect("still there");
        assert_eq!(item["within"], 5000);
        // The asker's own move does not disturb a search that has begun.
        let (lat, lng) = north(100.0);
        app.clock().advance(HOUR - Duration::from_secs(3000));
        app.forget_location(&asker);
        app.locate(&asker, lat, lng).expect(200);
        let page = app.nearby(&asker, &format!("?limit=4&cursor={cursor}"));
        page.expect_violations(&["cursor:invalid"]);
    }

    [stand_in] fn cursors_are_ones_own_and_for_one_question(app: App) {
        let asker = at(&app, HERE);
        let other = at(&app, HERE);
        let _third = at(&app, HERE);
        let cursor = app.nearby(&asker, "?limit=1").expect(200).text("/next_cursor");
        app.nearby(&asker, &format!("?limit=7&cursor={cursor}")).expect(200);
        for query in ["&radius_m=500", "&city=350200", "&industry=x"] {
            app.nearby(&asker, &format!("?cursor={cursor}{query}")).expect_violations(&["cursor:invalid"]);
        }
        app.nearby(&other, &format!("?cursor={cursor}")).expect_violations(&["cursor:invalid"]);
        for garbage in ["x", "AAAA", "", "%00", &cursor[1..]] {
            app.nearby(&asker, &format!("?cursor={garbage}")).expect_violations(&["cursor:invalid"]);
        }
        app.clock().advance(Duration::from_secs(15 * 60 + 1));
        app.nearby(&asker, &format!("?cursor={cursor}")).expect_violations(&["cursor:invalid"]);
    }

    fn what_cannot_be_asked_is_refused(app: App) {
        let asker = at(&app, HERE);
        for (query, field) in [
            ("?radius_m=600", "radius_m:value"),
            ("?radius_m=0", "radius_m:value"),
            ("?radius_m=-500", "radius_m:value"),
            ("?radius_m=x", "radius_m:value"),
            ("?limit=0", "limit:invalid"),
            ("?limit=101", "limit:invalid"),
            ("?city=999999", "city:region"),
            ("?city=x", "city:region"),
            ("?lat=24.4", "lat:unknown"),
        ] {
            app.nearby(&asker, query).expect_violations(&[field]);
        }
        app.get("/v1/nearby/city?radius_m=500", &asker.token).expect_violations(&["radius_m:unknown"]);
        app.get("/v1/nearby/city?cursor=x", &asker.token).expect_violations(&["cursor:invalid"]);
        app.forget_location(&asker);
        app.nearby(&asker, "").expect_problem(409, "location-missing");
        let newcomer = app.someone();
        app.nearby(&newcomer, "").expect_problem(403, "profile-incomplete");
        app.get("/v1/nearby/city", &newcomer.token).expect_problem(403, "profile-incomplete");
        app.get("/v1/nearby/people", "x").expect_problem(401, "unauthenticated");
    }

    fn the_antimeridian_and_the_poles_are_places_like_others(builder: Builder) {
        let app = builder.without_limits().start();
        for around in [
            [(0.0, 179.99), (0.0, -179.99), (0.05, -179.97), (-0.05, 180.0), (0.01, -180.0)],
            [(89.99, 0.0), (89.99, 90.0), (89.98, 180.0), (89.95, -90.0), (90.0, 12.0)],
            [(-89.99, 0.0), (-89.99, 120.0), (-89.98, -120.0), (-89.95, 60.0), (-90.0, 0.0)],
            // Where six faces of the grid's cube meet, and on an edge.
            [(35.2644, 45.0), (35.27, 45.01), (35.25, 45.01), (35.26, 44.98), (35.30, 45.0)],
        ] {
            let people: Vec<_> = around.iter().map(|place| at(&app, *place)).collect();
            for asker in &people {
                let found: BTreeSet<_> = shown(&app, asker, "?radius_m=20000").into_iter().collect();
                let others = people.iter().filter(|other| other.account_id != asker.account_id);
                assert_eq!(found, others.map(|other| other.account_id.clone()).collect(), "{around:?}");
            }
        }
    }

    // clauses E4, G2
    fn people_in_the_same_city_need_no_location(app: App) {
        let living_in = |code: &str| {
            let person = app.someone();
            app.complete_profile(&person);
            patch(&app, &person, &json!({ "city": code }));
            person
        };
        let asker = living_in("350203");
        let (whole, same, other) = (living_in("350200"), living_in("350203"), living_in("350205"));
        let _elsewhere = living_in("350100");
        let hidden = living_in("350203");
        patch(&app, &hidden, &json!({ "visibility": { "city": false } }));
        let incomplete = app.someone();
        patch(&app, &incomplete, &json!({ "city": "350203" }));
        let list = |query: &str| -> Vec<String> {
            let items = app.all_pages(&asker, &format!("/v1/nearby/city{query}"));
            assert!(items.iter().all(|item| item.get("within").is_none()));
            ids(&items).into_iter().map(str::to_owned).collect()
        };
        let expected = [&whole, &same, &other].map(|person| person.account_id.clone());
        for query in ["", "?limit=1", "?city=350200", "?city=350200&limit=2"] {
            assert_eq!(list(query), expected, "{query}");
        }
        assert_eq!(list("?city=350203"), [same.account_id.as_str()]);
        assert!(list("?city=110000").is_empty());
        app.request("PUT", &format!("/v1/blocks/{}", asker.account_id))
            .token(&same.token)
            .send()
            .expect(204);
        assert!(list("?city=350203").is_empty());
        let capital = living_in("110105");
        let _other_district = living_in("110101");
        assert_eq!(app.all_pages(&capital, "/v1/nearby/city").len(), 1);
        let nowhere = app.someone();
        app.complete_profile(&nowhere);
        app.get("/v1/nearby/city", &nowhere.token).expect_problem(409, "city-missing");
        assert_eq!(app.all_pages(&nowhere, "/v1/nearby/city?city=350200").len(), 4);
    }
}
