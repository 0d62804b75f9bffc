//! `/v1/uploads`: rules, links, and the store that the application keeps itself.

use std::thread;

use api_tests::{
    ACCOUNTANT, Answer, App, Builder, Cell, DAY, MINUTE, Person, REVIEWER, SECOND, UploadForm,
    on_both_engines,
};
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

/// A form's body in three: the fields, the file, the end.
fn parts<'a>(body: &'a [u8], delimiter: &[u8]) -> [&'a [u8]; 3] {
    let starts: Vec<_> = (0..body.len())
        .filter(|at| body[*at..].starts_with(delimiter))
        .collect();
    let [.., file, end] = starts[..] else {
        panic!("a file and an end");
    };
    [&body[..file], &body[file..end], &body[end..]]
}

/// The file's part as a field of another name.
fn renamed(file: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"name=\"file\"";
    let at = file
        .windows(NAME.len())
        .position(|window| window == NAME)
        .expect("its name");
    [&file[..at], b"name=\"data\"", &file[at + NAME.len()..]].concat()
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
    fn the_turn_of_the_camera_is_all_that_stays_of_what_it_wrote(app: App) {
        let person = app.someone();
        let id = app.upload(&person, "image", "image/jpeg", &jpeg());
        let shown = shows(&app, &person, &id, "pixels");
        let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        assert!(shown.body.windows(exif.len()).any(|window| window == exif));
        let kept = shown.body.len();
        assert_eq!(app.complete_upload(&person, &id).expect(200).json["size"], kept);
    }

    // clause E18
    fn a_form_is_sent_whole_or_not_at_all(app: App) {
        let person = app.someone();
        let picture = png("pixels");
        let good = form(&app, &person, "image", "image/png", picture.len());
        let send = |media_type: &str, body: Vec<u8>| {
            app.request("POST", &format!("/v1/uploads/{}/form", good.id)).body(media_type, body).send()
        };
        let (media_type, body) = good.body(&picture);
        let delimiter = format!("--{}", media_type.split_once('=').expect("a boundary").1);
        let [fields, file, end] = parts(&body, delimiter.as_bytes());
        let renamed = [&body[..fields.len()], &renamed(file), end].concat();
        for (wrong, status, problem) in [
            ([fields, file, file, end].concat(), 403, "upload-form-invalid"),
            ([fields, end].concat(), 403, "upload-form-invalid"),
            ([file, fields, end].concat(), 403, "upload-form-invalid"),
            (renamed, 403, "upload-form-invalid"),
            ([fields, file].concat(), 400, "malformed-form"),
            (Vec::new(), 400, "malformed-form"),
        ] {
            send(&media_type, wrong).expect_problem(status, problem);
        }
        for other in ["application/json", "multipart/form-data", "multipart/mixed; boundary=x"] {
            send(other, body.clone()).expect_problem(415, "unsupported-media-type");
        }
        app.complete_upload(&person, &good.id).expect_problem(409, "upload-missing");
        assert_eq!(slots(&app), 0);
        send(&media_type, body).expect(204);
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
            app.open_link(&forged).expect_problem(403, "link-invalid");
        }
        let another = app.upload(&person, "image", "image/png", &png("another"));
        app.open_link(&url.replace(&private, &another)).expect_problem(403, "link-invalid");
        app.clock().advance(5 * MINUTE - SECOND);
        app.open_link(&url).expect(200);
        app.clock().advance(SECOND);
        app.open_link(&url).expect_problem(403, "link-invalid");
        let url = link(&app, &person.token, &private).expect(200).text("/url");
        delete(&app, &person, &private).expect(204);
        app.open_link(&url).expect_problem(404, "not-found");

        let avatar = app.upload(&person, "avatar", "image/png", &png("avatar"));
        let url = link(&app, &other.token, &avatar).expect(200).text("/url");
        // Made for one reader: a part of another's link does not fit.
        let theirs = link(&app, &person.token, &avatar).expect(200).text("/url");
        let (start, signature) = url.rsplit_once('=').expect("a signature");
        let (their_start, _) = theirs.rsplit_once('=').expect("a signature");
        assert_ne!(start, their_start);
        app.open_link(&format!("{their_start}={signature}")).expect_problem(403, "link-invalid");
        app.get(&format!("/v1/uploads/{avatar}/link"), "").expect_problem(401, "unauthenticated");
        app.clock().advance(DAY - MINUTE);
        app.open_link(&url).expect(200);
        app.clock().advance(MINUTE);
        app.open_link(&url).expect_problem(403, "link-invalid");
    }

    // clause E8
    [stand_in] fn operators_see_photos_of_open_reviews_alone(builder: Builder) {
        let app = builder.with_operators().start();
        app.clock().stop();
        let person = someone_who_agrees(&app, &["document-review"]);
        let id = app.upload(&person, "appeal", "image/png", &png("card"));
        let loose = app.upload(&person, "appeal", "image/png", &png("loose"));
        let path = format!("/v1/operator/uploads/{id}/link");
        let not_to_be_had = |path: &str| app.get(path, REVIEWER.token).expect_problem(404, "not-found");
        not_to_be_had(&path);
        app.get(&path, &person.token).expect_problem(401, "unauthenticated");
        app.get(&path, ACCOUNTANT.token).expect_problem(403, "operator-role");
        let number = crate::identity::id_number();
        let review = crate::reviews::submit_documents(&app, &person, &number, std::slice::from_ref(&id))
            .expect(201)
            .text("/id");
        let url = app.get(&path, REVIEWER.token).expect(200).text("/url");
        assert!(holds(&app.open_link(&url).expect(200).body, "card"));
        let looks = app.database().rows(&format!(
            "SELECT operator, action, happened_at FROM operator_audit WHERE subject = '{id}'"
        ));
        let now = Cell::Integer(app.clock().now_ms());
        let look = [Cell::Text(REVIEWER.name.to_owned()), Cell::Text("upload.link".to_owned()), now];
        assert_eq!(looks, [look]);
        not_to_be_had(&format!("/v1/operator/uploads/{loose}/link"));
        app.clock().advance(5 * MINUTE);
        app.open_link(&url).expect_problem(403, "link-invalid");
        let url = app.get(&path, REVIEWER.token).expect(200).text("/url");
        crate::reviews::decide(&app, &review, "passed", None).expect(200);
        not_to_be_had(&path);
        app.open_link(&url).expect_problem(404, "not-found");
    }

    // clause C1, R5
    fn without_the_persons_key_nothing_can_be_read(builder: Builder) {
        let app = builder.variable("person_key_store", "sql").start();
        let person = app.someone();
        let id = app.upload(&person, "image", "image/png", &png("sealed pixels"));
        let url = link(&app, &person.token, &id).expect(200).text("/url");
        assert!(holds(&app.open_link(&url).expect(200).body, "sealed pixels"));
        crate::privacy::is_nowhere(&app, b"sealed pixels");
        app.database().rows("DELETE FROM person_keys WHERE id IS NOT NULL RETURNING id");
        app.open_link(&url).expect_problem(500, "internal");
        delete(&app, &person, &id).expect(204);
        assert_eq!(slots(&app), 0);
    }

    // clause D2
    [stand_in] fn whatever_has_come_of_it_goes_after_a_day(app: App) {
        app.clock().stop();
        let person = app.someone();
        let picture = png("pixels");
        let open = form(&app, &person, "image", "image/png", picture.len());
        let sent = form(&app, &person, "image", "image/png", picture.len());
        app.send_form(&sent, &picture).expect(204);
        let ready = app.upload(&person, "image", "image/png", &picture);
        let avatar = app.upload(&person, "avatar", "image/png", &picture);
        let of_theirs = format!("SELECT COUNT(*) FROM uploads WHERE account_id = '{}'", person.account_id);
        app.clock().advance(DAY - SECOND);
        for _ in 0..3 {
            form(&app, &app.someone(), "image", "image/png", 10);
        }
        assert_eq!((app.database().count(&of_theirs), slots(&app)), (4, 3));
        app.clock().advance(SECOND);
        for id in [&open.id, &sent.id, &ready, &avatar] {
            link(&app, &person.token, id).expect_problem(404, "not-found");
            app.complete_upload(&person, id).expect_problem(404, "not-found");
        }
        for _ in 0..2 {
            form(&app, &app.someone(), "image", "image/png", 10);
        }
        assert_eq!((app.database().count(&of_theirs), slots(&app)), (0, 0));
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
        let open = form(&app, &person, "avatar", "image/png", png("avatar").len());
        app.send_form(&open, &png("avatar")).expect(204);
        set(&open.id).expect_violations(&["avatar:upload"]);
        delete(&app, &person, &open.id).expect(204);
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
        // Let go of, it goes like any other.
        app.request("PATCH", "/v1/profile").token(&person.token).json(&json!({ "avatar": null })).expect(200);
        sweep();
        link(&app, &person.token, &newer).expect_problem(404, "not-found");
        assert_eq!(slots(&app), 0);
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
        assert!(app.log().events("problem").iter().all(|event| event["problem"] == "upload-storage-full"));
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

    // clause E18
    fn sixteen_at_once_each_have_a_slot(app: App) {
        let people: Vec<_> = (0..16).map(|_| app.someone()).collect();
        let ids: Vec<_> = thread::scope(|scope| {
            let app = &app;
            let sending: Vec<_> = people.iter().enumerate().map(|(nth, person)| {
                scope.spawn(move || app.upload(person, "image", "image/png", &png(&format!("picture-{nth:02}"))))
            }).collect();
            sending.into_iter().map(|one| one.join().expect("it is stored")).collect()
        });
        assert_eq!(slots(&app), 16);
        assert_eq!(app.database().count("SELECT COUNT(DISTINCT slot) FROM uploads"), 16);
        for (nth, (person, id)) in people.iter().zip(&ids).enumerate() {
            shows(&app, person, id, &format!("picture-{nth:02}"));
        }
    }

    // clause E18
    [stand_in] fn a_full_store_takes_files_again_after_a_sweep(builder: Builder) {
        let app = builder.variable("upload_slots", "2").start();
        app.clock().stop();
        let person = app.someone();
        let picture = png("pixels");
        for _ in 0..2 {
            app.upload(&person, "image", "image/png", &picture);
        }
        let waiting = form(&app, &person, "image", "image/png", picture.len());
        app.send_form(&waiting, &picture).expect_problem(503, "upload-storage-full").retry_after();
        assert_eq!(slots(&app), 2);
        app.clock().advance(DAY);
        let waiting = form(&app, &app.someone(), "image", "image/png", picture.len());
        assert_eq!(slots(&app), 0);
        app.send_form(&waiting, &picture).expect(204);
    }

    // clause R4, D2
    [stand_in] fn one_that_cannot_be_deleted_is_in_no_others_way(builder: Builder) {
        let app = builder.with_internal("/internal/sweep", "uploads").start();
        app.clock().stop();
        let person = app.someone();
        let sweep = || {
            let call = app.request("POST", "/internal/sweep");
            call.body("application/json", "{}").send_unchecked()
        };
        let let_expire = |number: usize| {
            for nth in 0..number {
                app.upload(&person, "image", "image/png", &png(&format!("picture-{nth}")));
            }
            app.clock().advance(DAY);
        };
        let_expire(3);
        // After the store was opened, the first that is deleted fails.
        app.faults().error("key-value", 2);
        assert_eq!(sweep().status, 503);
        app.faults().clear();
        assert_eq!(slots(&app), 1);
        // It is left alone for a while.
        assert_eq!(sweep().expect(200).json, json!({ "done": 0, "more": false }));
        app.clock().advance(5 * MINUTE);
        assert_eq!(sweep().expect(200).json, json!({ "done": 1, "more": false }));
        assert_eq!(slots(&app), 0);

        // A store that is away is not asked for each of them.
        let_expire(5);
        app.faults().errors("key-value", 100);
        assert_eq!(sweep().status, 503);
        assert_eq!(app.faults().calls().iter().filter(|call| call.capability == "key-value").count(), 3);
        app.faults().clear();
        assert_eq!(sweep().expect(200).json, json!({ "done": 2, "more": false }));
        app.clock().advance(5 * MINUTE);
        assert_eq!(sweep().expect(200).json, json!({ "done": 3, "more": false }));
        assert_eq!(slots(&app), 0);
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
