//! `PUT /v1/auth/password`

use api_tests::{App, Builder, Device, HOUR, mobile_number, on_both_engines};
use serde_json::json;

const PASSWORD: &str = "长风破浪会有时";
const SESSIONS: &str = "/v1/auth/sessions";

on_both_engines! {
    // clause L1, C1
    fn a_password_is_set_and_kept_as_argon2id(app: App) {
        let person = app.someone();
        app.set_password(&person, "长风破浪会有时1").expect(204);
        let rows = app.database().rows("SELECT password_hash FROM accounts");
        assert!(rows[0][0].to_string().starts_with("$argon2id$"));
        app.post(SESSIONS, &json!({ "phone": person.phone, "password": "长风破浪会有时1" })).expect(201);
    }

    fn short_long_and_common_ones_are_refused_and_cost_no_code(app: App) {
        let person = app.someone();
        let code = app.sms_code(&person.phone, "password");
        let set = |password: &str| {
            app.request("PUT", "/v1/auth/password")
                .token(&person.token)
                .json(&json!({ "password": password, "code": code }))
        };
        set(PASSWORD).expect_violations(&["password:length"]);
        set(&"长".repeat(129)).expect_violations(&["password:length"]);
        set("Password1").expect_violations(&["password:common"]);
        set(&"长".repeat(128)).expect(204);
    }

    fn it_needs_a_fresh_code_for_this_purpose(app: App) {
        let person = app.someone();
        let login = app.sms_code(&person.phone, "login");
        for code in [login.as_str(), "", "abc"] {
            app.request("PUT", "/v1/auth/password")
                .token(&person.token)
                .json(&json!({ "password": "长风破浪会有时1", "code": code }))
                .expect_problem(401, "credentials-invalid");
        }
    }

    fn the_other_sessions_end(app: App) {
        let phone = mobile_number();
        let other = app.log_in_on(&phone, &Device::new("a"));
        let setting = app.log_in_on(&phone, &Device::new("b"));
        app.get("/v1/profile", &other.token).expect(200);
        app.set_password(&setting, "长风破浪会有时1").expect(204);
        app.get("/v1/profile", &other.token).expect_problem(401, "unauthenticated");
        app.get("/v1/profile", &setting.token).expect(200);
    }

    fn without_a_session_nothing_is_set(app: App) {
        app.request("PUT", "/v1/auth/password")
            .json(&json!({ "password": "长风破浪会有时1", "code": "123456" }))
            .expect_problem(401, "unauthenticated");
    }

    // clause C1
    [stand_in] fn ten_wrong_passwords_an_hour_and_no_more(app: App) {
        app.clock().stop();
        let person = app.someone();
        app.set_password(&person, "长风破浪会有时1").expect(204);
        let wrong = json!({ "phone": person.phone, "password": "wrong password" });
        let right = json!({ "phone": person.phone, "password": "长风破浪会有时1" });
        for _ in 0..10 {
            app.post(SESSIONS, &wrong).expect_problem(401, "credentials-invalid");
        }
        app.post(SESSIONS, &right).expect_problem(429, "rate-limited");
        app.clock().advance(HOUR);
        // Right ones are given back.
        for _ in 0..12 {
            app.post(SESSIONS, &right).expect(201);
        }
    }

    // clause C1
    [stand_in] fn an_address_has_its_own_limit_whatever_the_number(builder: Builder) {
        let app = builder.variable("password_tries_per_address_hour", "3").start();
        app.clock().stop();
        let attempt = || {
            app.post(SESSIONS, &json!({ "phone": mobile_number(), "password": "wrong password" }))
        };
        for _ in 0..3 {
            attempt().expect_problem(401, "credentials-invalid");
        }
        assert_eq!(attempt().expect_problem(429, "rate-limited").retry_after(), HOUR.as_secs());
        app.clock().advance(HOUR);
        attempt().expect_problem(401, "credentials-invalid");
    }
}
