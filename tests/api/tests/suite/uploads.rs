//! `/v1/uploads`: rules, links, and the store that the application keeps itself.

use std::thread;

use api_tests::{Answer, App, Builder, DAY, MINUTE, Person, REVIEWER, UploadForm, on_both_engines};
use serde_json::json;

use crate::identity::someone_who_agrees;
use crate::pictures::{SECRET, jpeg, png, tells, webp};

/// A form for an upload.
pub fn form(app: &App, person: &Person, kind: &str, content_type: &str, size: usize) -> UploadForm {
    UploadForm::of(
        &app.ask_for_form(person, kind, content_type, size)
            .expect(201),
    )
}

/// Asks for a link.
pub fn link(app: &App, token: &str, id: &str) -> Answer {
    app.get(&format!("/v1/uploads/{id}/link"), token)
}

/// Whether `bytes` hold `marker`.
pub fn holds(bytes: &[u8], marker: &str) -> bool {
    bytes
        .windows(marker.len())
        .any(|window| window == marker.as_bytes())
}

/// Reads an upload by a new link; the picture's pixels must be `marker`.
pub fn shows(app: &App, person: &Person, id: &str, marker: &str) -> Answer {
    let url = link(app, &person.token, id).expect(200).text("/url");
    let shown = app.open_link(&url).expect(200);
    assert!(holds(&shown.body, marker), "{marker}: {shown:?}");
    shown
}

/// How many uploads' bytes are stored.
pub fn slots(app: &App) -> usize {
    let keys = app.key_value();
    keys.iter()
        .filter(|(key, _)| key.starts_with("upload:"))
        .count()
}

fn delete(app: &App, person: &Person, id: &str) -> Answer {
    app.request("DELETE", &format!("/v1/uploads/{id}"))
        .token(&person.token)
        .send()
}

