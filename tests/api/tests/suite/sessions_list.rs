//! `GET` and `DELETE /v1/auth/sessions`

use api_tests::{App, Device, mobile_number, on_both_engines};

const PATH: &str = "/v1/auth/sessions";

on_both_engines! {
    fn pages_hold_every_session_once_newest_first(app: App) {
        let phone = mobile_number();
        let people: Vec<_> =
            (0..5).map(|number| app.log_in_on(&phone, &Device::new(&number.to_string()))).collect();
        let token = &people[2].token;
        let whole = app.get(PATH, token).expect(200);
        let ids = |page: &serde_json::Value| -> Vec<String> {
            let items = page["items"].as_array().expect("a list");
            items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
        };
        let mut seen = Vec::new();
        let mut query = "?limit=2".to_owned();
        loop {
            let page = app.get(&format!("{PATH}{query}"), token).expect(200);
            seen.extend(ids(&page.json));
            match page.json["next_cursor"].as_str() {
                Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 5);
        assert_eq!(seen, ids(&whole.json));
        assert!(seen.is_sorted_by(|newer, older| newer > older));
        let items = whole.json["items"].as_array().expect("a list");
        assert_eq!(items.iter().filter(|item| item["current"] == true).count(), 1);
        assert!(items.iter().all(|item| item["device"]["model"] == "Pixel 9"));
        assert!(items.iter().all(|item| item["last_used_on"].as_str().is_some_and(|day| day.len() == 10)));
    }

    fn bad_pages_are_refused(app: App) {
        let person = app.someone();
        for (query, violation) in [
            ("limit=0", "limit:invalid"),
            ("limit=101", "limit:invalid"),
            ("cursor=x", "cursor:invalid"),
            ("page=2", "page:unknown"),
        ] {
            app.get(&format!("{PATH}?{query}"), &person.token).expect_violations(&[violation]);
        }
    }

    fn ending_the_others_takes_effect_at_once_and_on_nobody_else(app: App) {
        let phone = mobile_number();
        let people: Vec<_> =
            ["a", "b", "c"].iter().map(|id| app.log_in_on(&phone, &Device::new(id))).collect();
        let stranger = app.someone();
        for person in people.iter().chain([&stranger]) {
            app.get("/v1/profile", &person.token).expect(200);
        }
        app.request("DELETE", PATH).token(&people[1].token).send().expect(204);
        for ended in [&people[0], &people[2]] {
            app.get("/v1/profile", &ended.token).expect_problem(401, "unauthenticated");
        }
        for living in [&people[1], &stranger] {
            app.get("/v1/profile", &living.token).expect(200);
        }
    }
}
