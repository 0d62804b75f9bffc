//! What was asked for since a backup was made is done again after the backup was restored.

use std::thread;
use std::time::Duration;

use api_tests::{ADMIN, App, Backup, Builder, DAY, Person, on_both_engines};
use serde_json::Value;

use crate::deletion::{PATH, ask, execute, exists, log_in_again, replay, rows_of, take_back};
use crate::everything::plant;
use crate::identity::someone_who_agrees;
use crate::payment::open;
use crate::uploads::slots;

const NOTES: &str =
    "SELECT day, person_key_id, what, noted_at FROM erasures ORDER BY day, person_key_id, what";

/// A backup of now; the application goes on.
fn back_up(app: &mut App) -> Backup {
    app.stop();
    let backup = app.database().back_up();
    app.restart(&[]);
    backup
}

fn restore(app: &mut App, backup: &Backup) {
    app.stop();
    app.database().restore(backup);
    app.restart(&[]);
}

/// Runs the script; what it says.
fn replayed(app: &App) -> String {
    let (is_content, said) = app.replay_deletions(ADMIN.token);
    assert!(is_content, "{said}");
    said
}

fn erase(app: &App, person: &Person, category: &str) {
    let path = format!("/v1/account/data/{category}");
    let request = app.request("DELETE", &path).token(&person.token);
    request.send().expect(204);
}

