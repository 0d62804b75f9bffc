//! Uploads whose requests are stopped anywhere, or overtake each other.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use api_tests::{Answer, App, Builder, DAY, HOUR, MINUTE, Person, UploadForm, on_both_engines};
use serde_json::{Value, json};
use shared::consent::Purpose;

use crate::faults::{Attempt, again, sweep};
use crate::identity::someone_who_agrees;
use crate::pictures::png;
use crate::uploads::{form, holds, link, shows, slots};
use crate::uploads_oss::{self, read, send, voice};

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

/// Lets the claims of sweeps that were stopped run out, and others finish what they left.
pub fn finish_sweeps(app: &App) {
    app.clock().advance(5 * MINUTE);
    let person = app.someone();
    while discarded(app) > 0 {
        let before = discarded(app);
        let id = form(app, &person, "image", "image/png", 10).id;
        delete_attempt(&person, &id).send(app, true).expect(204);
        assert!(discarded(app) < before, "a sweep deletes something");
    }
}

/// How many are discarded and not yet deleted.
fn discarded(app: &App) -> i64 {
    app.database()
        .count("SELECT COUNT(*) FROM uploads WHERE account_id IS NULL")
}

fn has_row(app: &App, id: &str) -> bool {
    let rows = format!("SELECT COUNT(*) FROM uploads WHERE id = '{id}'");
    app.database().count(&rows) == 1
}

/// Every key is a row's, and every completed upload has its key.
fn store_agrees(app: &App) {
    let slots_where = |condition: &str| -> BTreeSet<String> {
        let rows = app.database().rows(&format!(
            "SELECT slot FROM uploads WHERE slot IS NOT NULL AND {condition}"
        ));
        rows.iter()
            .map(|row| format!("upload:{}", row[0]))
            .collect()
    };
    let keys = app.key_value().into_iter().map(|(key, _)| key);
    let keys: BTreeSet<_> = keys.filter(|key| key.starts_with("upload:")).collect();
    assert!(keys.is_subset(&slots_where("1 = 1")), "{keys:?}");
    assert!(
        slots_where("completed_at IS NOT NULL").is_subset(&keys),
        "{keys:?}"
    );
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

/// Lets go on what is held, also where a test fails meanwhile.
struct Release<'a>(&'a App);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.faults().clear();
    }
}

