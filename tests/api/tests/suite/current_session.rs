//! `/v1/auth/sessions/current`

use api_tests::{App, DAY, MINUTE, SECOND, on_both_engines};

const PATH: &str = "/v1/auth/sessions/current";

on_both_engines! {
    // clause R1
    fn the_owner_sees_the_number_with_its_middle_hidden(app: App) {
        let person = app.someone();
        let answer = app.get(PATH, &person.token).expect(200);
        let national = &person.phone[3..];
        assert_eq!(answer.text("/phone"), format!("{}****{}", &national[..3], &national[7..]));
        assert_eq!(answer.text("/account/id"), person.account_id);
    }

    // clause R5
    fn logging_out_ends_the_session_at_once_also_in_the_cache(app: App) {
        let person = app.someone();
        app.get("/v1/profile", &person.token).expect(200);
        app.request("DELETE", PATH).token(&person.token).send().expect(204);
        for path in [PATH, "/v1/profile"] {
            app.get(path, &person.token).expect_problem(401, "unauthenticated");
        }
        app.request("DELETE", PATH).token(&person.token).send().expect_problem(401, "unauthenticated");
    }

    fn without_a_good_token_nobody_comes_in(app: App) {
        app.request("GET", PATH).send().expect_problem(401, "unauthenticated");
        let unknown = "A".repeat(43);
        for authorization in ["Bearer", "Bearer x", "Basic eDp5", &format!("Bearer {unknown}")] {
            app.request("GET", PATH)
                .header("authorization", authorization)
                .send()
                .expect_problem(401, "unauthenticated");
        }
    }

    [stand_in] fn a_session_lives_thirty_days_after_the_last_day_of_use(app: App) {
        app.clock().stop();
        let person = app.someone();
        app.clock().advance(29 * DAY);
        app.get("/v1/profile", &person.token).expect(200);
        app.clock().advance(30 * DAY - SECOND);
        app.get("/v1/profile", &person.token).expect(200);
        app.clock().advance(30 * DAY);
        app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
    }

    [stand_in] fn the_last_use_is_written_once_a_day(app: App) {
        // Noon in China, so that no test run crosses its midnight.
        app.clock().set(1_900_000_000_000 / 86_400_000 * 86_400_000 + 4 * 3_600_000);
        let person = app.someone();
        let ends = || app.database().count("SELECT expires_at FROM sessions");
        let first = ends();
        app.clock().advance(2 * MINUTE);
        app.get("/v1/profile", &person.token).expect(200);
        assert_eq!(ends(), first, "the same day");
        app.clock().advance(DAY);
        app.get("/v1/profile", &person.token).expect(200);
        let second = ends();
        assert!(second > first, "another day");
        app.clock().advance(2 * MINUTE);
        app.get("/v1/profile", &person.token).expect(200);
        assert_eq!(ends(), second);
    }

    [stand_in] fn the_guard_of_a_warm_session_costs_one_key_value_read(app: App) {
        app.clock().stop();
        let person = app.someone();
        app.get("/v1/profile", &person.token).expect(200);
        app.faults().clear();
        app.get("/v1/profile", &person.token).expect(200);
        let calls = app.faults().calls();
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations.iter().filter(|operation| **operation == "get").count(), 1, "{calls:?}");
        // Both doors are opened; the profile is the one SQL statement.
        assert_eq!(calls.len(), 4, "{calls:?}");
    }
}
