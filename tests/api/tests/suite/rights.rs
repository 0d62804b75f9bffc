//! `/v1/account/data`: seeing what is held, and deleting a category of it (clauses R1, R3).

use std::collections::BTreeSet;

use api_tests::{Answer, App, Builder, Device, Person, on_both_engines};
use serde_json::{Value, json};
use shared::data_map::{Category, Class};

use crate::everything::{agree, copied, plant, rows};
use crate::faults::{Attempt, again, sweep};
use crate::identity::{candidate, completed, id_number, start, started};
use crate::payment::{buyer, customer, open, post};
use crate::pictures::png;
use crate::uploads::{form, link, slots};

const DELETABLE: [&str; 7] = [
    "devices",
    "profile",
    "uploads",
    "verification",
    "blocks",
    "location",
    "gifts",
];

fn data(app: &App, person: &Person) -> Value {
    app.get("/v1/account/data", &person.token).expect(200).json
}

fn delete(app: &App, person: &Person, category: &str) -> Answer {
    app.request("DELETE", &format!("/v1/account/data/{category}"))
        .token(&person.token)
        .send()
}

/// The rows of one table in an answer.
fn table<'a>(data: &'a Value, name: &str) -> &'a Value {
    let categories = data["categories"].as_array().expect("categories");
    let mut holdings = categories
        .iter()
        .flat_map(|category| category["holdings"].as_array().expect("holdings"));
    holdings
        .find(|holding| holding["name"] == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

fn count(app: &App, person: &Person, table: &str) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM {table} WHERE account_id = '{}'",
        person.account_id
    ))
}

