//! Uploads whose requests are stopped anywhere, or overtake each other.

use std::thread;
use std::time::Duration;

use api_tests::{Answer, App, Person, UploadForm, on_both_engines};
use serde_json::{Value, json};

use crate::faults::Attempt;
use crate::pictures::png;
use crate::uploads::{form, link, shows, slots};

/// How long a held call waits: what overtakes it takes a small part of that.
const HELD: Duration = Duration::from_secs(3);

fn create_attempt(person: &Person) -> Attempt {
    let body = json!({ "kind": "image", "content_type": "image/png", "size": 10 });
    Attempt::new("POST", "/v1/uploads", Some(&person.token), body)
}

fn complete_attempt(person: &Person, id: &str) -> Attempt {
    let path = format!("/v1/uploads/{id}/complete");
    Attempt::new("POST", path, Some(&person.token), Value::Null)
}

fn delete_attempt(person: &Person, id: &str) -> Attempt {
    let path = format!("/v1/uploads/{id}");
    Attempt::new("DELETE", path, Some(&person.token), Value::Null)
}

fn send_attempt(form: &UploadForm, file: &[u8]) -> Attempt {
    let (media_type, body) = form.body(file);
    let path = format!("/v1/uploads/{}/form", form.id);
    Attempt::new("POST", path, None, Value::Null).with_body(&media_type, body)
}

/// An upload of a new person's, sent but not completed.
fn sent(app: &App, name: &str) -> (Person, UploadForm) {
    let person = app.someone();
    let picture = png(name);
    let form = form(app, &person, "image", "image/png", picture.len());
    app.send_form(&form, &picture).expect(204);
    (person, form)
}

/// A completed upload of a new person's.
fn ready(app: &App, name: &str) -> (Person, String) {
    let person = app.someone();
    let id = app.upload(&person, "image", "image/png", &png(name));
    (person, id)
}

/// Discards an upload as withdrawing a consent does: what is left is the sweep's.
fn discard(app: &App, id: &str) {
    app.database().rows(&format!(
        "UPDATE uploads SET account_id = NULL, purpose = NULL, completed_at = NULL WHERE id = '{id}' RETURNING id"
    ));
}

/// At which of the calls of `capability`, from 1, a request like `rehearsed` does `operation`.
fn place_of(app: &App, capability: &str, operation: &str, rehearsed: impl FnOnce()) -> usize {
    app.faults().clear();
    rehearsed();
    let calls = app.faults().calls();
    let mut of_it = calls.iter().filter(|call| call.capability == capability);
    let at = of_it.position(|call| call.operation == operation);
    at.unwrap_or_else(|| panic!("no {operation}: {calls:?}")) + 1
}

/// Sends `slow`, holds it at its `nth` call of `capability`, and does `meanwhile` in the meantime.
fn overtaken(
    app: &App,
    slow: &Attempt,
    (capability, nth): (&str, usize),
    meanwhile: impl FnOnce(),
) -> Answer {
    app.faults().delay(capability, nth, HELD);
    let reached = || {
        let calls = app.faults().calls();
        calls
            .iter()
            .filter(|call| call.capability == capability)
            .count()
            >= nth
    };
    thread::scope(|scope| {
        let answer = scope.spawn(|| slow.send(app, true));
        while !reached() && !answer.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!answer.is_finished(), "it is held");
        meanwhile();
        answer.join().expect("it answers")
    })
}

on_both_engines! {
    // clause E18
    [stand_in] fn a_late_sweep_deletes_nothing_of_a_slots_next_upload(app: App) {
        let (_, first) = ready(&app, "first");
        discard(&app, &first);
        let sweeper = app.someone();
        // From then on its session is in the cache, and its requests make the same calls.
        app.get("/v1/profile", &sweeper.token).expect(200);
        let nth = place_of(&app, "key-value", "delete", || {
            create_attempt(&sweeper).send(&app, true).expect(201);
        });
        let (_, second) = ready(&app, "second");
        discard(&app, &second);
        let mut next = None;
        overtaken(&app, &create_attempt(&sweeper), ("key-value", nth), || {
            create_attempt(&app.someone()).send(&app, true).expect(201);
            next = Some(ready(&app, "next"));
        })
        .expect(201);
        let (person, next) = next.expect("it was made");
        shows(&app, &person, &next, "next");
    }

    // clause E18
    [stand_in] fn a_late_completion_deletes_nothing_of_a_slots_next_upload(app: App) {
        let (rehearsing, form) = sent(&app, "rehearsal");
        let complete = complete_attempt(&rehearsing, &form.id);
        // Held at its last look into the store, after which it finds the upload gone.
        app.faults().clear();
        complete.send(&app, true).expect(200);
        let gets = app.faults().calls().iter().filter(|call| call.capability == "key-value").count();
        app.request("DELETE", &format!("/v1/uploads/{}", form.id)).token(&rehearsing.token).send().expect(204);
        let (person, form) = sent(&app, "first");
        let complete = complete_attempt(&person, &form.id);
        let mut next = None;
        overtaken(&app, &complete, ("key-value", gets), || {
            delete_attempt(&person, &form.id).send(&app, true).expect(204);
            next = Some(ready(&app, "next"));
        })
        .expect_problem(404, "not-found");
        let (person, next) = next.expect("it was made");
        shows(&app, &person, &next, "next");
    }

    // clause E18
    [stand_in] fn a_late_file_changes_nothing_of_a_completed_upload(app: App) {
        let person = app.someone();
        let (first, other) = (png("one of two"), png("two of two"));
        let rehearsal = form(&app, &person, "image", "image/png", first.len());
        let nth = place_of(&app, "key-value", "set", || {
            app.send_form(&rehearsal, &first).expect(204);
        });
        let form = form(&app, &person, "image", "image/png", first.len());
        let late = overtaken(&app, &send_attempt(&form, &other), ("key-value", nth), || {
            if app.send_form(&form, &first).status == 204 {
                app.complete_upload(&person, &form.id).expect(200);
            }
        });
        // One of the two has won, and whoever was told so has.
        if late.status == 204 {
            app.complete_upload(&person, &form.id).expect(200);
            shows(&app, &person, &form.id, "two of two");
        } else {
            shows(&app, &person, &form.id, "one of two");
        }
    }
}
