//! Real-name verification through Alipay, against a stand-in that checks every signature and signs its own.

use std::thread;

use api_tests::{Answer, App, Builder, HOUR, REAL_NAME, REVIEWER, SECOND, on_both_engines};
use provider_stand_ins::alipay::{Alipay, Form};
use provider_stand_ins::{Behaviour, keys};
use serde_json::{Value, json};

use crate::identity::{
    INITIALIZE, QUERY, ask, candidate, claims, completed, id_number, read, refresh, snapshot,
    someone_who_agrees, start, start_body, started, with_alipay,
};
use crate::reviews::{decide, photo, submit_documents};

fn queries(alipay: &Alipay) -> usize {
    alipay.calls(QUERY).len()
}

fn nothing_was_stored_or_sent(app: &App, alipay: &Alipay) {
    assert_eq!(snapshot(app), Vec::<String>::new());
    assert!(alipay.calls(INITIALIZE).is_empty());
    assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
}

on_both_engines! {
    // clause E6, V4, T3
    fn a_face_is_verified_and_the_message_brings_the_news(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let number = id_number();
        let answer = ask(&app, &person, &number).expect(201);
        assert_eq!(answer.text("/status"), "pending");
        let certify_id = alipay.check_link(&answer.text("/certify_url")).expect("a link Alipay takes");
        let id = answer.text("/id");
        let [certification] = alipay.certifications().try_into().expect("one");
        assert_eq!((certification.cert_name.as_str(), &certification.cert_no), (REAL_NAME, &number));
        assert_eq!(read(&app, &person, &id)["status"], "pending");
        assert_eq!(queries(&alipay), 0, "reading asks nobody");

        alipay.pass(&certify_id);
        let answer = completed(&app, &alipay, &certify_id).expect(200);
        assert_eq!(answer.body, b"success");
        let verification = read(&app, &person, &id);
        assert_eq!(verification["status"], "passed");
        let masked = format!("{}***********{}", &number[..3], &number[14..]);
        assert_eq!(verification["subject"], json!({ "name": REAL_NAME, "number": masked }));
        let listed = app.get("/v1/verifications", &person.token).expect(200);
        assert_eq!(listed.json["items"][0]["status"], "passed");
        assert_eq!(queries(&alipay), 1);
        let sent = app.database().rows("SELECT recipient, purpose, data, basis FROM disclosures");
        let sent: Vec<_> = sent[0].iter().map(ToString::to_string).collect();
        assert_eq!(sent, ["alipay", "real-name verification", "name,identity number", "separate-consent"]);
        assert!(alipay.refusals().is_empty(), "{:?}", alipay.refusals());

        // The same again, and again: nothing is asked, nothing changes.
        let before = snapshot(&app);
        completed(&app, &alipay, &certify_id).expect(200);
        refresh(&app, &person, &id).expect(200);
        assert_eq!((snapshot(&app), queries(&alipay)), (before, 1));
        ask(&app, &person, &id_number()).expect_problem(409, "already-verified");
    }

    // clause E6
    fn keys_come_in_every_form_that_alipays_console_gives(builder: Builder) {
        let alipay = Alipay::start(crate::identity::APP_ID);
        let mut app = with_alipay(builder, &alipay).start();
        let person = candidate(&app);
        for private in [
            keys::APP_PRIVATE_PKCS8.to_owned(),
            keys::APP_PRIVATE_PKCS1.to_owned(),
            keys::bare(keys::APP_PRIVATE_PKCS8),
            keys::bare(keys::APP_PRIVATE_PKCS1),
        ] {
            for public in [keys::ALIPAY_PUBLIC.to_owned(), keys::bare(keys::ALIPAY_PUBLIC)] {
                app.restart(&[("alipay_app_private_key", &private), ("alipay_public_key", &public)]);
                let (id, certify_id) = started(&app, &alipay, &person, &id_number());
                completed(&app, &alipay, &certify_id).expect(200);
                assert_eq!(read(&app, &person, &id)["status"], "pending");
            }
        }
        assert!(alipay.refusals().is_empty(), "{:?}", alipay.refusals());
    }

    // clause E6
    [stand_in] fn a_failed_try_is_told_and_can_be_made_good(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let (id, certify_id) = started(&app, &alipay, &person, &id_number());
        for _ in 0..3 {
            completed(&app, &alipay, &certify_id).expect(200);
            assert_eq!(read(&app, &person, &id)["status"], "pending", "not passed is not failed");
        }
        alipay.fail(&certify_id, "Z5128");
        assert_eq!(refresh(&app, &person, &id).expect(200).text("/status"), "failed");
        assert_eq!(read(&app, &person, &id)["reason"], "Z5128");
        let (second, certify_id) = started(&app, &alipay, &person, &id_number());
        alipay.pass(&certify_id);
        assert_eq!(refresh(&app, &person, &second).expect(200).text("/status"), "passed");
        assert_eq!(read(&app, &person, &id)["status"], "failed");
    }

    // clause E6
    [stand_in] fn polling_asks_alipay_once_in_three_seconds(builder: Builder) {
        let (app, alipay) = start(builder);
        app.clock().stop();
        let person = candidate(&app);
        let (id, certify_id) = started(&app, &alipay, &person, &id_number());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| refresh(&app, &person, &id).expect(200));
            }
        });
        assert_eq!(queries(&alipay), 1);
        app.clock().advance(3 * SECOND);
        refresh(&app, &person, &id).expect(200);
        assert_eq!(queries(&alipay), 2);
        alipay.pass(&certify_id);
        assert_eq!(refresh(&app, &person, &id).expect(200).text("/status"), "pending");
        app.clock().advance(3 * SECOND);
        assert_eq!(refresh(&app, &person, &id).expect(200).text("/status"), "passed");
        assert_eq!(queries(&alipay), 3);
    }

    // clause E6
    [stand_in] fn after_23_hours_it_has_expired_unless_the_person_was_in_time(builder: Builder) {
        let (app, alipay) = start(builder);
        app.clock().stop();
        let advance = |by| {
            app.clock().advance(by);
            alipay.set_clock(app.clock().now_ms());
        };
        alipay.set_clock(app.clock().now_ms());
        let (late, in_time) = (candidate(&app), candidate(&app));
        let (late_id, late_certify_id) = started(&app, &alipay, &late, &id_number());
        let (in_time_id, in_time_certify_id) = started(&app, &alipay, &in_time, &id_number());
        advance(22 * HOUR);
        alipay.pass(&in_time_certify_id);
        advance(HOUR - SECOND);
        assert_eq!(read(&app, &late, &late_id)["status"], "pending");
        advance(SECOND);
        assert_eq!(read(&app, &late, &late_id)["status"], "expired");
        let listed = app.get("/v1/verifications", &late.token).expect(200);
        assert_eq!(listed.json["items"][0]["status"], "expired");

        let before = snapshot(&app);
        completed(&app, &alipay, &late_certify_id).expect_problem(503, "alipay-unavailable");
        assert_eq!(snapshot(&app), before);
        refresh(&app, &late, &late_id).expect_problem(503, "alipay-unavailable");
        assert_eq!(read(&app, &late, &late_id)["status"], "expired");

        completed(&app, &alipay, &in_time_certify_id).expect(200);
        assert_eq!(read(&app, &in_time, &in_time_id)["status"], "passed");
    }

    // clause E6, M1
    fn bad_input_is_named_all_at_once_and_changes_nothing(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let send = |body: &Value| {
            app.request("POST", "/v1/verifications/real-name").token(&person.token).json(body)
        };
        let wrong = json!({ "name": "李四", "id_number": "350203199003070010", "return_url": "https://evil.example" });
        send(&wrong).expect_violations(&["id_number:invalid", "name:mismatch", "return_url:allowed"]);
        for url in [
            "https://evil.example/verification",
            "chuangrenmai://verification@evil.example",
            "chuangrenmai://verification.evil.example",
            "chuangrenmai:///verification",
            "CHUANGRENMAI://verification",
            "chuangrenmai://verification/../x",
            "chuangrenmai://verification?next=@evil.example",
            "chuangrenmai://verification\nlocation: https://evil.example",
            "//evil.example/verification",
            "https:\\\\evil.example",
            "chuangrenmai://verification#https://evil.example",
            "javascript:alert(1)",
            "",
        ] {
            let mut body = start_body(&id_number());
            body["return_url"] = url.into();
            send(&body).expect_violations(&["return_url:allowed"]);
        }
        send(&json!({})).expect_violations(&["name:missing"]);
        // Born on 2015-03-07; the check character is right.
        send(&start_body("350203201503070013")).expect(422);
        let minor = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "X"]
            .map(|check| send(&start_body(&format!("35020320150307001{check}"))));
        let refused = minor.iter().filter(|answer| answer.problem() == Some("adults-only"));
        assert_eq!(refused.count(), 1, "one of them is a minor's number, the others are none");
        nothing_was_stored_or_sent(&app, &alipay);
    }

    // clause G1, T2
    fn without_consent_or_profile_nothing_is_stored_or_sent(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = someone_who_agrees(&app, &["document-review", "location"]);
        let refused = ask(&app, &person, &id_number()).expect_problem(403, "consent-required");
        assert_eq!(refused.json["purpose"], "real-name-verification");
        let newcomer = app.someone();
        app.consent(&newcomer, "real-name-verification", true).expect(200);
        ask(&app, &newcomer, &id_number()).expect_problem(403, "profile-incomplete");
        app.post("/v1/verifications/real-name", &start_body(&id_number()))
            .expect_problem(401, "unauthenticated");
        nothing_was_stored_or_sent(&app, &alipay);
    }

    // clause E6
    fn what_is_anothers_is_not_found(builder: Builder) {
        let (app, alipay) = start(builder);
        let (person, other) = (candidate(&app), candidate(&app));
        let (id, _) = started(&app, &alipay, &person, &id_number());
        for id in [id.as_str(), "0198c5a0-0000-7000-8000-000000000000", "x"] {
            app.get(&format!("/v1/verifications/{id}"), &other.token).expect_problem(404, "not-found");
            refresh(&app, &other, id).expect_problem(404, "not-found");
        }
        assert_eq!(queries(&alipay), 0);
    }

    // clause E6
    fn a_number_verifies_one_account_whoever_is_first(builder: Builder) {
        let (app, alipay) = start(builder);
        for round in 0..4 {
            let number = id_number();
            let people = [candidate(&app), candidate(&app)];
            let waiting = people.each_ref().map(|person| started(&app, &alipay, person, &number));
            for (_, certify_id) in &waiting {
                alipay.pass(certify_id);
            }
            thread::scope(|scope| {
                for (at, (id, certify_id)) in waiting.iter().enumerate() {
                    let (app, alipay, person) = (&app, &alipay, &people[at]);
                    scope.spawn(move || match (round + at) % 4 {
                        0 | 1 => completed(app, alipay, certify_id).expect(200),
                        _ => refresh(app, person, id).expect(200),
                    });
                }
            });
            let mut outcomes: Vec<_> = people.iter().zip(&waiting)
                .map(|(person, (id, _))| read(&app, person, id))
                .map(|verification| (verification["status"].clone(), verification["reason"].clone()))
                .collect();
            outcomes.sort_by_key(|(status, _)| status.to_string());
            assert_eq!(outcomes, [
                (json!("failed"), json!("id-number-in-use")),
                (json!("passed"), Value::Null),
            ]);
            let third = candidate(&app);
            let refused = ask(&app, &third, &number).expect_problem(409, "id-number-in-use");
            let told = refused.json.to_string();
            assert!(people.iter().all(|person| !told.contains(&person.account_id)), "{told}");
        }
    }

    // clause E6
    fn many_messages_at_once_change_it_once(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let (id, certify_id) = started(&app, &alipay, &person, &id_number());
        alipay.pass(&certify_id);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let answer = completed(&app, &alipay, &certify_id).expect(200);
                    assert_eq!(answer.body, b"success");
                });
            }
        });
        assert_eq!(read(&app, &person, &id)["status"], "passed");
        assert_eq!(claims(&app, "passed"), 1);
    }

    // clause G1, G2, R4, T2
    fn consent_withdrawn_in_between_ends_everything(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let number = id_number();
        let (id, certify_id) = started(&app, &alipay, &person, &number);
        alipay.pass(&certify_id);
        app.consent(&person, "real-name-verification", false).expect(200);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM verification_claims"), 0);
        let verification = read(&app, &person, &id);
        assert_eq!((&verification["status"], &verification["subject"]), (&json!("revoked"), &Value::Null));
        let calls = queries(&alipay);
        assert_eq!(completed(&app, &alipay, &certify_id).expect(200).body, b"success");
        assert_eq!(refresh(&app, &person, &id).expect(200).text("/status"), "revoked");
        assert_eq!(queries(&alipay), calls, "nothing more is sent");
        ask(&app, &person, &number).expect_problem(403, "consent-required");
        // The number is free for another account, also after it was verified.
        let other = candidate(&app);
        let (id, certify_id) = started(&app, &alipay, &other, &number);
        alipay.pass(&certify_id);
        completed(&app, &alipay, &certify_id).expect(200);
        app.consent(&other, "real-name-verification", false).expect(200);
        assert_eq!(read(&app, &other, &id)["status"], "revoked");
        app.consent(&person, "real-name-verification", true).expect(200);
        let (id, certify_id) = started(&app, &alipay, &person, &number);
        alipay.pass(&certify_id);
        completed(&app, &alipay, &certify_id).expect(200);
        assert_eq!(read(&app, &person, &id)["status"], "passed");
    }

    // clause E6
    fn the_name_that_is_verified_is_the_name_that_is_shown(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let rename = |name: &str| {
            app.request("PATCH", "/v1/profile").token(&person.token).json(&json!({ "real_name": name }))
        };
        let (id, certify_id) = started(&app, &alipay, &person, &id_number());
        rename("马云").expect(200);
        alipay.pass(&certify_id);
        completed(&app, &alipay, &certify_id).expect(200);
        let verification = read(&app, &person, &id);
        assert_eq!((&verification["status"], &verification["reason"]), (&json!("failed"), &json!("name-changed")));
        rename(REAL_NAME).expect(200);
        let (_, certify_id) = started(&app, &alipay, &person, &id_number());
        alipay.pass(&certify_id);
        completed(&app, &alipay, &certify_id).expect(200);
        rename("马云").expect_problem(409, "real-name-verified");
        rename(REAL_NAME).expect(200);
        app.request("PATCH", "/v1/profile").token(&person.token).json(&json!({ "motto": "厚德载物" })).expect(200);
    }

    // clause E6
    fn what_stood_in_the_way_can_go_and_the_same_link_still_counts(builder: Builder) {
        let (app, alipay) = start(builder);
        let (holder, person) = (candidate(&app), candidate(&app));
        let rename = |name: &str| {
            app.request("PATCH", "/v1/profile").token(&person.token).json(&json!({ "real_name": name }))
        };
        let number = id_number();
        let (_, holders) = started(&app, &alipay, &holder, &number);
        let (id, certify_id) = started(&app, &alipay, &person, &number);
        alipay.pass(&holders);
        alipay.pass(&certify_id);
        let reason = || {
            completed(&app, &alipay, &certify_id).expect(200);
            let verification = read(&app, &person, &id);
            assert_eq!(verification["status"], "failed");
            verification["reason"].clone()
        };
        rename("马云").expect(200);
        assert_eq!(reason(), "name-changed");
        completed(&app, &alipay, &holders).expect(200);
        rename(REAL_NAME).expect(200);
        assert_eq!(reason(), "id-number-in-use");
        app.consent(&holder, "real-name-verification", false).expect(200);
        completed(&app, &alipay, &certify_id).expect(200);
        let verification = read(&app, &person, &id);
        assert_eq!((&verification["status"], &verification["reason"]), (&json!("passed"), &Value::Null));
    }

    [stand_in] fn starts_are_limited_and_those_that_alipay_refused_do_not_count(builder: Builder) {
        let alipay = Alipay::start(crate::identity::APP_ID);
        let app = with_alipay(builder, &alipay).variable("real_name_starts_per_day", "2").start();
        app.clock().stop();
        let person = candidate(&app);
        for _ in 0..3 {
            alipay.plan(Behaviour::Refuse(200, "SYSTEM_ERROR"));
            ask(&app, &person, &id_number()).expect_problem(503, "alipay-unavailable");
        }
        for _ in 0..2 {
            ask(&app, &person, &id_number()).expect(201);
        }
        let refused = ask(&app, &person, &id_number()).expect_problem(429, "rate-limited");
        assert!(refused.retry_after() > 23 * 60 * 60);
        // One number is not tried from account to account.
        let number = id_number();
        let people = [201, 201, 429].map(|status| (candidate(&app), status));
        for (person, status) in people {
            ask(&app, &person, &number).expect(status);
        }
    }

    // clause E6
    fn an_alipay_that_is_away_broken_or_lying_loses_nothing(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let number = id_number();
        let behaviours = [
            Behaviour::Close,
            Behaviour::Refuse(500, "broken"),
            Behaviour::Refuse(200, "SYSTEM_ERROR"),
            Behaviour::Refuse(200, "isv.invalid-app-id"),
            Behaviour::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            Behaviour::Raw(b"nonsense".to_vec()),
        ];
        let forms = [
            Form::Unsigned, Form::Garbled, Form::OtherKey, Form::OtherText, Form::OtherMethod,
            Form::DoubledFirst, Form::DoubledLast, Form::ErrorResponse,
        ];
        for behaviour in &behaviours {
            alipay.plan(behaviour.clone());
            ask(&app, &person, &number).expect_problem(503, "alipay-unavailable");
        }
        for form in forms {
            alipay.plan_form(form);
            ask(&app, &person, &number).expect_problem(503, "alipay-unavailable");
        }
        assert_eq!(snapshot(&app), Vec::<String>::new());
        let (id, certify_id) = started(&app, &alipay, &person, &number);
        alipay.pass(&certify_id);
        let before = snapshot(&app);
        for behaviour in behaviours {
            alipay.plan(behaviour);
            completed(&app, &alipay, &certify_id).expect_problem(503, "alipay-unavailable");
        }
        for form in forms {
            alipay.plan_form(form);
            completed(&app, &alipay, &certify_id).expect_problem(503, "alipay-unavailable");
        }
        assert_eq!(snapshot(&app), before);
        completed(&app, &alipay, &certify_id).expect(200);
        assert_eq!(read(&app, &person, &id)["status"], "passed");
    }

    // clause E6
    fn alipay_may_write_the_same_in_other_words(builder: Builder) {
        let (app, alipay) = start(builder);
        for form in [Form::Respelled, Form::Listed] {
            let person = candidate(&app);
            alipay.plan_form(form);
            let (id, certify_id) = started(&app, &alipay, &person, &id_number());
            alipay.plan_form(form);
            completed(&app, &alipay, &certify_id).expect(200);
            assert_eq!(read(&app, &person, &id)["status"], "pending", "{form:?}");
            alipay.pass(&certify_id);
            alipay.plan_form(form);
            completed(&app, &alipay, &certify_id).expect(200);
            assert_eq!(read(&app, &person, &id)["status"], "passed", "{form:?}");
        }
    }

    // clause E6
    fn people_are_called_where_waiting_does_not_help(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        let number = id_number();
        let level = |answer: &Answer| app.log().event("problem", answer.request_id())["level"].clone();
        let ask = || ask(&app, &person, &number).expect_problem(503, "alipay-unavailable");
        for (sub_code, expected) in [
            ("SYSTEM_ERROR", "error"),
            ("aop.unknow-error", "error"),
            ("isp.unknow-error", "error"),
            ("isv.insufficient-isv-permissions", "alarm"),
            ("isv.invalid-signature", "alarm"),
            ("isv.app-call-limited", "alarm"),
            ("CERTIFY_BALANCE_NOT_ENOUGH", "alarm"),
        ] {
            alipay.plan(Behaviour::Refuse(200, sub_code));
            let answer = ask();
            assert_eq!(level(&answer), expected, "{sub_code}");
            let shown = answer.json.to_string();
            assert!(!shown.contains(sub_code), "what is wrong with us is not the person's: {shown}");
        }
        alipay.plan(Behaviour::Close);
        assert_eq!(level(&ask()), "error");
        for form in [Form::Unsigned, Form::Garbled, Form::OtherKey, Form::OtherText] {
            alipay.plan_form(form);
            assert_eq!(level(&ask()), "alarm", "{form:?}");
        }
    }

    fn without_an_account_at_alipay_nobody_is_verified_by_face(app: App) {
        let person = candidate(&app);
        let answer = ask(&app, &person, &id_number()).expect_problem(503, "alipay-unavailable");
        assert_eq!(app.log().event("problem", answer.request_id())["level"], "alarm");
        assert_eq!(snapshot(&app), Vec::<String>::new());
    }

    // clause E6
    fn an_alipay_that_hangs_or_drips_is_given_up(builder: Builder) {
        let (app, alipay) = start(builder);
        let person = candidate(&app);
        for behaviour in [Behaviour::Hang, Behaviour::Drip] {
            alipay.plan(behaviour);
            ask(&app, &person, &id_number()).expect_problem(503, "alipay-unavailable");
        }
        assert_eq!(snapshot(&app), Vec::<String>::new());
        let waiting = [candidate(&app), candidate(&app)].map(|person| {
            let (id, certify_id) = started(&app, &alipay, &person, &id_number());
            alipay.pass(&certify_id);
            (person, id, certify_id)
        });
        let before = snapshot(&app);
        thread::scope(|scope| {
            for (behaviour, (_, _, certify_id)) in [Behaviour::Hang, Behaviour::Drip].into_iter().zip(&waiting) {
                alipay.plan(behaviour);
                scope.spawn(|| {
                    completed(&app, &alipay, certify_id).expect_problem(503, "alipay-unavailable")
                });
            }
        });
        assert_eq!(snapshot(&app), before);
        for (person, id, certify_id) in &waiting {
            completed(&app, &alipay, certify_id).expect(200);
            assert_eq!(read(&app, person, id)["status"], "passed");
        }
    }

    // clause C1, T2
    [stand_in] fn the_number_is_nowhere_in_the_clear(builder: Builder) {
        let (app, alipay) = start(builder.with_operators());
        app.clock().stop();
        alipay.set_clock(app.clock().now_ms());
        let mut numbers = Vec::new();
        let mut expired = String::new();
        for outcome in ["expired", "passed", "failed", "withdrawn"] {
            let person = candidate(&app);
            let number = id_number();
            let answer = app.request("POST", "/v1/verifications/real-name")
                .token(&person.token)
                .header("idempotency-key", "once")
                .json(&start_body(&number))
                .expect(201);
            let certify_id = alipay.check_link(&answer.text("/certify_url")).expect("a link");
            match outcome {
                "passed" => alipay.pass(&certify_id),
                "failed" => alipay.fail(&certify_id, "Z5128"),
                "withdrawn" => drop(app.consent(&person, "real-name-verification", false).expect(200)),
                _ => expired.clone_from(&certify_id),
            }
            completed(&app, &alipay, &certify_id).expect(200);
            numbers.push(number);
        }
        let wrong = json!({ "name": "x", "id_number": numbers[0], "return_url": numbers[0] });
        let person = candidate(&app);
        app.request("POST", "/v1/verifications/real-name").token(&person.token).json(&wrong).expect(422);
        for outcome in ["passed", "failed"] {
            let person = someone_who_agrees(&app, &["document-review"]);
            let number = id_number();
            let photos = [photo(&app, &person, "appeal")];
            let id = submit_documents(&app, &person, &number, &photos).expect(201).text("/id");
            app.get(&format!("/v1/operator/reviews/{id}"), REVIEWER.token).expect(200);
            decide(&app, &id, outcome, Some("看过了")).expect(200);
            numbers.push(number);
        }
        app.clock().advance(24 * HOUR);
        alipay.set_clock(app.clock().now_ms());
        completed(&app, &alipay, &expired).expect_problem(503, "alipay-unavailable");
        for number in &numbers {
            let (region, born, rest) = (&number[..6], &number[6..14], &number[14..]);
            for form in [
                number.clone(),
                number.chars().rev().collect(),
                format!("{region} {born} {rest}"),
                format!("{region}-{born}-{rest}"),
                born.to_owned(),
            ] {
                crate::privacy::is_nowhere(&app, form.as_bytes());
            }
        }
    }
}