/// Sends `slow`, holds it at its `nth` call of `capability`, and does `meanwhile` in the meantime.
fn overtaken(
    app: &App,
    slow: &Attempt,
    (capability, nth): (&str, usize),
    meanwhile: impl FnOnce(),
) -> Answer {
    app.faults().hold(capability, nth);
    let reached = || {
        let calls = app.faults().calls();
        calls
            .iter()
            .filter(|call| call.capability == capability)
            .count()
            >= nth
    };
    thread::scope(|scope| {
        let held = Release(app);
        let answer = scope.spawn(|| slow.send(app, true));
        while !reached() && !answer.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!answer.is_finished(), "it is held");
        meanwhile();
        drop(held);
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

    // clause E18
    [stand_in] fn a_late_copy_is_of_what_was_checked(builder: Builder) {
        let (app, oss) = uploads_oss::start(builder);
        let person = app.someone();
        let form = form(&app, &person, "voice", "audio/amr", voice().len());
        assert_eq!(send(&form, &voice()), 204);
        // The first request reads the beginning, the second copies.
        let complete = complete_attempt(&person, &form.id);
        overtaken(&app, &complete, ("http", 2), || {
            oss.overwrite(&format!("uploads/{}", form.id), &vec![b'x'; voice().len()]);
        })
        .expect_problem(503, "upload-storage-unavailable");
        app.complete_upload(&person, &form.id).expect_problem(422, "upload-mismatch");
        assert!(oss.objects().is_empty());
    }

    // clause E18
    [stand_in] fn asking_for_a_form(app: App) {
        sweep(
            &app,
            |app, _| {
                let person = app.someone();
                let attempt = create_attempt(&person);
                (person, attempt)
            },
            again,
            |app, person, answer| {
                app.complete_upload(person, &answer.text("/id")).expect_problem(409, "upload-missing");
                // One that was stopped after it was made waits beside the second, and goes after a day.
                let of_theirs = format!("SELECT COUNT(*) FROM uploads WHERE account_id = '{}'", person.account_id);
                assert!((1..=2).contains(&app.database().count(&of_theirs)));
                app.clock().advance(DAY);
                for _ in 0..3 {
                    create_attempt(&app.someone()).send(app, true).expect(201);
                }
                assert_eq!(app.database().count(&of_theirs), 0);
            },
        );
    }

    // clause E18
    [stand_in] fn sending_a_file(app: App) {
        sweep(
            &app,
            |app, name| {
                let person = app.someone();
                let picture = png(name);
                let form = form(app, &person, "image", "image/png", picture.len());
                let attempt = send_attempt(&form, &picture);
                ((person, form.id, name.to_owned()), attempt)
            },
            again,
            |app, (person, id, name), _| {
                app.complete_upload(person, id).expect(200);
                shows(app, person, id, name);
                store_agrees(app);
            },
        );
    }

    // clause E18
    [stand_in] fn completing_an_upload(app: App) {
        sweep(
            &app,
            |app, name| {
                let (person, form) = sent(app, name);
                let attempt = complete_attempt(&person, &form.id);
                ((person, form.id, name.to_owned()), attempt)
            },
            again,
            |app, (person, id, name), answer| {
                assert_eq!(answer.text("/status"), "ready");
                shows(app, person, id, name);
                store_agrees(app);
            },
        );
    }

    // clause E18
    [stand_in] fn asking_for_a_link(app: App) {
        sweep(
            &app,
            |app, name| {
                let (person, id) = ready(app, name);
                let attempt = Attempt::new("GET", format!("/v1/uploads/{id}/link"), Some(&person.token), Value::Null);
                (name.to_owned(), attempt)
            },
            again,
            |app, name, answer| {
                assert!(holds(&app.open_link(&answer.text("/url")).expect(200).body, name));
                store_agrees(app);
            },
        );
    }

    // clause E18, R4
    [stand_in] fn deleting_an_upload(app: App) {
        sweep(
            &app,
            |app, name| {
                let (person, id) = ready(app, name);
                let attempt = delete_attempt(&person, &id);
                ((person, id), attempt)
            },
            |app, (person, _), attempt| {
                let answer = attempt.send(app, true);
                if answer.status == 404 {
                    // It was discarded before the stop: that is what the client wanted to hear.
                    return app.get("/v1/profile", &person.token);
                }
                answer
            },
            |app, (person, id), _| {
                link(app, &person.token, id).expect_problem(404, "not-found");
                store_agrees(app);
                finish_sweeps(app);
                assert!(!has_row(app, id));
                assert_eq!(slots(app), 0);
            },
        );
    }

    // clause R4, G2
    [stand_in] fn withdrawing_a_consent_with_uploads(app: App) {
        sweep(
            &app,
            |app, name| {
                let person = someone_who_agrees(app, &["enterprise-verification"]);
                app.upload(&person, "licence", "image/png", &png(name));
                let version = Purpose::EnterpriseVerification.terms().version;
                let body = json!({ "granted": false, "version": version });
                let path = "/v1/consents/enterprise-verification";
                let attempt = Attempt::new("PUT", path, Some(&person.token), body);
                (person, attempt)
            },
            again,
            |app, person, _| {
                let of_theirs = format!("SELECT COUNT(*) FROM uploads WHERE account_id = '{}'", person.account_id);
                assert_eq!(app.database().count(&of_theirs), 0);
                store_agrees(app);
                finish_sweeps(app);
                assert_eq!(slots(app), 0);
            },
        );
    }

    // clause E18, D2
    [stand_in] fn choosing_an_avatar_and_not_coming_back(app: App) {
        sweep(
            &app,
            |app, name| {
                let person = app.someone();
                let id = app.upload(&person, "avatar", "image/png", &png(name));
                let body = json!({ "avatar": format!("upload:{id}") });
                let attempt = Attempt::new("PATCH", "/v1/profile", Some(&person.token), body);
                ((person, id, name.to_owned()), attempt)
            },
            // The client does not try again; it sees what has become of it.
            |app, (person, ..), _| app.get("/v1/profile", &person.token),
            |app, (person, id, name), answer| {
                let is_shown = answer.json["avatar"] == format!("upload:{id}");
                if is_shown {
                    delete_attempt(person, id).send(app, true).expect_problem(409, "upload-in-use");
                }
                app.clock().advance(2 * DAY);
                for _ in 0..3 {
                    create_attempt(&app.someone()).send(app, true).expect(201);
                }
                if is_shown {
                    shows(app, person, id, name);
                } else {
                    assert!(!has_row(app, id));
                }
            },
        );
    }

    // clause E18
    [stand_in] fn asking_for_a_form_of_the_bucket(builder: Builder) {
        let (app, oss) = uploads_oss::start(builder);
        sweep(
            &app,
            |app, _| {
                oss.set_clock(app.clock().now_ms());
                let person = app.someone();
                let body = json!({ "kind": "voice", "content_type": "audio/amr", "size": voice().len() });
                let attempt = Attempt::new("POST", "/v1/uploads", Some(&person.token), body);
                (person, attempt)
            },
            again,
            |app, person, answer| {
                let form = UploadForm::of(answer);
                assert_eq!(send(&form, &voice()), 204);
                app.complete_upload(person, &form.id).expect(200);
            },
        );
        assert!(oss.refusals().is_empty(), "{:?}", oss.refusals());
    }

    // clause E18
    [stand_in] fn completing_an_upload_in_the_bucket(builder: Builder) {
        let (app, oss) = uploads_oss::start(builder);
        for (kind, content_type, file) in [("voice", "audio/amr", voice()), ("image", "image/png", png("pixels"))] {
            sweep(
                &app,
                |app, _| {
                    oss.set_clock(app.clock().now_ms());
                    let person = app.someone();
                    let form = form(app, &person, kind, content_type, file.len());
                    assert_eq!(send(&form, &file), 204);
                    let attempt = complete_attempt(&person, &form.id);
                    ((person, form.id), attempt)
                },
                again,
                |app, (person, id), answer| {
                    assert_eq!(answer.text("/status"), "ready");
                    let url = link(app, &person.token, id).expect(200).text("/url");
                    let (status, shown) = read(&url);
                    assert_eq!((status, shown.len() as i64), (200, answer.json["size"].as_i64().expect("a size")));
                    let keys: Vec<_> = oss.objects().into_keys().filter(|key| key.contains(id)).collect();
                    assert_eq!(keys, [format!("uploads/{id}/clean")]);
                },
            );
        }
    }

    // clause E18, R4
    [stand_in] fn deleting_an_upload_in_the_bucket(builder: Builder) {
        let (app, oss) = uploads_oss::start(builder);
        sweep(
            &app,
            |app, _| {
                oss.set_clock(app.clock().now_ms());
                let person = app.someone();
                let form = form(app, &person, "voice", "audio/amr", voice().len());
                assert_eq!(send(&form, &voice()), 204);
                app.complete_upload(&person, &form.id).expect(200);
                let attempt = delete_attempt(&person, &form.id);
                ((person, form), attempt)
            },
            |app, (person, _), attempt| {
                let answer = attempt.send(app, true);
                if answer.status == 404 {
                    return app.get("/v1/profile", &person.token);
                }
                answer
            },
            |app, (person, form), _| {
                link(app, &person.token, &form.id).expect_problem(404, "not-found");
                // The form is still good, but what it brings now is nobody's.
                send(form, &voice());
                app.clock().advance(HOUR);
                oss.set_clock(app.clock().now_ms());
                for _ in 0..3 {
                    create_attempt(&app.someone()).send(app, true).expect(201);
                }
                assert!(!has_row(app, &form.id));
                assert!(oss.objects().is_empty());
            },
        );
    }
}
