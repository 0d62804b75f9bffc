//! `POST /v1/auth/sessions`

use std::thread;

use api_tests::{
    Answer, App, Builder, Device, HOUR, MINUTE, POLICY_VERSION, Person, SECOND, mobile_number,
    on_both_engines,
};
use serde_json::{Value, json};

const PATH: &str = "/v1/auth/sessions";

/// Sends these at once.
fn at_once(app: &App, bodies: &[Value]) -> Vec<Answer> {
    thread::scope(|scope| {
        let threads: Vec<_> = bodies
            .iter()
            .map(|body| scope.spawn(|| app.post(PATH, body)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("it answers"))
            .collect()
    })
}

fn accounts(app: &App) -> i64 {
    app.database().count("SELECT COUNT(*) FROM accounts")
}

/// A code that is not this one.
fn other_than(code: &str) -> String {
    format!(
        "{:06}",
        (code.parse::<u32>().expect("digits") + 1) % 1_000_000
    )
}

on_both_engines! {
    // clause L1, L2
    fn a_new_number_opens_an_account_whose_profile_is_missing(app: App) {
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        let answer = app.post(PATH, &App::login(&phone, &code, &Device::new("a"))).expect(201);
        assert_eq!(answer.json["account"]["profile_complete"], false);
        assert_eq!(
            answer.json["account"]["missing"],
            json!(["avatar", "gender", "real_name", "company", "job_title"])
        );
        assert_eq!(answer.text("/token").len(), 43);
        let person = Person::of(&phone, &answer);
        app.complete_profile(&person);
        let again = app.log_in_on(&phone, &Device::new("a"));
        assert_eq!(again.account_id, person.account_id);
        let session = app.get("/v1/auth/sessions/current", &again.token).expect(200);
        assert_eq!(session.json["account"]["profile_complete"], true);
        assert_eq!(session.json["account"]["missing"], json!([]));
    }

    // clause G1, N1
    fn a_new_account_needs_consent_and_the_code_stays_good(app: App) {
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        let mut body = json!({ "phone": phone, "code": code });
        let refused = app.post(PATH, &body).expect_problem(403, "policy-consent-required");
        assert_eq!(refused.json["policy_version"], POLICY_VERSION);
        assert_eq!(accounts(&app), 0);
        body["policy_version"] = "2000-01-01".into();
        app.post(PATH, &body).expect_problem(403, "policy-consent-required");
        body["policy_version"] = POLICY_VERSION.into();
        app.post(PATH, &body).expect(201);
        let unconsented = "SELECT COUNT(*) FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM \
            policy_consents c WHERE c.account_id = a.id AND c.version = a.policy_version)";
        assert_eq!((accounts(&app), app.database().count(unconsented)), (1, 0));
    }

    // clause L1
    fn a_member_logs_in_without_repeating_the_consent(app: App) {
        let person = app.someone();
        let code = app.sms_code(&person.phone, "login");
        let answer = app.post(PATH, &json!({ "phone": person.phone, "code": code })).expect(201);
        assert_eq!(answer.text("/account/id"), person.account_id);
    }

    // clause L1
    fn a_code_for_another_purpose_is_nothing(app: App) {
        let phone = mobile_number();
        let code = app.sms_code(&phone, "password");
        app.post(PATH, &App::login(&phone, &code, &Device::new("a")))
            .expect_problem(401, "credentials-invalid");
    }

    fn a_code_of_another_number_is_nothing(app: App) {
        let code = app.sms_code(&mobile_number(), "login");
        app.post(PATH, &App::login(&mobile_number(), &code, &Device::new("a")))
            .expect_problem(401, "credentials-invalid");
    }

    // clause L1
    fn a_code_and_a_password_are_each_enough_and_one_is_asked_for(app: App) {
        let person = app.someone();
        app.set_password(&person, "纸上得来终觉浅1").expect(204);
        let by_password = json!({ "phone": person.phone, "password": "纸上得来终觉浅1" });
        let answer = app.post(PATH, &by_password).expect(201);
        assert_eq!(answer.text("/account/id"), person.account_id);
        for body in [
            json!({ "phone": person.phone }),
            json!({ "phone": person.phone, "code": "123456", "password": "x" }),
        ] {
            app.post(PATH, &body).expect_violations(&["code:one-of-code-password"]);
        }
    }

    fn a_wrong_password_an_unknown_number_and_no_password_answer_alike(app: App) {
        let with = app.someone();
        app.set_password(&with, "纸上得来终觉浅1").expect(204);
        let without = app.someone();
        for phone in [&with.phone, &without.phone, &mobile_number()] {
            app.post(PATH, &json!({ "phone": phone, "password": "wrong password" }))
                .expect_problem(401, "credentials-invalid");
        }
    }

    // clause L1
    fn twenty_logins_at_once_make_one_account(app: App) {
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        let body = App::login(&phone, &code, &Device::new("a"));
        let answers = at_once(&app, &vec![body; 20]);
        let tokens: Vec<_> = answers.into_iter().map(|answer| answer.expect(201).text("/token")).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]), "the same device, the same session");
        assert_eq!(accounts(&app), 1);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM sessions"), 1);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM profiles"), 1);
        app.get("/v1/auth/sessions/current", &tokens[0]).expect(200);
    }

    // clause L1
    fn one_of_two_devices_wins_a_code(app: App) {
        for _ in 0..5 {
            let phone = mobile_number();
            let code = app.sms_code(&phone, "login");
            let bodies = ["a", "b"].map(|device| App::login(&phone, &code, &Device::new(device)));
            let mut statuses: Vec<_> =
                at_once(&app, &bodies).iter().map(|answer| answer.status).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 401]);
        }
        assert_eq!(accounts(&app), 5);
    }

    [stand_in] fn the_same_device_repeats_its_code_for_a_minute(app: App) {
        app.clock().stop();
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        let body = App::login(&phone, &code, &Device::new("a"));
        let first = app.post(PATH, &body).expect(201);
        app.clock().advance(MINUTE - SECOND);
        let again = app.post(PATH, &body).expect(201);
        assert_eq!(again.text("/token"), first.text("/token"));
        assert_eq!(again.text("/account/id"), first.text("/account/id"));
        app.clock().advance(SECOND);
        app.post(PATH, &body).expect_problem(401, "credentials-invalid");
        app.get("/v1/auth/sessions/current", &first.text("/token")).expect(200);
    }

    fn nobody_repeats_a_code_without_its_device(app: App) {
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        let body = json!({ "phone": phone, "code": code, "policy_version": POLICY_VERSION });
        app.post(PATH, &body).expect(201);
        app.post(PATH, &body).expect_problem(401, "credentials-invalid");
        app.post(PATH, &App::login(&phone, &code, &Device::new("b")))
            .expect_problem(401, "credentials-invalid");
    }

    // clause L1, C1
    fn a_thousand_guesses_at_once_get_five_tries_in_all(app: App) {
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        let body = App::login(&phone, &other_than(&code), &Device::new("a"));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| for _ in 0..63 {
                    app.post(PATH, &body).expect_problem(401, "credentials-invalid");
                });
            }
        });
        assert_eq!(app.database().count("SELECT tries FROM sms_codes"), 5);
        app.post(PATH, &App::login(&phone, &code, &Device::new("a")))
            .expect_problem(401, "credentials-invalid");
        assert_eq!(accounts(&app), 0);
    }

    fn the_fifth_try_may_be_right(app: App) {
        let phone = mobile_number();
        let code = app.sms_code(&phone, "login");
        for _ in 0..4 {
            app.post(PATH, &App::login(&phone, &other_than(&code), &Device::new("a")))
                .expect_problem(401, "credentials-invalid");
        }
        for _ in 0..2 {
            app.post(PATH, &App::login(&phone, &code, &Device::new("a"))).expect(201);
        }
    }

    // clause L1
    fn an_ended_session_does_not_come_back_by_repeating_its_code(app: App) {
        let phone = mobile_number();
        let owner = app.log_in_on(&phone, &Device::new("owner"));
        for end in ["/v1/auth/sessions", "/v1/auth/sessions/current"] {
            let code = app.sms_code(&phone, "login");
            let body = App::login(&phone, &code, &Device::new("thief"));
            let thief = app.post(PATH, &body).expect(201).text("/token");
            let ending = if end == PATH { &owner.token } else { &thief };
            app.request("DELETE", end).token(ending).send().expect(204);
            app.post(PATH, &body).expect_problem(401, "credentials-invalid");
            app.get("/v1/profile", &thief).expect_problem(401, "unauthenticated");
        }
        app.get("/v1/profile", &owner.token).expect(200);
    }

    // clause L4
    fn a_device_is_recorded_with_purpose_time_and_consent_and_its_id_is_hashed(app: App) {
        let phone = mobile_number();
        app.log_in_on(&phone, &Device::new("my-device-id"));
        app.log_in_on(&phone, &Device::new("my-device-id"));
        let rows = app.database().rows("SELECT purpose, policy_version, model, device_hash FROM devices");
        let [row] = &rows[..] else { panic!("not one device: {rows:?}") };
        assert_eq!(row[0].to_string(), "account-security");
        assert_eq!(row[1].to_string(), POLICY_VERSION);
        assert_eq!(row[2].to_string(), "Pixel 9");
        assert_eq!(row[3].bytes().len(), 32);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM sessions"), 1);
    }

    // clause L4
    [stand_in] fn a_new_device_is_reported_to_the_sessions_before_it(app: App) {
        app.clock().stop();
        let phone = mobile_number();
        let old = app.log_in_on(&phone, &Device::new("old"));
        app.clock().advance(HOUR);
        let new = app.log_in_on(&phone, &Device::new("new"));
        let reported = |token: &str| {
            let session = app.get("/v1/auth/sessions/current", token).expect(200);
            session.json["new_devices"].as_array().expect("a list").len()
        };
        assert_eq!((reported(&old.token), reported(&new.token)), (1, 0));
    }

    fn a_device_replaces_its_own_session_at_once(app: App) {
        let phone = mobile_number();
        let first = app.log_in_on(&phone, &Device::new("a"));
        app.get("/v1/profile", &first.token).expect(200);
        let second = app.log_in_on(&phone, &Device::new("a"));
        app.get("/v1/profile", &first.token).expect_problem(401, "unauthenticated");
        app.get("/v1/profile", &second.token).expect(200);
    }

    fn every_fault_of_a_device_is_named(app: App) {
        let body = json!({
            "phone": mobile_number(), "code": "123456",
            "device": { "id": "", "model": "x".repeat(65), "os": "a\nb", "app_version": "1" },
        });
        app.post(PATH, &body).expect_violations(&[
            "device.id:length", "device.model:length", "device.os:characters",
        ]);
        let body = json!({ "phone": mobile_number(), "code": "1", "device": { "id": "a" } });
        app.post(PATH, &body).expect_violations(&["device.model:missing"]);
    }

    // clause C1
    fn tokens_lie_in_the_database_hashed_only(builder: Builder) {
        let app = builder.start();
        let person = app.someone();
        for (table, _) in app.database().schema() {
            for cell in app.database().rows(&format!("SELECT * FROM {table}")).iter().flatten() {
                assert!(!cell.to_string().contains(&person.token), "{table}");
            }
        }
    }
}
