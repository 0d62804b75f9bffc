//! `/v1/profiles/{id}`: what others see.

use api_tests::{App, Person, on_both_engines};
use serde_json::{Value, json};

fn seen(app: &App, by: &Person, of: &Person) -> Value {
    app.get(&format!("/v1/profiles/{}", of.account_id), &by.token)
        .expect(200)
        .json
}

fn patch(app: &App, person: &Person, body: &Value) {
    app.request("PATCH", "/v1/profile")
        .token(&person.token)
        .json(body)
        .expect(200);
}

/// Every field that may leave for another person, and no other.
const PUBLIC: [&str; 16] = [
    "about",
    "avatar",
    "birthday",
    "city",
    "company",
    "education",
    "gender",
    "hobbies",
    "hometown",
    "id",
    "industries",
    "job_title",
    "motto",
    "needs",
    "offers",
    "real_name",
];

on_both_engines! {
    // clause T1
    fn others_see_the_public_fields_and_nothing_else(app: App) {
        let people = [app.someone(), app.someone()];
        people.iter().for_each(|person| drop(app.complete_profile(person)));
        let view = seen(&app, &people[0], &people[1]);
        let mut names: Vec<_> = view.as_object().expect("an object").keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, PUBLIC);
    }

    // clause S2
    fn a_hidden_field_looks_like_one_never_given(app: App) {
        let people = [app.someone(), app.someone()];
        people.iter().for_each(|person| drop(app.complete_profile(person)));
        let [viewer, owner] = &people;
        let without = seen(&app, viewer, owner);
        let optional = json!({
            "motto": "m", "about": "a", "offers": "o", "needs": "n", "birthday": "1990-01-01",
            "hometown": "350203", "city": "350200", "hobbies": ["h"], "industries": ["i"], "education": "e",
        });
        patch(&app, owner, &optional);
        for name in optional.as_object().expect("an object").keys() {
            assert_ne!(seen(&app, viewer, owner)[name], Value::Null, "{name} is shown");
            patch(&app, owner, &json!({ "visibility": { name: false } }));
            assert_eq!(seen(&app, viewer, owner)[name], Value::Null, "{name} is hidden");
        }
        assert_eq!(seen(&app, viewer, owner), without);
        let own = app.get("/v1/profile", &owner.token).expect(200).json;
        assert_eq!((&own["motto"], &own["visibility"]["motto"]), (&json!("m"), &json!(false)));
        patch(&app, owner, &json!({ "visibility": { "motto": true } }));
        assert_eq!(seen(&app, viewer, owner)["motto"], "m");
    }

    // clause L2
    fn nobody_sees_others_before_their_own_profile_is_complete(app: App) {
        let (complete, newcomer) = (app.someone(), app.someone());
        app.complete_profile(&complete);
        let path = format!("/v1/profiles/{}", complete.account_id);
        let refused = app.get(&path, &newcomer.token).expect_problem(403, "profile-incomplete");
        assert_eq!(
            refused.json["missing"],
            json!(["avatar", "gender", "real_name", "company", "job_title"])
        );
        patch(&app, &newcomer, &json!({ "gender": "female", "company": "c" }));
        let refused = app.get(&path, &newcomer.token).expect_problem(403, "profile-incomplete");
        assert_eq!(refused.json["missing"], json!(["avatar", "real_name", "job_title"]));
        app.complete_profile(&newcomer);
        app.get(&path, &newcomer.token).expect(200);
    }

    // clause L2
    fn an_incomplete_or_unknown_person_is_not_there(app: App) {
        let (complete, newcomer) = (app.someone(), app.someone());
        app.complete_profile(&complete);
        for id in [newcomer.account_id.as_str(), "0198c5a0-0000-7000-8000-000000000000", "x", "%20"] {
            app.get(&format!("/v1/profiles/{id}"), &complete.token).expect_problem(404, "not-found");
        }
        app.request("GET", &format!("/v1/profiles/{}", complete.account_id))
            .send()
            .expect_problem(401, "unauthenticated");
    }
}
