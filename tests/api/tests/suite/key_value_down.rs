//! A key-value store that fails slows the application down and breaks nothing but the opening of
//! accounts and what reads a person's key.

use api_tests::{App, Builder, Device, mobile_number, on_both_engines};
use serde_json::json;

/// More than any test here makes.
const ALL: usize = 1_000;

fn fail(app: &App) {
    app.faults().errors("key-value", ALL);
}

on_both_engines! {
    [stand_in] fn members_use_everything(app: App) {
        let person = app.someone();
        app.complete_profile(&person);
        app.set_password(&person, "长风破浪会有时1").expect(204);
        fail(&app);
        app.get("/v1/profile", &person.token).expect(200);
        app.complete_profile(&person);
        app.get(&format!("/v1/profiles/{}", person.account_id), &person.token).expect(200);
        app.get("/v1/auth/sessions", &person.token).expect(200);
        let again = app.log_in_on(&person.phone, &Device::new("b"));
        let by_password = json!({ "phone": person.phone, "password": "长风破浪会有时1" });
        app.post("/v1/auth/sessions", &by_password).expect(201);
        app.set_password(&again, "长风破浪会有时2").expect(204);
        app.request("POST", "/v1/policy/consents")
            .token(&again.token)
            .json(&json!({ "version": "2023-10-25" }))
            .expect(204);
        app.request("DELETE", "/v1/auth/sessions").token(&again.token).send().expect(204);
        app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
        let ended =
            app.request("DELETE", "/v1/auth/sessions/current").token(&again.token).send().expect(204);
        app.get("/v1/profile", &again.token).expect_problem(401, "unauthenticated");
        app.log().event("session-cache-unavailable", ended.request_id());
    }

    [stand_in] fn an_account_is_opened_later_with_the_same_code(app: App) {
        let phone = mobile_number();
        let login = App::login(&phone, &app.sms_code(&phone, "login"), &Device::new("a"));
        fail(&app);
        app.post("/v1/auth/sessions", &login).expect_problem(503, "unavailable");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM accounts"), 0);
        app.faults().clear();
        app.post("/v1/auth/sessions", &login).expect(201);
    }

    [stand_in] fn with_the_keys_in_the_database_accounts_open_too(builder: Builder) {
        let app = builder.variable("person_key_store", "sql").start();
        fail(&app);
        let person = app.someone();
        app.get("/v1/auth/sessions/current", &person.token).expect(200);
    }

    [stand_in] fn a_database_that_fails_is_a_problem_and_not_a_secret(app: App) {
        let person = app.someone();
        app.faults().errors(match app.database().engine() {
            api_tests::Engine::Sqlite => "sqlite",
            api_tests::Engine::Postgres => "postgres",
        }, ALL);
        let answer = app.get("/v1/auth/sessions", &person.token);
        assert!(matches!(answer.status, 500 | 503), "{answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("injected"));
        app.faults().clear();
        app.get("/v1/auth/sessions", &person.token).expect(200);
    }
}
