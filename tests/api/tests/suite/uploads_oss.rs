//! `/v1/uploads` with Alibaba Cloud OSS, against a stand-in that checks every signature and policy.

use std::thread;

use api_tests::{App, Builder, HOUR, MINUTE, Person, UploadForm, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::oss::Oss;

use crate::identity::someone_who_agrees;
use crate::pictures::{jpeg, png, tells};
use crate::uploads::form;

const KEY_ID: &str = "LTAI-test-key-id";
const SECRET: &str = "test-secret-with+sign/and=more";

/// An application with a bucket.
pub fn start(builder: Builder) -> (App, Oss) {
    let oss = Oss::start(KEY_ID, SECRET, "cn-hangzhou");
    let app = builder
        .variable("oss_host", oss.url())
        .variable("oss_region", "cn-hangzhou")
        .variable("oss_access_key_id", KEY_ID)
        .variable("oss_access_key_secret", SECRET)
        .start();
    (app, oss)
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

/// Sends the form to the bucket, as the app does; the status.
pub fn send(form: &UploadForm, file: &[u8]) -> u16 {
    let (media_type, body) = form.body(file);
    let answer = agent()
        .post(&form.url)
        .header("content-type", media_type)
        .send(&body[..]);
    answer.expect("an answer").status().as_u16()
}

/// Opens a link to the bucket.
pub fn read(url: &str) -> (u16, Vec<u8>) {
    let mut answer = agent().get(url).call().expect("an answer");
    (
        answer.status().as_u16(),
        answer.body_mut().read_to_vec().expect("a body"),
    )
}

fn link(app: &App, person: &Person, id: &str) -> String {
    app.get(&format!("/v1/uploads/{id}/link"), &person.token)
        .expect(200)
        .text("/url")
}

/// A voice message.
pub fn voice() -> Vec<u8> {
    [&b"#!AMR\n"[..], &[7; 500]].concat()
}

on_both_engines! {
    // clause E18, C1
    fn a_picture_goes_to_the_bucket_and_loses_what_it_tells(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        for (content_type, picture) in [("image/jpeg", jpeg()), ("image/png", png("pixels"))] {
            let form = form(&app, &person, "image", content_type, picture.len());
            app.complete_upload(&person, &form.id).expect_problem(409, "upload-missing");
            assert_eq!(send(&form, &picture), 204);
            app.get(&format!("/v1/uploads/{}/link", form.id), &person.token).expect_problem(404, "not-found");
            app.complete_upload(&person, &form.id).expect(200);
            app.complete_upload(&person, &form.id).expect(200);
            let (status, shown) = read(&link(&app, &person, &form.id));
            assert_eq!(status, 200);
            assert!(!tells(&shown) && shown.windows(6).any(|window| window == b"pixels"));
        }
        let objects = oss.objects();
        assert_eq!(objects.len(), 2, "what came is gone");
        assert!(objects.values().all(|object| !tells(&object.bytes) && !object.is_public()));
        assert!(objects.values().all(|object| object.encryption.as_deref() == Some("AES256")));
        assert_eq!(oss.refusals(), ["NoSuchKey", "NoSuchKey"], "asked for before it came");
    }

    // clause T3, R5
    fn what_goes_to_the_bucket_is_recorded_and_nobody_need_be_told_to_delete_it(builder: Builder) {
        let (app, oss) = start(builder.variable("deletion_grace_days", "0").without_limits());
        let person = app.someone();
        let form = form(&app, &person, "voice", "audio/amr", voice().len());
        let told = app.all_pages(&person, "/v1/account/disclosures");
        assert_eq!(told.len(), 1);
        for (member, value) in [
            ("recipient", "aliyun-oss"), ("purpose", "storing uploads"), ("basis", "consent"), ("reference", form.id.as_str()),
        ] {
            assert_eq!(told[0][member], value);
        }
        assert_eq!(told[0]["data"], serde_json::json!(["uploaded file"]));
        assert_eq!(send(&form, &voice()), 204);
        app.complete_upload(&person, &form.id).expect(200);
        crate::deletion::ask(&app, &person, false).expect(202);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM recipient_notices"), 0);
        assert!(oss.objects().is_empty());
    }

    // clause T3
    fn what_stays_with_us_is_no_disclosure(app: App) {
        let person = app.someone();
        app.upload(&person, "image", "image/png", &png("pixels"));
        assert_eq!(app.all_pages(&person, "/v1/account/disclosures"), Vec::<serde_json::Value>::new());
    }

    // clause E19
    fn a_voice_is_copied_as_it_was_checked(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        let form = form(&app, &person, "voice", "audio/amr", voice().len());
        assert_eq!(send(&form, &voice()), 204);
        app.complete_upload(&person, &form.id).expect(200);
        assert_eq!(read(&link(&app, &person, &form.id)), (200, voice()));
        assert_eq!(oss.objects().len(), 1);
        assert!(oss.refusals().is_empty(), "{:?}", oss.refusals());
    }

    // clause E18, C1
    fn the_form_allows_what_was_signed_and_once(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        let picture = png("pixels");
        let good = form(&app, &person, "image", "image/png", picture.len());
        for (name, value) in [
            ("key", "other"),
            ("Content-Type", "text/html"),
            ("x-oss-object-acl", "public-read"),
            ("x-oss-forbid-overwrite", "false"),
            ("x-oss-server-side-encryption", "KMS"),
            ("policy", "e30="),
            ("x-oss-signature", "00"),
        ] {
            assert!(send(&good.clone().with(name, value), &picture) >= 400, "{name}");
            assert!(send(&good.clone().without(name), &picture) >= 400, "{name}");
        }
        assert!(send(&good, &[&picture[..], b"x"].concat()) >= 400);
        assert!(send(&good, &picture[1..]) >= 400);
        assert!(oss.objects().is_empty());
        assert_eq!(send(&good, &picture), 204);
        assert_eq!(send(&good, &png("Pixels")), 409);
        app.complete_upload(&person, &good.id).expect(200);
        // The first object is gone, so the form writes again: but nobody ever reads that one.
        send(&good, &png("Pixels"));
        let (_, shown) = read(&link(&app, &person, &good.id));
        assert!(shown.windows(6).any(|window| window == b"pixels"));
    }

    // clause E18
    fn each_kind_has_its_size_in_the_bucket(builder: Builder) {
        let (app, _oss) = start(builder);
        let person = someone_who_agrees(&app, &["enterprise-verification", "document-review"]);
        for (kind, content_type, most) in [
            ("avatar", "image/webp", 5_000_000),
            ("voice", "audio/mpeg", 5_000_000),
            ("image", "image/png", 10_000_000),
            ("business-card", "image/jpeg", 10_000_000),
            ("licence", "image/jpeg", 10_000_000),
            ("appeal", "image/jpeg", 10_000_000),
            ("video", "video/mp4", 200_000_000),
        ] {
            app.ask_for_form(&person, kind, content_type, most).expect(201);
            app.ask_for_form(&person, kind, content_type, most + 1).expect_violations(&["size:range"]);
        }
    }

    // clause E18
    fn a_picture_of_megabytes_is_stripped(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        let picture = png(&"pixels ".repeat(600_000));
        let form = form(&app, &person, "image", "image/png", picture.len());
        assert_eq!(send(&form, &picture), 204);
        app.complete_upload(&person, &form.id).expect(200);
        let (status, shown) = read(&link(&app, &person, &form.id));
        assert_eq!(status, 200);
        assert!(!tells(&shown) && shown.len() > 4_000_000);
        assert!(oss.refusals().is_empty(), "{:?}", oss.refusals());
    }

    // clause E18
    fn a_bucket_that_lies_is_not_believed(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        let ask = |lie: &str| {
            let form = form(&app, &person, "voice", "audio/amr", voice().len());
            assert_eq!(send(&form, &voice()), 204);
            oss.plan(Behaviour::Raw(lie.replace('\n', "\r\n").into_bytes()));
            (app.complete_upload(&person, &form.id), form)
        };
        let head = "HTTP/1.1 206 Partial Content\netag: \"E\"\ncontent-type: audio/amr\nconnection: close\n";
        for (lie, which) in [
            (format!("{head}content-range: bytes 0-5/505\ncontent-length: 6\n\n#!AMR\t"), "size"),
            (format!("{head}content-range: bytes 0-5/*\ncontent-length: 6\n\n#!AMR\t"), "size"),
            (format!("{head}content-range: bytes 0-5/506\ncontent-length: 6\n\n<html>"), "content"),
            (head.replace("audio/amr", "text/html") + "content-range: bytes 0-5/506\ncontent-length: 6\n\n#!AMR\t", "type"),
        ] {
            let (answer, form) = ask(&lie);
            assert_eq!(answer.expect_problem(422, "upload-mismatch").json["which"], which, "{lie}");
            app.complete_upload(&person, &form.id).expect_problem(404, "not-found");
            assert!(oss.objects().is_empty());
        }
    }

    // clause E18
    fn bytes_other_than_those_that_were_looked_at_are_not_copied(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        let form = form(&app, &person, "voice", "audio/amr", voice().len());
        assert_eq!(send(&form, &voice()), 204);
        let head = "HTTP/1.1 206 Partial Content\r\netag: \"E\"\r\ncontent-type: audio/amr\r\n\
             content-range: bytes 0-31/506\r\ncontent-length: 32\r\nconnection: close\r\n\r\n";
        oss.plan(Behaviour::Raw([head.as_bytes(), &voice()[..32]].concat()));
        app.complete_upload(&person, &form.id).expect_problem(503, "upload-storage-unavailable");
        assert_eq!(oss.refusals(), ["PreconditionFailed"]);
        app.complete_upload(&person, &form.id).expect(200);
        assert_eq!(read(&link(&app, &person, &form.id)), (200, voice()));
    }

    // clause E18
    fn a_bucket_that_never_answers_loses_nothing(builder: Builder) {
        let (app, oss) = start(builder);
        let forms: Vec<_> = [Behaviour::Hang, Behaviour::Drip].into_iter().map(|behaviour| {
            let person = app.someone();
            let form = form(&app, &person, "voice", "audio/amr", voice().len());
            assert_eq!(send(&form, &voice()), 204);
            (behaviour, person, form)
        }).collect();
        for (behaviour, ..) in &forms {
            oss.plan(behaviour.clone());
        }
        // Both at once: each takes as long as the application waits.
        thread::scope(|scope| {
            for (_, person, form) in &forms {
                scope.spawn(|| {
                    app.complete_upload(person, &form.id).expect_problem(503, "upload-storage-unavailable");
                });
            }
        });
        for (_, person, form) in &forms {
            app.complete_upload(person, &form.id).expect(200);
            assert_eq!(read(&link(&app, person, &form.id)), (200, voice()));
        }
    }

    // clause R4, E18
    [stand_in] fn what_cannot_be_deleted_now_is_deleted_by_a_later_sweep(builder: Builder) {
        let (app, oss) = start(builder);
        app.clock().stop();
        let person = app.someone();
        let form = form(&app, &person, "voice", "audio/amr", voice().len());
        assert_eq!(send(&form, &voice()), 204);
        app.complete_upload(&person, &form.id).expect(200);
        oss.plan(Behaviour::Refuse(503, "ServiceUnavailable"));
        let path = format!("/v1/uploads/{}", form.id);
        let deleted = app.request("DELETE", &path).token(&person.token).send().expect(204);
        app.log().event("upload-not-removed", deleted.request_id());
        app.get(&format!("{path}/link"), &person.token).expect_problem(404, "not-found");
        assert_eq!(oss.objects().len(), 1);
        oss.plan(Behaviour::Close);
        let asked = app.ask_for_form(&person, "voice", "audio/amr", 10).expect(201);
        app.log().event("uploads-not-swept", asked.request_id());
        app.clock().advance(5 * MINUTE);
        app.ask_for_form(&person, "voice", "audio/amr", 10).expect(201);
        assert!(oss.objects().is_empty());
    }

    // clause E18
    fn what_is_not_what_it_says_is_discarded(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        for (kind, content_type, file) in [
            ("image", "image/png", vec![b'x'; 100]),
            ("image", "image/jpeg", png("pixels")),
            ("voice", "audio/amr", vec![b'x'; 100]),
        ] {
            let form = form(&app, &person, kind, content_type, file.len());
            assert_eq!(send(&form, &file), 204);
            app.complete_upload(&person, &form.id).expect_problem(422, "upload-mismatch");
            app.complete_upload(&person, &form.id).expect_problem(404, "not-found");
            assert!(oss.objects().is_empty());
        }
    }

    // clause E18
    fn a_store_that_is_away_loses_nothing(builder: Builder) {
        let (app, oss) = start(builder);
        let person = app.someone();
        let picture = png("pixels");
        let form = form(&app, &person, "image", "image/png", picture.len());
        assert_eq!(send(&form, &picture), 204);
        for behaviour in [
            Behaviour::Close,
            Behaviour::Refuse(500, "InternalError"),
            Behaviour::Refuse(403, "AccessDenied"),
            Behaviour::Raw(b"nonsense".to_vec()),
        ] {
            oss.plan(behaviour);
            app.complete_upload(&person, &form.id).expect_problem(503, "upload-storage-unavailable");
        }
        app.complete_upload(&person, &form.id).expect(200);
        assert_eq!(read(&link(&app, &person, &form.id)).0, 200);
    }

    // clause R4, E18
    [stand_in] fn what_is_discarded_leaves_the_bucket_and_links_end(builder: Builder) {
        let (app, oss) = start(builder);
        app.clock().stop();
        oss.set_clock(app.clock().now_ms());
        let person = someone_who_agrees(&app, &["enterprise-verification"]);
        let picture = png("licence");
        let form = form(&app, &person, "licence", "image/png", picture.len());
        assert_eq!(send(&form, &picture), 204);
        app.complete_upload(&person, &form.id).expect(200);
        let url = link(&app, &person, &form.id);
        oss.set_clock(app.clock().now_ms() + 4 * 60 * 1000);
        assert_eq!(read(&url).0, 200);
        oss.set_clock(app.clock().now_ms() + 5 * 60 * 1000 + 1000);
        assert_eq!(read(&url).0, 403);
        oss.set_clock(app.clock().now_ms());
        app.consent(&person, "enterprise-verification", false).expect(200);
        assert!(oss.objects().is_empty());
        // The form could still write: what it writes goes, too, and then the row.
        assert_eq!(send(&form, &picture), 204);
        app.clock().advance(HOUR);
        oss.set_clock(app.clock().now_ms());
        app.ask_for_form(&person, "image", "image/png", 10).expect(201);
        assert!(oss.objects().is_empty());
        assert_eq!(app.database().count("SELECT COUNT(*) FROM uploads"), 1);
    }
}
