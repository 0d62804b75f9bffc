//! What holds for every request: paths, methods, media types, sizes.

use api_tests::{App, on_both_engines};
use serde_json::json;

const CODES: &str = "/v1/auth/sms-codes";

on_both_engines! {
    fn an_unknown_path_is_a_problem(app: App) {
        for path in ["/", "/v1", "/v1/auth", "/v1/auth/sessions/", "/v2/profile", "/v1/profile/x", "/favicon.ico"] {
            app.request("GET", path).send().expect_problem(404, "not-found");
        }
    }

    fn another_method_is_told_which_are_allowed(app: App) {
        for (method, path, allow) in [
            ("GET", CODES, "POST"),
            ("PUT", "/v1/auth/sessions", "POST, GET, DELETE"),
            ("POST", "/v1/profile", "GET, PATCH"),
            ("DELETE", "/v1/health", "GET"),
            ("POST", "/v1/openapi.json", "GET"),
        ] {
            let answer = app.request(method, path).send().expect_problem(405, "method-not-allowed");
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        }
    }

    fn what_is_no_json_is_refused_and_not_repeated(app: App) {
        for body in ["", "{", "[1,", "{\"phone\":}", "\u{0}", "nul"] {
            app.request("POST", CODES)
                .body("application/json", body)
                .send()
                .expect_problem(400, "malformed-json");
        }
        let answer = app.request("POST", CODES)
            .body("application/json", "{\"phone\":\"13800138000\"")
            .send()
            .expect(400);
        assert!(!String::from_utf8_lossy(&answer.body).contains("13800138000"));
    }

    fn json_of_another_shape_is_named(app: App) {
        for body in [json!([]), json!(null), json!(1), json!("x")] {
            app.post(CODES, &body).expect_problem(422, "invalid-fields");
        }
        app.post(CODES, &json!({ "phone": 13_800_138_000_i64, "purpose": "login" }))
            .expect_violations(&["phone:invalid"]);
    }

    fn another_media_type_is_refused(app: App) {
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
            let body = json!({ "phone": "13800138000", "purpose": "login" }).to_string();
            app.request("POST", CODES)
                .body(media_type, body)
                .send()
                .expect_problem(415, "unsupported-media-type");
        }
        let body = json!({ "phone": "13800138000", "purpose": "login" }).to_string();
        app.request("POST", CODES).body("Application/JSON; charset=utf-8", body).send().expect(202);
    }

    fn a_body_has_a_limit(app: App) {
        let padded = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
        app.request("POST", CODES)
            .body("application/json", padded(64 * 1024))
            .send()
            .expect_problem(422, "invalid-fields");
        let answer = app.request("POST", CODES)
            .body("application/json", padded(64 * 1024 + 1))
            .send()
            .expect_problem(413, "body-too-large");
        assert_eq!(answer.json["limit_bytes"], 64 * 1024);
    }

    fn health_tells_that_the_application_is_ready(app: App) {
        let answer = app.request("GET", "/v1/health").send().expect(200);
        assert_eq!(answer.text("/status"), "ok");
    }

    fn health_tells_that_the_schema_is_another(app: App) {
        app.database().rows("DELETE FROM schema_migrations WHERE version > 0 RETURNING version");
        app.request("GET", "/v1/health").send().expect_problem(503, "not-ready");
    }
}
