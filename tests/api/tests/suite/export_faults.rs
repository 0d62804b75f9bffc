//! Exports whose requests are stopped anywhere (clause R6).

use std::io::Cursor;

use api_tests::{Answer, App, Builder, MINUTE, Person, on_both_engines};
use serde_json::json;

use crate::exports::{EMAIL, ask, build, building, download, link, press_request, read, unzip};
use crate::faults::{Attempt, sweep};
use crate::pictures::png;

fn go_on_attempt() -> Attempt {
    Attempt::new("POST", "/internal/exports", None, json!({}))
}

/// The next call, when the stopped one's turn is over.
fn go_on_later<S>(app: &App, _: &S, attempt: &Attempt) -> Answer {
    app.clock().advance(MINUTE);
    attempt.send(app, false)
}

/// An export of which only what comes from `step` on is left to do.
fn standing_at(app: &App, step: &str) -> (Person, String) {
    let person = app.someone();
    app.upload(&person, "image", "image/png", &png("image"));
    let id = ask(app, &person).expect(202).text("/id");
    app.database().rows(&format!(
        "UPDATE exports SET step = '{step}' WHERE id = '{id}' RETURNING id"
    ));
    (person, id)
}

/// The copy is whole and its link is mailed; nothing is under way.
fn is_ready(app: &App, (person, id): &(Person, String)) {
    assert_eq!(read(app, person, id)["status"], "ready");
    let files = unzip(&download(app, &link(app, id)).expect(200).body);
    assert_eq!(
        files
            .keys()
            .filter(|name| name.starts_with("uploads/"))
            .count(),
        1
    );
    let gaps = "SELECT COUNT(*) FROM exports e WHERE e.parts <> \
                (SELECT COUNT(*) FROM export_parts p WHERE p.export_id = e.id)";
    assert_eq!(app.database().count(gaps), 0);
}

on_both_engines! {
    // clause R6
    [stand_in] fn asking_for_a_copy(builder: Builder) {
        let app = building(builder).variable("exports_per_day", "1000").start();
        sweep(
            &app,
            |app, key| {
                let person = app.someone();
                let body = json!({ "email": EMAIL });
                let attempt = Attempt::new("POST", "/v1/account/exports", Some(&person.token), body);
                (person, attempt.with_key(key))
            },
            |app, _, attempt| {
                // The key is taken until the stopped call counts as over.
                app.clock().advance(MINUTE);
                attempt.send(app, true)
            },
            |app, person, answer| {
                let exports = format!("SELECT COUNT(*) FROM exports WHERE account_id = '{}'", person.account_id);
                assert_eq!(app.database().count(&exports), 1);
                assert_eq!(read(app, person, &answer.text("/id"))["status"], "building");
            },
        );
    }

    // clause R6
    [stand_in] fn building_a_table(builder: Builder) {
        let app = building(builder).variable("exports_per_day", "1000").start();
        sweep(
            &app,
            |app, _| (standing_at(app, "rows:notices:"), go_on_attempt()),
            go_on_later,
            |app, state, _| {
                build(app);
                is_ready(app, state);
            },
        );
    }

    // clause R6
    [stand_in] fn building_a_file(builder: Builder) {
        let app = building(builder).variable("exports_per_day", "1000").start();
        sweep(
            &app,
            |app, _| (standing_at(app, "files:"), go_on_attempt()),
            go_on_later,
            |app, state, _| {
                build(app);
                is_ready(app, state);
            },
        );
    }

    // clause R6
    [stand_in] fn mailing(builder: Builder) {
        let app = building(builder).variable("exports_per_day", "1000").start();
        sweep(
            &app,
            |app, _| {
                let state = standing_at(app, "files:");
                go_on_attempt().send(app, false);
                assert_eq!(read(app, &state.0, &state.1)["status"], "mailing");
                (state, go_on_attempt())
            },
            go_on_later,
            |app, state, _| {
                build(app);
                is_ready(app, state);
            },
        );
    }

    // clause R6
    [stand_in] fn a_download_that_breaks_off_can_be_done_again(builder: Builder) {
        let app = building(builder).variable("exports_per_day", "1000").start();
        app.clock().stop();
        for when in ["before", "after"] {
            for nth in 1.. {
                let (_, id) = standing_at(&app, "files:");
                build(&app);
                let url = link(&app, &id);
                let (_, token) = url.split_once("token=").expect("a token");
                app.faults().trap(nth, when);
                let stopped = press_request(&app, &format!("/v1/exports/{id}/archive"), token).try_send();
                let is_struck = app.faults().calls().len() >= nth;
                app.faults().clear();
                let is_whole = stopped.as_ref().is_ok_and(|answer| {
                    zip::ZipArchive::new(Cursor::new(&answer.body)).is_ok()
                });
                if !is_struck {
                    assert!(is_whole && nth > 1, "{when} {nth}: {stopped:?}");
                    break;
                }
                assert!(nth < 40, "it never came through");
                // Nobody takes a part of it for the whole.
                assert!(!is_whole, "{when} {nth}");
                unzip(&download(&app, &url).expect(200).body);
            }
        }
    }
}
