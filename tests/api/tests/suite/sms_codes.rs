//! `POST /v1/auth/sms-codes`

use api_tests::{App, Device, MINUTE, SECOND, mobile_number, on_both_engines};
use serde_json::json;

const PATH: &str = "/v1/auth/sms-codes";

on_both_engines! {
    // clause L1
    fn a_code_is_sent_and_the_answer_says_how_long_it_lives(app: App) {
        let body = json!({ "phone": mobile_number(), "purpose": "login" });
        let answer = app.post(PATH, &body).expect(202);
        assert_eq!(answer.json, json!({ "expires_in": 300, "resend_after": 60 }));
        let code = app.code_in_log(&answer);
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    }

    // clause L1
    fn the_answer_does_not_tell_whether_there_is_an_account(app: App) {
        let member = app.someone();
        let answers = [member.phone.as_str(), &mobile_number()].map(|phone| {
            app.sms_code(phone, "password");
            app.database().rows("DELETE FROM rate_limits WHERE taken >= 0 RETURNING taken");
            app.post(PATH, &json!({ "phone": phone, "purpose": "password" })).expect(202).json
        });
        assert_eq!(answers[0], answers[1]);
    }

    // clause L1
    fn the_forms_that_people_type_are_one_number(app: App) {
        let national = &mobile_number()[3..];
        let (a, b, c) = (&national[..3], &national[3..7], &national[7..]);
        app.post(PATH, &json!({ "phone": national, "purpose": "login" })).expect(202);
        for typed in [
            format!("+86{national}"),
            format!("+86 {a} {b} {c}"),
            format!("{a}-{b}-{c}"),
            format!("0086{national}"),
        ] {
            app.post(PATH, &json!({ "phone": typed, "purpose": "login" }))
                .expect_problem(429, "rate-limited");
        }
    }

    fn other_numbers_are_refused_and_cost_nothing(app: App) {
        for phone in ["", "+85291234567", "02161234567", "12800138000", "1380013800", "+1 415 555 0100"] {
            app.post(PATH, &json!({ "phone": phone, "purpose": "login" }))
                .expect_problem(422, "phone-invalid");
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM rate_limits"), 0);
    }

    fn the_shape_is_checked(app: App) {
        app.post(PATH, &json!({ "phone": "13800138000" })).expect_violations(&["purpose:missing"]);
        app.post(PATH, &json!({ "phone": "13800138000", "purpose": "x" }))
            .expect_violations(&["purpose:invalid"]);
        app.post(PATH, &json!({ "phone": "13800138000", "purpose": "login", "x": 1 }))
            .expect_violations(&["x:unknown"]);
    }

    // clause L1
    [stand_in] fn a_code_lives_five_minutes(app: App) {
        app.clock().stop();
        let (early, late) = (mobile_number(), mobile_number());
        let codes = [&early, &late].map(|phone| app.sms_code(phone, "login"));
        let device = Device::new("a");
        app.clock().advance(5 * MINUTE - SECOND);
        app.post("/v1/auth/sessions", &App::login(&early, &codes[0], &device)).expect(201);
        app.clock().advance(SECOND);
        app.post("/v1/auth/sessions", &App::login(&late, &codes[1], &device))
            .expect_problem(401, "credentials-invalid");
    }

    fn a_newer_code_voids_the_older_one(app: App) {
        let phone = mobile_number();
        let old = app.sms_code(&phone, "login");
        let new = app.sms_code(&phone, "login");
        let device = Device::new("a");
        if old != new {
            app.post("/v1/auth/sessions", &App::login(&phone, &old, &device))
                .expect_problem(401, "credentials-invalid");
        }
        app.post("/v1/auth/sessions", &App::login(&phone, &new, &device)).expect(201);
    }

    // clause C1
    fn codes_lie_in_the_database_as_keyed_hashes_only(app: App) {
        let code = app.sms_code(&mobile_number(), "login");
        let rows = app.database().rows("SELECT * FROM sms_codes");
        assert_eq!(rows.len(), 1);
        for cell in rows.iter().flatten() {
            let bytes = cell.bytes();
            assert!(!bytes.windows(6).any(|window| window == code.as_bytes()), "{cell:?}");
        }
    }
}