on_both_engines! {
    // clause E18, C1
    fn a_picture_arrives_without_what_it_tells(app: App) {
        let person = app.someone();
        for (content_type, picture) in [("image/png", png("pixels")), ("image/jpeg", jpeg()), ("image/webp", webp())] {
            assert!(tells(&picture));
            let id = app.upload(&person, "image", content_type, &picture);
            let shown = app.open_link(&link(&app, &person.token, &id).expect(200).text("/url")).expect(200);
            assert!(!tells(&shown.body), "{content_type}");
            assert!(shown.body.windows(6).any(|window| window == b"pixels"), "{content_type}");
            assert_eq!(shown.header("content-type"), Some(content_type));
            assert_eq!(shown.header("content-security-policy"), Some("default-src 'none'; sandbox"));
            let exif = shown.body.windows(4).filter(|window| *window == b"Exif").count();
            assert_eq!(exif, usize::from(content_type == "image/jpeg"), "the turn of the camera stays");
        }
        crate::privacy::is_nowhere(&app, SECRET.as_bytes());
        // Sealed where it lies.
        crate::privacy::is_nowhere(&app, b"pixels");
    }

    // clause E18
    fn each_kind_has_its_types_and_sizes(app: App) {
        let person = app.someone();
        for (kind, content_type, size, violation) in [
            ("avatar", "image/gif", 10, "content_type"),
            ("avatar", "video/mp4", 10, "content_type"),
            ("voice", "image/png", 10, "content_type"),
            ("video", "audio/amr", 10, "content_type"),
            ("image", "image/png", 0, "size"),
            ("image", "image/png", 1_000_001, "size"),
        ] {
            let refused = app.ask_for_form(&person, kind, content_type, size).expect_problem(422, "invalid-fields");
            assert_eq!(refused.json["violations"][0]["field"], violation, "{kind} {content_type} {size}");
        }
        app.ask_for_form(&person, "passport", "image/png", 10).expect(422);
        for (kind, content_type) in [("voice", "audio/amr"), ("video", "video/mp4"), ("image", "image/webp")] {
            app.ask_for_form(&person, kind, content_type, 10).expect(201);
        }
        app.post("/v1/uploads", &json!({ "kind": "image", "content_type": "image/png", "size": 10 }))
            .expect_problem(401, "unauthenticated");
    }

    // clause G1, G2
    fn photos_of_documents_need_the_consent_that_they_are_for(app: App) {
        let person = app.someone();
        for (kind, purpose) in [
            ("business-card", "enterprise-verification"),
            ("licence", "enterprise-verification"),
            ("appeal", "document-review"),
        ] {
            let refused = app.ask_for_form(&person, kind, "image/png", 10).expect_problem(403, "consent-required");
            assert_eq!(refused.json["purpose"], purpose);
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM uploads"), 0);
        app.ask_for_form(&person, "avatar", "image/png", 10).expect(201);
    }

    // clause R4, G2
    fn withdrawing_the_consent_deletes_what_was_uploaded_for_it(app: App) {
        let person = someone_who_agrees(&app, &["enterprise-verification"]);
        let licence = app.upload(&person, "licence", "image/png", &png("licence"));
        let open = form(&app, &person, "business-card", "image/png", png("card").len());
        let avatar = app.upload(&person, "avatar", "image/png", &png("avatar"));
        let url = link(&app, &person.token, &licence).expect(200).text("/url");
        app.open_link(&url).expect(200);
        app.consent(&person, "enterprise-verification", false).expect(200);
        assert_eq!(slots(&app), 1, "only the avatar is left");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM uploads"), 1);
        app.open_link(&url).expect(404);
        link(&app, &person.token, &licence).expect_problem(404, "not-found");
        app.send_form(&open, &png("card")).expect_problem(404, "not-found");
        link(&app, &person.token, &avatar).expect(200);
    }

    // clause E18
    [stand_in] fn a_form_is_good_as_it_was_signed_and_for_ten_minutes(app: App) {
        app.clock().stop();
        let person = app.someone();
        let picture = png("pixels");
        let good = form(&app, &person, "image", "image/png", picture.len());
        for (name, _) in good.fields.clone() {
            let refused = app.send_form(&good.clone().with(&name, "x"), &picture);
            assert!([400, 403].contains(&refused.status), "{name}: {refused:?}");
            let refused = app.send_form(&good.clone().without(&name), &picture);
            assert!([400, 403].contains(&refused.status), "{name}: {refused:?}");
        }
        app.send_form(&good.clone().with("x", "y"), &picture).expect(403);
        let other = form(&app, &person, "image", "image/png", picture.len());
        let foreign = UploadForm { id: other.id, ..good.clone() };
        app.send_form(&foreign, &picture).expect_problem(403, "upload-form-invalid");
        let larger = [&picture[..], b"x"].concat();
        app.send_form(&good, &larger).expect_problem(422, "upload-mismatch");
        let disguised = vec![b'a'; picture.len()];
        app.send_form(&good, &disguised).expect_problem(422, "upload-mismatch");
        app.request("POST", &format!("/v1/uploads/{}/form", good.id)).body("multipart/form-data; boundary=x", "nonsense")
            .send().expect_problem(400, "malformed-form");
        app.complete_upload(&person, &good.id).expect_problem(409, "upload-missing");
        assert_eq!(slots(&app), 0);
        app.send_form(&good, &picture).expect(204);
        app.send_form(&good, &picture).expect(204);
        app.send_form(&good, &png("Pixels")).expect_problem(409, "upload-already-stored");
        app.complete_upload(&person, &good.id).expect(200);
        app.complete_upload(&person, &good.id).expect(200);
        app.send_form(&good, &png("Pixels")).expect(403);
        let late = form(&app, &person, "image", "image/png", picture.len());
        app.clock().advance(10 * MINUTE);
        app.send_form(&late, &picture).expect_problem(403, "upload-form-expired");
    }

    // clause E18, C1
    [stand_in] fn links_are_for_one_reader_and_a_short_time(app: App) {
        app.clock().stop();
        let (person, other) = (app.someone(), app.someone());
        let private = app.upload(&person, "image", "image/png", &png("private"));
        link(&app, &other.token, &private).expect_problem(404, "not-found");
        app.complete_upload(&other, &private).expect_problem(404, "not-found");
        delete(&app, &other, &private).expect_problem(404, "not-found");
        let url = link(&app, &person.token, &private).expect(200).text("/url");
        app.open_link(&url).expect(200);
        for (from, to) in [("expires=", "expires=9"), ("reader=", "reader=0"), ("signature=", "signature=0")] {
            let forged = url.replace(from, to);
            assert_ne!(forged, url);
            assert!([403, 404].contains(&app.open_link(&forged).status), "{forged}");
        }
        let another = app.upload(&person, "image", "image/png", &png("another"));
        assert!([403, 404].contains(&app.open_link(&url.replace(&private, &another)).status));
        app.clock().advance(5 * MINUTE);
        assert!([403, 404].contains(&app.open_link(&url).status));

        let avatar = app.upload(&person, "avatar", "image/png", &png("avatar"));
        let url = link(&app, &other.token, &avatar).expect(200).text("/url");
        assert_ne!(url, link(&app, &person.token, &avatar).expect(200).text("/url"));
        app.clock().advance(DAY - MINUTE);
        app.open_link(&url).expect(200);
        app.clock().advance(MINUTE);
        assert!([403, 404].contains(&app.open_link(&url).status));
    }

    // clause E8
    fn operators_see_photos_of_open_reviews_alone(builder: Builder) {
        let app = builder.with_operators().start();
        let person = someone_who_agrees(&app, &["document-review"]);
        let id = app.upload(&person, "appeal", "image/png", &png("card"));
        let path = format!("/v1/operator/uploads/{id}/link");
        app.get(&path, REVIEWER.token).expect_problem(404, "not-found");
        app.get(&path, &person.token).expect_problem(401, "unauthenticated");
        let number = crate::identity::id_number();
        crate::reviews::submit_documents(&app, &person, &number, std::slice::from_ref(&id)).expect(201);
        let url = app.get(&path, REVIEWER.token).expect(200).text("/url");
        let shown = app.open_link(&url).expect(200);
        assert!(shown.body.windows(4).any(|window| window == b"card"));
        let looked = format!("SELECT COUNT(*) FROM operator_audit WHERE subject = '{id}'");
        assert_eq!(app.database().count(&looked), 1);
    }

    // clause D2
    [stand_in] fn what_nothing_refers_to_goes_after_a_day_and_an_avatar_stays(app: App) {
        app.clock().stop();
        let person = app.someone();
        let avatar = app.upload(&person, "avatar", "image/png", &png("avatar"));
        let loose = app.upload(&person, "image", "image/png", &png("loose"));
        let set = |avatar: &str| {
            app.request("PATCH", "/v1/profile").token(&person.token)
                .json(&json!({ "avatar": format!("upload:{avatar}") }))
        };
        set(&loose).expect_violations(&["avatar:upload"]);
        set("0198c5a0-0000-7000-8000-000000000000").expect_violations(&["avatar:upload"]);
        let stranger = app.someone();
        app.request("PATCH", "/v1/profile").token(&stranger.token)
            .json(&json!({ "avatar": format!("upload:{avatar}") })).expect_violations(&["avatar:upload"]);
        assert_eq!(set(&avatar).expect(200).text("/avatar"), format!("upload:{avatar}"));
        delete(&app, &person, &avatar).expect_problem(409, "upload-in-use");
        app.clock().advance(DAY - MINUTE);
        link(&app, &person.token, &loose).expect(200);
        // Each call cleans up behind others.
        let sweep = || { app.ask_for_form(&app.someone(), "image", "image/png", 10).expect(201); };
        sweep();
        assert_eq!(slots(&app), 2);
        app.clock().advance(MINUTE);
        sweep();
        assert_eq!(slots(&app), 1);
        app.clock().advance(29 * DAY);
        let person = app.log_in_on(&person.phone, &api_tests::Device::new("device-1"));
        for _ in 0..3 { sweep(); }
        link(&app, &person.token, &avatar).expect(200);
        let newer = app.upload(&person, "avatar", "image/png", &png("newer"));
        app.request("PATCH", "/v1/profile").token(&person.token)
            .json(&json!({ "avatar": format!("upload:{newer}") })).expect(200);
        for _ in 0..3 { sweep(); }
        link(&app, &person.token, &avatar).expect_problem(404, "not-found");
        link(&app, &person.token, &newer).expect(200);
    }

    // clause E18
    fn a_person_can_take_an_upload_back(app: App) {
        let person = app.someone();
        let id = app.upload(&person, "image", "image/png", &png("pixels"));
        delete(&app, &person, &id).expect(204);
        assert_eq!((slots(&app), app.database().count("SELECT COUNT(*) FROM uploads")), (0, 0));
        link(&app, &person.token, &id).expect_problem(404, "not-found");
        delete(&app, &person, &id).expect_problem(404, "not-found");
    }

    // clause E18
    fn slots_are_bounded_and_never_shared(builder: Builder) {
        let app = builder.variable("upload_slots", "4").start();
        let people: Vec<_> = (0..8).map(|_| app.someone()).collect();
        let outcomes: Vec<_> = thread::scope(|scope| {
            let app = &app;
            let sending: Vec<_> = people.iter().enumerate().map(|(nth, person)| scope.spawn(move || {
                let picture = png(&format!("picture-{nth}"));
                let form = form(app, person, "image", "image/png", picture.len());
                let stored = app.send_form(&form, &picture).status;
                (form.id, stored)
            })).collect();
            sending.into_iter().map(|one| one.join().expect("it answers")).collect()
        });
        let stored = outcomes.iter().filter(|(_, status)| *status == 204).count();
        assert_eq!(stored, 4, "{outcomes:?}");
        assert!(outcomes.iter().all(|(_, status)| [204, 503].contains(status)), "{outcomes:?}");
        assert_eq!(slots(&app), 4);
        for (nth, (person, (id, status))) in people.iter().zip(&outcomes).enumerate() {
            if *status == 204 {
                app.complete_upload(person, id).expect(200);
                let url = link(&app, &person.token, id).expect(200).text("/url");
                let marker = format!("picture-{nth}");
                let shown = app.open_link(&url).expect(200);
                assert!(shown.body.windows(marker.len()).any(|window| window == marker.as_bytes()));
                delete(&app, person, id).expect(204);
            }
        }
        assert_eq!(slots(&app), 0);
        app.upload(&people[0], "image", "image/png", &png("again"));
    }

    fn unfinished_uploads_are_limited(app: App) {
        let person = app.someone();
        for _ in 0..20 {
            app.ask_for_form(&person, "image", "image/png", 10).expect(201);
        }
        app.ask_for_form(&person, "image", "image/png", 10).expect_problem(429, "too-many-uploads");
        app.ask_for_form(&app.someone(), "image", "image/png", 10).expect(201);
    }

    fn the_sweep_is_not_reached_from_outside(app: App) {
        for path in ["/internal/sweep", "/v1/uploads/internal/sweep", "/v1/uploads/../../internal/sweep"] {
            let answer = app.request("POST", path).send_unchecked();
            assert_eq!(answer.status, 404, "{path}");
        }
    }
}
