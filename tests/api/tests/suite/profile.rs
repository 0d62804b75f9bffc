//! `/v1/profile`

use std::thread;

use api_tests::{Answer, App, Builder, Person, on_both_engines};
use serde_json::{Value, json};

const PATH: &str = "/v1/profile";

fn patch(app: &App, person: &Person, body: &Value) -> Answer {
    app.request("PATCH", PATH)
        .token(&person.token)
        .body("application/merge-patch+json", body.to_string())
        .send()
}

/// Every field with a value it takes.
fn all_fields() -> Value {
    json!({
        "avatar": "https://example.com/a.png",
        "gender": "male",
        "real_name": "王小明",
        "company": "厦门聚仁脉网络科技有限公司",
        "job_title": "创始人",
        "motto": "知行合一",
        "about": "第一行\n第二行",
        "offers": "渠道",
        "needs": "资金",
        "birthday": "1990-02-28",
        "hometown": "350203",
        "city": "350200",
        "hobbies": ["围棋", "登山"],
        "industries": ["人工智能"],
        "education": "厦门大学",
    })
}

on_both_engines! {
    // clause S1, L2, R1
    fn each_field_is_set_read_back_and_cleared(app: App) {
        let person = app.someone();
        let fields = all_fields();
        for (name, value) in fields.as_object().expect("an object") {
            let answer = patch(&app, &person, &json!({ name: value })).expect(200);
            let read = app.get(PATH, &person.token).expect(200).json;
            assert_eq!(answer.json, read);
            match name.as_str() {
                "hometown" | "city" => assert_eq!(read[name]["code"], *value),
                _ => assert_eq!(read[name], *value, "{name}"),
            }
        }
        let whole = app.get(PATH, &person.token).expect(200).json;
        assert_eq!((&whole["completeness"], &whole["missing"]), (&json!(100), &json!([])));
        assert_eq!(whole["hometown"]["name"], "福建省厦门市思明区");
        for name in fields.as_object().expect("an object").keys() {
            let cleared = patch(&app, &person, &json!({ name: null })).expect(200).json;
            assert_eq!(cleared[name], Value::Null, "{name}");
        }
        let empty = app.get(PATH, &person.token).expect(200).json;
        assert_eq!(empty["completeness"], 0);
        assert_eq!(empty["missing"].as_array().map(Vec::len), Some(5));
    }

    // clause S3
    fn completeness_counts_ten_for_required_and_five_for_optional_fields(app: App) {
        let person = app.someone();
        for (body, expected) in [
            (json!({ "gender": "other" }), 10),
            (json!({ "motto": "a" }), 15),
            (json!({ "motto": null }), 10),
        ] {
            assert_eq!(patch(&app, &person, &body).expect(200).json["completeness"], expected);
        }
    }

    // clause S1
    fn every_violation_is_in_one_answer_and_nothing_is_stored(app: App) {
        let person = app.someone();
        let before = app.get(PATH, &person.token).expect(200).json;
        patch(&app, &person, &json!({
            "avatar": "http://example.com/a.png",
            "gender": "x",
            "real_name": "名".repeat(31),
            "company": "",
            "job_title": "a\u{0}b",
            "motto": 1,
            "about": "好".repeat(1001),
            "birthday": "1990-02-30",
            "hometown": "000000",
            "city": "350203x",
            "hobbies": "围棋",
            "industries": ["a", ""],
            "nickname": "x",
            "education": "这一项没有错",
            "visibility": { "motto": 1, "real_name": false },
        })).expect_violations(&[
            "about:length", "avatar:url", "birthday:date", "city:region", "company:empty", "gender:value",
            "hobbies:type", "hometown:region", "industries:empty", "job_title:characters", "motto:type",
            "nickname:unknown", "real_name:length", "visibility.motto:type", "visibility.real_name:unknown",
        ]);
        assert_eq!(app.get(PATH, &person.token).expect(200).json, before);
    }

    // clause S1
    fn text_is_kept_in_its_normal_form(app: App) {
        let person = app.someone();
        let answer = patch(&app, &person, &json!({ "motto": "  Cafe\u{301} ", "about": "a\r\nb" }));
        let profile = answer.expect(200).json;
        assert_eq!((&profile["motto"], &profile["about"]), (&json!("Café"), &json!("a\nb")));
    }

    // clause M1
    [stand_in] fn a_minor_is_refused_and_nothing_is_stored(app: App) {
        // 2026-11-22T15:59:59Z is the last second of the 22nd in China.
        app.clock().set(1_795_363_199_000);
        let person = app.someone();
        let born = json!({ "birthday": "2008-11-23", "motto": "a" });
        patch(&app, &person, &born).expect_problem(422, "adults-only");
        let profile = app.get(PATH, &person.token).expect(200).json;
        assert_eq!((&profile["birthday"], &profile["motto"]), (&Value::Null, &Value::Null));
        app.clock().set(1_795_363_200_000);
        patch(&app, &person, &born).expect(200);
    }

    fn an_avatar_must_lie_under_an_allowed_prefix(builder: Builder) {
        let prefixes = "https://cdn.example.com/a/, https://img.example.com/";
        let app = builder.variable("avatar_url_prefixes", prefixes).start();
        let person = app.someone();
        patch(&app, &person, &json!({ "avatar": "https://img.example.com/1.png" })).expect(200);
        for outside in ["https://example.com/a.png", "https://cdn.example.com/a/../b.png"] {
            patch(&app, &person, &json!({ "avatar": outside })).expect_violations(&["avatar:prefix"]);
        }
    }

    fn a_change_of_another_version_is_refused(app: App) {
        let person = app.someone();
        let tag = app.get(PATH, &person.token).expect(200).header("etag").expect("an etag").to_owned();
        let change = |tag: &str, motto: &str| {
            app.request("PATCH", PATH)
                .token(&person.token)
                .header("if-match", tag)
                .json(&json!({ "motto": motto }))
        };
        let changed = change(&tag, "first").expect(200);
        change(&tag, "second").expect_problem(412, "profile-changed");
        change("W/\"1\"", "second").expect_problem(412, "profile-changed");
        change("1", "second").expect_problem(400, "if-match-invalid");
        assert_eq!(app.get(PATH, &person.token).expect(200).json["motto"], "first");
        change(changed.header("etag").expect("an etag"), "second").expect(200);
        change("*", "third").expect(200);
    }

    fn of_many_changes_to_one_version_one_wins(app: App) {
        let person = app.someone();
        let won: usize = thread::scope(|scope| {
            let change = || {
                let answer = app.request("PATCH", PATH)
                    .token(&person.token)
                    .header("if-match", "\"0\"")
                    .json(&json!({ "motto": "a" }));
                usize::from(answer.status == 200)
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(change)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it answers")).sum()
        });
        assert_eq!(won, 1);
    }

    fn changes_to_different_fields_at_once_are_all_kept(app: App) {
        let person = app.someone();
        let fields = all_fields();
        let fields = fields.as_object().expect("an object");
        thread::scope(|scope| {
            for (name, value) in fields {
                let body = json!({ name: value });
                let (app, person) = (&app, &person);
                scope.spawn(move || patch(app, person, &body).expect(200));
            }
        });
        assert_eq!(app.get(PATH, &person.token).expect(200).json["completeness"], 100);
    }

    fn nobody_comes_in_without_a_session(app: App) {
        app.request("GET", PATH).send().expect_problem(401, "unauthenticated");
        app.request("PATCH", PATH).json(&json!({ "motto": "a" })).expect_problem(401, "unauthenticated");
    }
}
