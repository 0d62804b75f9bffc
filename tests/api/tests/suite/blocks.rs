//! `/v1/blocks`: blocking people, and what it does to profiles.

use api_tests::{Answer, App, MINUTE, Person, on_both_engines};
use serde_json::Value;

use crate::faults::{Attempt, again, sweep};

const NOBODY: &str = "0198c5a0-0000-7000-8000-000000000000";

fn block(app: &App, person: &Person, other: &str) -> Answer {
    app.request("PUT", &format!("/v1/blocks/{other}"))
        .token(&person.token)
        .send()
}

fn unblock(app: &App, person: &Person, other: &str) -> Answer {
    app.request("DELETE", &format!("/v1/blocks/{other}"))
        .token(&person.token)
        .send()
}

fn rows(app: &App) -> i64 {
    app.database().count("SELECT COUNT(*) FROM blocks")
}

on_both_engines! {
    // clause E3
    fn of_two_people_neither_is_shown_the_other(app: App) {
        let (one, other) = (app.someone(), app.someone());
        app.complete_profile(&one);
        app.complete_profile(&other);
        let look = |asker: &Person, at: &Person| {
            app.get(&format!("/v1/profiles/{}", at.account_id), &asker.token)
        };
        look(&one, &other).expect(200);
        for _ in 0..2 {
            block(&app, &one, &other.account_id).expect(204);
        }
        assert_eq!(rows(&app), 1);
        look(&one, &other).expect_problem(404, "not-found");
        look(&other, &one).expect_problem(404, "not-found");
        block(&app, &other, &one.account_id).expect(204);
        for _ in 0..2 {
            unblock(&app, &one, &other.account_id).expect(204);
        }
        look(&one, &other).expect_problem(404, "not-found");
        unblock(&app, &other, &one.account_id).expect(204);
        look(&one, &other).expect(200);
        look(&other, &one).expect(200);
        assert_eq!(rows(&app), 0);
    }

    fn the_list_is_paged(app: App) {
        let person = app.someone();
        let mut others: Vec<_> = (0..5).map(|_| app.someone().account_id).collect();
        for other in &others {
            block(&app, &person, other).expect(204);
        }
        let listed: Vec<_> = app
            .all_pages(&person, "/v1/blocks?limit=2")
            .into_iter()
            .map(|item| item["id"].as_str().map(str::to_owned))
            .collect();
        others.reverse();
        assert_eq!(listed, others.into_iter().map(Some).collect::<Vec<_>>());
        let other = app.someone();
        assert_eq!(app.get("/v1/blocks", &other.token).expect(200).json["items"], Value::Array(vec![]));
    }

    fn who_cannot_be_blocked_is_refused(app: App) {
        let person = app.someone();
        block(&app, &person, NOBODY).expect_problem(404, "not-found");
        block(&app, &person, &person.account_id).expect_problem(409, "block-self");
        block(&app, &person, "x").expect_problem(404, "not-found");
        unblock(&app, &person, NOBODY).expect(204);
        assert_eq!(rows(&app), 0);
    }

    fn only_with_a_session(app: App) {
        let one = format!("/v1/blocks/{NOBODY}");
        for (method, path) in [("GET", "/v1/blocks"), ("PUT", &one), ("DELETE", &one)] {
            app.request(method, path).send().expect_problem(401, "unauthenticated");
        }
    }

    [stand_in] fn a_block_that_stands_keeps_its_time(app: App) {
        let (person, other) = (app.someone(), app.someone());
        let listed = || app.get("/v1/blocks", &person.token).expect(200).json["items"].clone();
        block(&app, &person, &other.account_id).expect(204);
        let before = listed();
        app.clock().advance(MINUTE);
        block(&app, &person, &other.account_id).expect(204);
        assert_eq!(listed(), before);
    }

    fn there_is_a_most_of_them(app: App) {
        let (person, other) = (app.someone(), app.someone());
        let many: Vec<_> = (0..999).map(|at| format!("{at:08x}-0000-7000-8000-000000000000")).collect();
        app.database().insert_accounts(&many);
        let blocks: Vec<_> = many.iter().map(|id| format!("('{}', '{id}', 0)", person.account_id)).collect();
        app.database().insert("blocks", &blocks);
        block(&app, &person, &other.account_id).expect(204);
        let third = app.someone();
        block(&app, &person, &third.account_id).expect_problem(409, "too-many-blocks");
        block(&app, &person, &other.account_id).expect(204);
        unblock(&app, &person, &other.account_id).expect(204);
        block(&app, &person, &third.account_id).expect(204);
    }

    fn with_either_account_goes_the_block(app: App) {
        let (one, other, third) = (app.someone(), app.someone(), app.someone());
        block(&app, &one, &other.account_id).expect(204);
        block(&app, &third, &one.account_id).expect(204);
        app.database().rows(&format!("DELETE FROM accounts WHERE id = '{}' RETURNING id", one.account_id));
        assert_eq!(rows(&app), 0);
    }

    [stand_in] fn a_block_that_was_stopped_is_done_by_the_next(app: App) {
        for (method, before, after) in [("PUT", false, 1), ("DELETE", true, 0)] {
            sweep(
                &app,
                |app, _| {
                    let (person, other) = (app.someone(), app.someone());
                    if before {
                        block(app, &person, &other.account_id).expect(204);
                    }
                    let path = format!("/v1/blocks/{}", other.account_id);
                    let attempt = Attempt::new(method, path, Some(&person.token), Value::Null);
                    (person, attempt)
                },
                again,
                |app, person, _| {
                    let own = format!(
                        "SELECT COUNT(*) FROM blocks WHERE account_id = '{}'", person.account_id
                    );
                    assert_eq!(app.database().count(&own), after);
                },
            );
        }
    }
}
