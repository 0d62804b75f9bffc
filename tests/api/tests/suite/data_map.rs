//! The data map tells of every column and every key.

use api_tests::{App, Builder, on_both_engines};
use shared::data_map::{Class, KEYS, TABLES};

on_both_engines! {
    // clause D2
    fn the_map_names_the_tables_and_columns_that_there_are(app: App) {
        let mut mapped: Vec<_> = TABLES
            .iter()
            .map(|table| {
                let mut columns: Vec<_> =
                    table.columns.iter().map(|column| column.name.to_owned()).collect();
                columns.sort();
                (table.name.to_owned(), columns)
            })
            .collect();
        mapped.sort();
        assert_eq!(app.database().schema(), mapped);
    }

    // clause D2
    fn every_key_and_every_member_of_its_value_is_mapped(app: App) {
        let person = app.someone();
        app.complete_profile(&person);
        app.get("/v1/profile", &person.token).expect(200);
        let entries = app.key_value();
        assert!(entries.len() >= 2, "a session and a person's key");
        for (key, value) in entries {
            let kind = KEYS.iter().find(|kind| key.starts_with(kind.name));
            let kind = kind.unwrap_or_else(|| panic!("{key} is not mapped"));
            let members = serde_json::from_slice::<serde_json::Map<_, _>>(&value).unwrap_or_default();
            for member in members.keys() {
                assert!(kind.columns.iter().any(|column| column.name == member), "{key}: {member}");
            }
        }
    }

    // clause C1
    fn sensitive_columns_hold_no_text_that_a_person_gave(app: App) {
        let person = app.someone();
        app.set_password(&person, "长风破浪会有时1").expect(204);
        let digits = &person.phone[3..];
        for table in TABLES {
            for column in table.columns.iter().filter(|column| column.class == Class::Sensitive) {
                let statement = format!("SELECT {} FROM {}", column.name, table.name);
                for cell in app.database().rows(&statement).iter().flatten() {
                    let text = cell.to_string();
                    assert!(!text.contains(digits) && !text.contains("长风破浪"), "{statement}");
                }
            }
        }
    }

    fn the_number_of_session_keys_is_bounded(builder: Builder) {
        let app = builder.variable("session_cache_slots", "2").start();
        for _ in 0..6 {
            let person = app.someone();
            app.get("/v1/profile", &person.token).expect(200);
            app.get("/v1/profile", &person.token).expect(200);
        }
        let entries = app.key_value();
        let slots = entries.iter().filter(|(key, _)| key.starts_with("session:")).count();
        assert!((1..=2).contains(&slots), "{slots}");
    }
}