/// The copies in the key-value store: how many keys, and the lines of all.
fn copies(app: &App) -> (usize, Vec<String>) {
    let keys = app.key_value().into_iter();
    let copies: Vec<_> = keys
        .filter(|(key, _)| key.starts_with("erasures:"))
        .collect();
    let lines = copies.iter().flat_map(|(_, value)| {
        let text = String::from_utf8(value.clone()).expect("a text");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    (copies.len(), lines.collect())
}

/// Every row is copied, and nothing else is.
fn is_copied(app: &App) {
    let rows = app.database().rows(NOTES);
    let mut expected: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {} {}", row[1], row[2], row[3]))
        .collect();
    expected.sort();
    let (_, lines) = copies(app);
    let mut copied: Vec<_> = lines
        .iter()
        .map(|line| line.rsplit_once(' ').expect("words").0.to_owned())
        .collect();
    copied.sort();
    assert_eq!(copied, expected);
}

fn closes_at(app: &App, person: &Person) -> Value {
    let again = log_in_again(app, person);
    app.get(PATH, &again.token).expect(200).json["executes_at"].clone()
}

on_both_engines! {
    // clause R8, R5
    fn an_account_that_closed_since_the_backup_closes_again(builder: Builder) {
        let mut app = builder.with_operators().with_guards_probe().start();
        let person = app.someone();
        let other = app.someone();
        let backup = back_up(&mut app);
        let accepted = ask(&app, &person, false).expect(202);
        restore(&mut app, &backup);
        app.get("/v1/profile", &person.token).expect(200);
        assert!(replayed(&app).contains("done again: 1"));
        app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
        assert_eq!(closes_at(&app, &person), accepted.json["executes_at"]);
        app.get("/v1/profile", &other.token).expect(200);
        assert!(replayed(&app).contains("done again: 0"));
        is_copied(&app);
        // And it goes in its time.
        app.database().rows("UPDATE accounts SET closes_at = 1 WHERE closes_at > 1 RETURNING id");
        execute(&app);
        assert!(!exists(&app, &person.account_id));
    }

    // clause R8, R5
    fn an_account_whose_time_has_come_since_goes_at_once(builder: Builder) {
        let mut app = builder.with_operators().start();
        let person = app.someone();
        let backup = back_up(&mut app);
        ask(&app, &person, false).expect(202);
        // It was asked for so long ago, and nobody came back.
        let key = app.database().rows(NOTES)[0][0].to_string();
        let copy = format!("erasures:{key}");
        let (_, lines) = copies(&app);
        let line = lines[0].rsplit_once(' ').expect("words").0;
        app.overwrite_key(&copy, format!("{line} 1\n").as_bytes());
        restore(&mut app, &backup);
        assert!(replayed(&app).contains("done again: 1"));
        assert!(!exists(&app, &person.account_id));
    }

    // clause R8, R5
    fn an_account_that_was_kept_since_the_backup_is_kept(builder: Builder) {
        let mut app = builder.with_operators().start();
        let person = app.someone();
        ask(&app, &person, false).expect(202);
        let backup = back_up(&mut app);
        let again = log_in_again(&app, &person);
        take_back(&app, &again).expect(204);
        restore(&mut app, &backup);
        assert!(closes_at(&app, &person).is_string());
        assert!(replayed(&app).contains("done again: 1"));
        assert_eq!(closes_at(&app, &person), Value::Null);
        app.get("/v1/profile", &log_in_again(&app, &person).token).expect(200);
    }

    // clause R8, R3
    fn categories_that_were_deleted_since_the_backup_are_deleted_again(builder: Builder) {
        let mut shop = open(builder);
        let planted = plant(&shop);
        let person = &planted.person;
        let backup = back_up(&mut shop.app);
        let left = |app: &App| {
            let counted = ["locations", "blocks", "verification_claims", "verifications"]
                .map(|table| rows_of(app, table, &person.account_id));
            let of_others = [
                "SELECT COUNT(*) FROM gifts WHERE note IS NOT NULL",
                "SELECT COUNT(*) FROM verification_photos",
                "SELECT COUNT(*) FROM profiles WHERE motto IS NOT NULL OR birthday IS NOT NULL",
                "SELECT COUNT(*) FROM consents WHERE purpose = 'document-review'",
                "SELECT COUNT(*) FROM uploads WHERE kind <> 'avatar' AND account_id IS NOT NULL",
            ].map(|statement| app.database().count(statement));
            (counted, of_others)
        };
        for category in ["devices", "profile", "verification", "uploads", "blocks", "location", "gifts"] {
            erase(&shop.app, person, category);
        }
        assert_eq!(left(&shop.app), ([0; 4], [0; 5]));
        restore(&mut shop.app, &backup);
        let before = left(&shop.app);
        assert!(before.0.iter().chain(&before.1).all(|count| *count > 0), "{before:?}");
        let said = replayed(&shop.app);
        assert!(!said.contains("done again: 0"), "{said}");
        assert_eq!(left(&shop.app), ([0; 4], [0; 5]));
        assert_eq!(slots(&shop.app), 1, "the avatar");
        // No session asked for it, so none of before stays where the devices went.
        shop.app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
        let again = log_in_again(&shop.app, person);
        let profile = shop.app.get("/v1/profile", &again.token).expect(200);
        assert_eq!(profile.json["company"], "planted-company");
        assert!(replayed(&shop.app).contains("done again: 0"));
    }

    // clause R8, R4
    fn consents_that_were_withdrawn_since_the_backup_are_withdrawn_again(builder: Builder) {
        let mut app = builder.with_operators().start();
        let person = someone_who_agrees(&app, &["location", "marketing-sms", "marketing-calls"]);
        let other = someone_who_agrees(&app, &["location"]);
        for person in [&person, &other] {
            app.locate(person, 24.4798, 118.0894).expect(200);
        }
        // Withdrawn, and given again, before the backup: that stands.
        app.consent(&person, "marketing-calls", false).expect(200);
        app.consent(&person, "marketing-calls", true).expect(200);
        let backup = back_up(&mut app);
        app.consent(&person, "location", false).expect(200);
        app.consent(&person, "marketing-sms", false).expect(200);
        restore(&mut app, &backup);
        assert_eq!(rows_of(&app, "locations", &person.account_id), 1);
        assert!(replayed(&app).contains("done again: 2"));
        assert_eq!(rows_of(&app, "locations", &person.account_id), 0);
        let left = app.database().rows(&format!(
            "SELECT purpose FROM consents WHERE account_id = '{}'", person.account_id));
        assert_eq!(left.len(), 1);
        assert_eq!(left[0][0].to_string(), "marketing-calls");
        assert_eq!(rows_of(&app, "locations", &other.account_id), 1);
        // Given since the replay, it stays.
        app.consent(&person, "location", true).expect(200);
        assert!(replayed(&app).contains("done again: 0"));
        assert_eq!(rows_of(&app, "consents", &person.account_id), 2);
    }

    // clause R8, R5
    fn with_the_keys_in_sql_a_key_of_the_store_serves_a_days_deletions(builder: Builder) {
        let builder = builder.variable("person_key_store", "sql").variable("deletion_grace_days", "0");
        let mut app = builder.with_operators().start();
        let people: Vec<_> = (0..12).map(|_| app.someone()).collect();
        let stays = app.someone();
        let backup = back_up(&mut app);
        for person in &people {
            ask(&app, person, false).expect(202);
        }
        let (keys, lines) = copies(&app);
        // The clock is the real one, and midnight may come.
        assert!((1..=2).contains(&keys), "{keys}");
        assert_eq!(lines.iter().filter(|line| line.contains(" key ")).count(), 12);
        let others = app.key_value();
        assert!(others.iter().all(|(key, _)| key.starts_with("erasures:") || key.starts_with("session:")));
        restore(&mut app, &backup);
        assert!(exists(&app, &people[0].account_id));
        let said = replayed(&app);
        assert!(said.contains("deleted again: 12"), "{said}");
        for person in &people {
            assert!(!exists(&app, &person.account_id));
        }
        app.get("/v1/profile", &stays.token).expect(200);
        assert_eq!(replay(&app), (0, 0));
    }

    // clause R8
    [stand_in] fn what_cannot_be_copied_stops_nobody_and_is_copied_by_the_next_sweep(builder: Builder) {
        let app = builder.with_guards_probe().start();
        let person = someone_who_agrees(&app, &["location"]);
        app.faults().errors("key-value", 100);
        let withdrawn = app.consent(&person, "location", false).expect(200);
        app.log().event("erasures-not-copied", withdrawn.request_id());
        app.faults().clear();
        assert_eq!(copies(&app), (0, Vec::new()));
        assert_eq!(rows_of(&app, "consents", &person.account_id), 0);
        execute(&app);
        assert_eq!(copies(&app).0, 1);
        is_copied(&app);
    }

    // clause R8
    fn many_at_once_are_all_copied(builder: Builder) {
        let app = builder.with_guards_probe().start();
        let people: Vec<_> = (0..8).map(|_| someone_who_agrees(&app, &["location"])).collect();
        thread::scope(|scope| {
            for person in &people {
                scope.spawn(|| app.consent(person, "location", false).expect(200));
            }
        });
        assert_eq!(app.database().count("SELECT COUNT(*) FROM erasures"), 8);
        // At the latest by the sweep.
        execute(&app);
        is_copied(&app);
    }

    // clause R8, D2
    [stand_in] fn notes_and_copies_go_when_no_backup_is_older(builder: Builder) {
        let app = builder.variable("backup_days", "3").with_guards_probe().start();
        app.clock().stop();
        let person = someone_who_agrees(&app, &["location"]);
        let withdraw = || {
            app.consent(&person, "location", true).expect(200);
            app.consent(&person, "location", false).expect(200);
        };
        withdraw();
        app.clock().advance(2 * DAY);
        withdraw();
        // Again, and again on the same day: one row stays one.
        app.clock().advance(Duration::from_millis(1));
        withdraw();
        is_copied(&app);
        let left = || (app.database().count("SELECT COUNT(*) FROM erasures"), copies(&app).0);
        execute(&app);
        assert_eq!(left(), (2, 2));
        app.clock().advance(2 * DAY);
        execute(&app);
        assert_eq!(left(), (1, 1));
        app.clock().advance(2 * DAY);
        execute(&app);
        assert_eq!(left(), (0, 0));
    }
}
