//! Each person's data key, in either of its places.

use api_tests::{App, Builder, on_both_engines};

const CURRENT: &str = "/v1/auth/sessions/current";

fn person_keys(app: &App) -> usize {
    app.key_value()
        .iter()
        .filter(|(key, _)| key.starts_with("person-key:"))
        .count()
}

fn rows(app: &App) -> i64 {
    app.database().count("SELECT COUNT(*) FROM person_keys")
}

on_both_engines! {
    // clause C1, R8
    fn by_default_it_lies_apart_from_the_database(app: App) {
        let person = app.someone();
        assert_eq!((person_keys(&app), rows(&app)), (1, 0));
        app.get(CURRENT, &person.token).expect(200);
    }

    // clause C1
    fn on_a_host_with_few_keys_it_lies_in_the_database(builder: Builder) {
        let app = builder.variable("person_key_store", "sql").start();
        let person = app.someone();
        assert_eq!((person_keys(&app), rows(&app)), (0, 1));
        app.get(CURRENT, &person.token).expect(200);
    }

    // clause C1, R5
    fn without_the_key_the_number_cannot_be_read(builder: Builder) {
        let app = builder.variable("person_key_store", "sql").start();
        let person = app.someone();
        app.get(CURRENT, &person.token).expect(200);
        app.database().rows("DELETE FROM person_keys WHERE id IS NOT NULL RETURNING id");
        app.get(CURRENT, &person.token).expect_problem(500, "internal");
        app.get("/v1/profile", &person.token).expect(200);
    }

    // clause C1
    fn another_application_key_opens_nothing(app: App) {
        let person = app.someone();
        app.restart(&[("application_key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]);
        app.get(CURRENT, &person.token).expect_problem(500, "internal");
    }

    // clause C1
    fn a_sealed_number_moved_to_another_row_does_not_open(app: App) {
        let (one, other) = (app.someone(), app.someone());
        app.database().rows(&format!(
            "UPDATE accounts SET phone = (SELECT b.phone FROM accounts b WHERE b.id = '{}'), \
               person_key_id = (SELECT b.person_key_id FROM accounts b WHERE b.id = '{0}') \
             WHERE id = '{}' RETURNING id", one.account_id, other.account_id
        ));
        app.get(CURRENT, &one.token).expect(200);
        app.get(CURRENT, &other.token).expect_problem(500, "internal");
    }

    fn a_place_that_is_none_is_refused(builder: Builder) {
        let app = builder.variable("person_key_store", "disk").start();
        let phone = api_tests::mobile_number();
        let code = app.sms_code(&phone, "login");
        let login = App::login(&phone, &code, &api_tests::Device::new("a"));
        app.post("/v1/auth/sessions", &login).expect_problem(500, "internal");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM accounts"), 0);
    }
}