on_both_engines! {
    // clause R1
    fn everything_that_is_held_is_listed_by_category(builder: Builder) {
        let shop = open(builder);
        let planted = plant(&shop);
        let answer = shop.app.get("/v1/account/data", &planted.person.token).expect(200);
        let named: Vec<_> = answer.json["categories"].as_array().expect("categories").iter()
            .map(|category| category["category"].clone()).collect();
        assert_eq!(json!(named), json!(Category::ALL));
        for holding in copied() {
            let listed = table(&answer.json, holding.name);
            assert_eq!(listed["purpose"], holding.purpose);
            assert_eq!(listed["basis"], json!(holding.basis));
            assert_eq!(listed["retention"], json!(holding.retention));
            assert_eq!(listed["on_deletion"], json!(holding.on_deletion));
            assert_eq!(listed["more"], Value::Null);
            let stored = rows(&shop, &planted.person, holding);
            assert!(!stored.is_empty(), "{} has nothing", holding.name);
            agree(holding, &stored, listed["rows"].as_array().expect("rows"));
        }
        let text = answer.json.to_string();
        for sealed in &planted.sealed {
            assert!(text.contains(sealed), "{sealed}");
        }
        assert_eq!(table(&answer.json, "verification_claims")["rows"][0]["summary"]["name"], api_tests::REAL_NAME);
    }

    // clause R1
    fn nobody_sees_what_is_held_about_another(builder: Builder) {
        let shop = open(builder);
        let planted = plant(&shop);
        let stranger = shop.app.someone();
        let text = data(&shop.app, &stranger).to_string();
        assert!(!text.contains("planted") && !text.contains(&planted.person.account_id), "{text}");
        // Who was given to sees the gift, and nothing else.
        let text = data(&shop.app, &planted.other).to_string();
        assert!(text.contains("planted-note"));
        assert!(!text.contains("planted-motto") && !text.contains(&planted.person.account_id), "{text}");
        for path in ["/v1/account/data", "/v1/account/data/profile"] {
            shop.app.request("GET", path).send().expect_problem(401, "unauthenticated");
        }
        shop.app.request("DELETE", "/v1/account/data/profile").send().expect_problem(401, "unauthenticated");
    }

    // clause R1
    fn long_tables_are_seen_to_their_end(app: App) {
        let person = app.someone();
        let rows: Vec<_> = (0..250).map(|nth| format!(
            "('0198c5a0-0000-7000-8000-{nth:012}', '{}', 'location', '2026-11-23', 1, {nth})", person.account_id
        )).collect();
        app.database().insert("consent_events", &rows);
        let first = data(&app, &person);
        let first = table(&first, "consent_events");
        assert_eq!(first["rows"].as_array().expect("rows").len(), 100);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut take = |rows: &Value| for row in rows.as_array().expect("rows") {
            assert!(seen.insert(row["happened_at"].as_str().expect("a time").to_owned()));
        };
        take(&first["rows"]);
        let mut more = first["more"].clone();
        while let Some(after) = more.as_str() {
            let path = format!("/v1/account/data/consents?table=consent_events&after={after}");
            let page = app.get(&path, &person.token).expect(200).json;
            assert_eq!(page["holdings"].as_array().expect("holdings").len(), 1);
            take(&page["holdings"][0]["rows"]);
            more = page["holdings"][0]["more"].clone();
        }
        assert_eq!(seen.len(), 250);
    }

    fn what_is_no_category_or_table_is_refused(app: App) {
        let person = app.someone();
        let get = |path: &str| app.get(&format!("/v1/account/data/{path}"), &person.token);
        for path in ["service", "Profile", "profiles", "everything"] {
            get(path).expect_problem(404, "not-found");
            delete(&app, &person, path).expect_problem(404, "not-found");
        }
        get("profile?table=accounts").expect_violations(&["table:unknown"]);
        get("profile?after=x").expect_violations(&["table:missing"]);
        get("profile?page=2").expect_violations(&["page:unknown"]);
        let profile = get("profile").expect(200);
        assert_eq!(profile.json["holdings"][0]["name"], "profiles");
    }

    // clause R3
    fn what_law_or_contract_need_stays_and_says_why(builder: Builder) {
        let shop = open(builder);
        let planted = plant(&shop);
        let before = data(&shop.app, &planted.person);
        for category in before["categories"].as_array().expect("categories") {
            let name = category["category"].as_str().expect("a name");
            assert_eq!(category["deletable"], DELETABLE.contains(&name), "{name}");
            assert_eq!(category["needed_on"].is_null(), DELETABLE.contains(&name), "{name}");
            if category["deletable"] == false {
                let refused = delete(&shop.app, &planted.person, name).expect_problem(409, "category-needed");
                assert_eq!(refused.json["basis"], category["needed_on"]);
                assert_eq!(refused.json["category"], name);
            }
        }
        assert_eq!(data(&shop.app, &planted.person), before);
    }

    // clause R3
    fn each_category_goes_at_once_and_the_others_stay(builder: Builder) {
        let shop = open(builder);
        let planted = plant(&shop);
        let (app, person) = (&shop.app, &planted.person);
        for (category, emptied) in [
            ("location", &["locations"][..]),
            ("blocks", &["blocks"]),
            ("verification", &["verification_claims", "verifications", "verification_photos"]),
        ] {
            let before = data(app, person);
            delete(app, person, category).expect(204);
            let after = data(app, person);
            for holding in copied() {
                let rows = |data: &Value| table(data, holding.name)["rows"].clone();
                if emptied.contains(&holding.name) {
                    assert_ne!(rows(&before), json!([]), "{}", holding.name);
                    assert_eq!(rows(&after), json!([]), "{}", holding.name);
                } else if category != "verification" || !["consents", "consent_events", "uploads"].contains(&holding.name) {
                    assert_eq!(rows(&after), rows(&before), "{category}: {}", holding.name);
                }
            }
            delete(app, person, category).expect(204);
        }
        for purpose in ["real-name-verification", "document-review", "enterprise-verification"] {
            assert!(!table(&data(app, person), "consents")["rows"].to_string().contains(purpose));
        }
    }

    // clause R3
    fn optional_fields_go_and_the_five_stay(builder: Builder) {
        let shop = open(builder);
        let planted = plant(&shop);
        delete(&shop.app, &planted.person, "profile").expect(204);
        let profile = shop.app.get("/v1/profile", &planted.person.token).expect(200).json.to_string();
        for gone in ["motto", "about", "offers", "needs", "hobby", "industry", "education"] {
            assert!(!profile.contains(&format!("planted-{gone}")), "{gone}");
        }
        assert!(!profile.contains("1990-05-17") && !profile.contains("350203"), "{profile}");
        assert!(profile.contains("planted-company") && profile.contains(&planted.avatar_id));
    }

    // clause R3
    fn other_devices_go_and_their_sessions_end_at_once(app: App) {
        let person = app.someone();
        let elsewhere = app.log_in_on(&person.phone, &Device::new("elsewhere"));
        app.get("/v1/profile", &elsewhere.token).expect(200);
        delete(&app, &person, "devices").expect(204);
        app.get("/v1/profile", &elsewhere.token).expect_problem(401, "unauthenticated");
        app.get("/v1/profile", &person.token).expect(200);
        assert_eq!(count(&app, &person, "devices"), 1);
        let other = app.someone();
        assert_eq!(count(&app, &other, "devices"), 1);
    }

    // clause R3
    fn uploads_that_nothing_shows_go_with_their_bytes(app: App) {
        let person = app.someone();
        app.complete_profile(&person);
        let other = app.someone();
        let theirs = app.upload(&other, "image", "image/png", &png("theirs"));
        let avatar = app.upload(&person, "avatar", "image/png", &png("avatar"));
        app.request("PATCH", "/v1/profile").token(&person.token)
            .body("application/merge-patch+json", json!({ "avatar": format!("upload:{avatar}") }).to_string())
            .send().expect(200);
        let image = app.upload(&person, "image", "image/png", &png("image"));
        form(&app, &person, "image", "image/png", 10);
        assert_eq!(slots(&app), 3);
        delete(&app, &person, "uploads").expect(204);
        link(&app, &person.token, &image).expect_problem(404, "not-found");
        link(&app, &person.token, &avatar).expect(200);
        link(&app, &other.token, &theirs).expect(200);
        assert_eq!(slots(&app), 2);
    }

    // clause R3
    fn only_ones_own_words_beside_gifts_go(builder: Builder) {
        let shop = open(builder);
        let (one, _) = buyer(&shop);
        let (other, _) = buyer(&shop);
        for (from, to, note) in [(&one, &other, "from-one"), (&other, &one, "from-other")] {
            let gift = json!({ "to": to.account_id, "gift": "flower", "note": note });
            post(&shop.app, from, "/v1/gifts", &gift).expect(201);
        }
        delete(&shop.app, &one, "gifts").expect(204);
        let notes = shop.app.database().rows("SELECT note FROM gifts WHERE note IS NOT NULL");
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0][0].to_string(), "from-other");
        // Who has no wallet has no words.
        delete(&shop.app, &customer(&shop.app), "gifts").expect(204);
    }

    // clause R3
    fn who_received_it_is_told(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let queued = |recipient: &str| app.database().count(&format!(
            "SELECT COUNT(*) FROM recipient_notices WHERE recipient = '{recipient}'"
        ));
        delete(&app, &person, "verification").expect(204);
        assert_eq!(queued("alipay"), 0, "it has received nothing");
        app.consent(&person, "real-name-verification", true).expect(200);
        let (_, certify_id) = started(&app, &alipay, &person, &id_number());
        alipay.pass(&certify_id);
        completed(&app, &alipay, &certify_id).expect(200);
        delete(&app, &person, "location").expect(204);
        assert_eq!(queued("alipay"), 0, "it received nothing of that category");
        for _ in 0..2 {
            delete(&app, &person, "verification").expect(204);
            assert_eq!(queued("alipay"), 1);
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM recipient_notices"), 1);
        assert_eq!(count(&app, &person, "verification_claims"), 0);
    }

    // clause R3
    [stand_in] fn deleting_a_category_is_finished_by_the_next_request(builder: Builder) {
        let (app, alipay) = start(builder);
        for category in DELETABLE {
            sweep(
                &app,
                |app, _| {
                    let person = candidate(app);
                    app.consent(&person, "location", true).expect(200);
                    app.locate(&person, 24.4798, 118.0894).expect(200);
                    if category == "verification" {
                        started(app, &alipay, &person, &id_number());
                    }
                    if category == "devices" {
                        app.log_in_on(&person.phone, &Device::new("elsewhere"));
                    }
                    if category == "uploads" {
                        app.upload(&person, "image", "image/png", &png("image"));
                    }
                    let path = format!("/v1/account/data/{category}");
                    let attempt = Attempt::new("DELETE", path, Some(&person.token), Value::Null);
                    (person, attempt)
                },
                again,
                |app, person, _| {
                    let held = |table: &str| count(app, person, table);
                    match category {
                        "devices" => assert_eq!((held("devices"), held("sessions")), (1, 1)),
                        "uploads" => assert_eq!(held("uploads"), 0),
                        "location" => assert_eq!(held("locations"), 0),
                        "verification" => {
                            assert_eq!(held("verification_claims") + held("verifications"), 0);
                            let told = "SELECT COUNT(*) FROM recipient_notices";
                            assert!(app.database().count(told) >= 1);
                        }
                        _ => {}
                    }
                },
            );
        }
    }
}

/// What a copy leaves out is what says nothing, or would weaken the account.
#[test]
fn what_is_left_out_is_no_ones_to_read() {
    for table in copied() {
        for column in table.columns {
            let is_copied = table.copied().any(|copied| copied.name == column.name);
            let is_secret = ["_hash", "etag", "token"]
                .iter()
                .any(|end| column.name.ends_with(end));
            assert!(!(is_copied && is_secret), "{}.{}", table.name, column.name);
            if column.class == Class::Sensitive && !is_copied {
                assert!(
                    is_secret || column.name == "step",
                    "{}.{}",
                    table.name,
                    column.name
                );
            }
        }
    }
}
