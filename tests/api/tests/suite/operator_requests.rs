//! `/v1/operator/requests`: what operators see of requests, and how they decide them.

use std::sync::Barrier;
use std::thread;

use api_tests::{
    ACCOUNTANT, ADMIN, Answer, App, Builder, Cell, DAY, Person, REVIEWER, SCHEDULER,
    on_both_engines,
};
use provider_stand_ins::webhook::Webhook;
use serde_json::{Value, json};
use shared::time::Timestamp;

use crate::faults::{Attempt, again, sweep};
use crate::retention::sweep_all;
use crate::rights_requests::{TEXT, ask, leave, noon, post, read};

const UNKNOWN: &str = "0198c5a0-0000-7000-8000-00000000000f";

fn operator(app: &App, method: &str, path: &str, body: &Value) -> Answer {
    app.request(method, &format!("/v1/operator/{path}"))
        .token(REVIEWER.token)
        .json(body)
}

fn answer(app: &App, id: &str, text: &str) -> Answer {
    operator(
        app,
        "POST",
        &format!("requests/{id}/answer"),
        &json!({ "text": text }),
    )
}

fn refuse(app: &App, id: &str, case: &str) -> Answer {
    let body = json!({ "case": case, "text": "抱歉" });
    operator(app, "POST", &format!("requests/{id}/refusal"), &body)
}

fn charge(app: &App, id: &str, fen: i64) -> Answer {
    let body = json!({ "fen": fen, "reason": "人工成本" });
    operator(app, "POST", &format!("requests/{id}/fee"), &body)
}

/// Calls for what is due, until nothing is; how much of `part` was done.
pub fn drive(app: &App, part: &str) -> i64 {
    let mut done = 0;
    for _ in 0..100 {
        let swept = app
            .request("POST", "/v1/internal/sweep")
            .token(SCHEDULER.token)
            .send()
            .expect(200);
        let parts = swept.json["parts"].as_array().expect("parts");
        // A table may have the same name; what is asked of other components comes last.
        let found = parts.iter().rfind(|found| found["part"] == part);
        let found = found.expect("the part is named");
        done += found["done"].as_i64().expect("a number");
        if found["more"] == false {
            return done;
        }
    }
    panic!("there is always more: {part}")
}

/// A request of each of these days, and who asked.
fn asked_on(app: &App, days: &[&str]) -> Vec<(Person, String)> {
    let asked = days.iter().map(|day| {
        noon(app, day);
        let person = app.someone();
        let id = ask(app, &person, "access");
        (person, id)
    });
    asked.collect()
}

/// Three requests of one kind, a day apart.
fn three(app: &App) -> (Person, [String; 3]) {
    let person = app.someone();
    let ids = ["一", "二", "三"].map(|text| {
        app.clock().advance(DAY);
        let body = json!({ "kind": "copy", "text": text });
        post(app, &person, &body).expect(201).text("/id")
    });
    (person, ids)
}

/// What the person's inbox says of requests: which, what was asked, and what became of it; in some order.
fn told(app: &App, person: &Person) -> Vec<[String; 3]> {
    let notices = app.all_pages(person, "/v1/notices");
    let mut told: Vec<_> = notices
        .iter()
        .inspect(|notice| assert_eq!(notice["kind"], "request"))
        .map(|notice| {
            let text = |member: &str| notice["content"][member].as_str().expect("a text");
            ["id", "kind", "status"].map(|member| text(member).to_owned())
        })
        .collect();
    told.sort();
    told
}

/// The actions on record, with their subjects, oldest first.
fn audited(app: &App) -> Vec<[String; 3]> {
    let rows = app
        .database()
        .rows("SELECT operator, action, subject FROM operator_audit ORDER BY id");
    let texts = rows.iter().map(|row| {
        let texts: Vec<_> = row.iter().map(Cell::to_string).collect();
        texts.try_into().expect("three columns")
    });
    texts.collect()
}

on_both_engines! {
    // clause C1, R7
    fn only_reviewers_come_in_and_each_look_and_deed_is_recorded(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let id = ask(&app, &person, "access");
        let recorded = json!({ "account_id": person.account_id, "kind": "copy", "text": "电话", "identity": "guardian" });
        let deeds = [
            ("GET", "requests".to_owned(), Value::Null, "request.list", ""),
            ("POST", "requests".to_owned(), recorded, "request.record", person.account_id.as_str()),
            ("GET", format!("requests/{id}"), Value::Null, "request.read", id.as_str()),
            ("POST", format!("requests/{id}/fee"), json!({ "fen": 1, "reason": "x" }), "request.fee", id.as_str()),
            ("POST", format!("requests/{id}/answer"), json!({ "text": "x" }), "request.answer", id.as_str()),
            ("POST", format!("requests/{id}/refusal"), json!({ "case": "abuse", "text": "x" }),
                "request.refuse.abuse", id.as_str()),
            ("GET", "tasks".to_owned(), Value::Null, "task.list", ""),
            ("POST", format!("tasks/{UNKNOWN}/done"), Value::Null, "task.done", UNKNOWN),
        ];
        for (method, path, body, ..) in &deeds {
            let path = format!("/v1/operator/{path}");
            let send = |token: &str| app.request(method, &path).token(token).json(body);
            app.request(method, &path).json(body).expect_problem(401, "unauthenticated");
            send(&person.token).expect_problem(401, "unauthenticated");
            send(ACCOUNTANT.token).expect_problem(403, "operator-role");
            send(SCHEDULER.token).expect_problem(403, "operator-role");
        }
        assert_eq!(audited(&app), Vec::<[String; 3]>::new());
        let mut expected = Vec::new();
        for (method, path, body, action, subject) in &deeds {
            for who in [REVIEWER, ADMIN] {
                app.request(method, &format!("/v1/operator/{path}")).token(who.token).json(body);
                expected.push([who.name, action, subject].map(str::to_owned));
            }
        }
        let mut found = audited(&app);
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        for path in ["", "/answer", "/refusal", "/fee"] {
            let method = if path.is_empty() { "GET" } else { "POST" };
            let body = match path {
                "/fee" => json!({ "fen": 1, "reason": "x" }),
                "/refusal" => json!({ "case": "abuse", "text": "x" }),
                _ => json!({ "text": "x" }),
            };
            operator(&app, method, &format!("requests/{UNKNOWN}{path}"), &body).expect_problem(404, "not-found");
        }
    }

    // clause R7, K1
    [stand_in] fn overdue_ones_come_first_then_those_that_are_due_soonest(builder: Builder) {
        let app = builder.with_operators().start();
        let asked = asked_on(&app, &["2026-06-03", "2026-06-01", "2026-06-02", "2026-06-24"]);
        // Two came on one day.
        let same_day = ask(&app, &app.someone(), "copy");
        answer(&app, &asked[2].1, "好").expect(200);
        // 1 June plus fifteen working days, of which 19 June is none, is 23 June.
        let mut listed = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = operator(&app, "GET", &format!("requests?limit=1{cursor}"), &Value::Null).expect(200);
            listed.extend(page.json["items"].as_array().expect("items").clone());
            match page.json["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let ids: Vec<_> = listed.iter().map(|item| item["id"].as_str().expect("an id")).collect();
        let mut last = [asked[3].1.as_str(), same_day.as_str()];
        last.sort();
        assert_eq!(ids, [&[asked[1].1.as_str(), asked[0].1.as_str()], &last[..]].concat());
        let overdue: Vec<_> = listed.iter().map(|item| item["is_overdue"].as_bool()).collect();
        assert_eq!(overdue, [Some(true), Some(false), Some(false), Some(false)]);
        assert!(listed[0].get("text").is_none(), "a list opens nothing");
        let done = operator(&app, "GET", "requests?status=answered", &Value::Null).expect(200);
        assert_eq!(done.json["items"][0]["id"], json!(asked[2].1));
        for query in ["status=late", "kind=access", "limit=0"] {
            operator(&app, "GET", &format!("requests?{query}"), &Value::Null).expect_problem(422, "invalid-fields");
        }
    }

    // clause R7, K1, E17
    [stand_in] fn what_came_by_telephone_is_counted_from_when_it_came(builder: Builder) {
        let app = builder.with_operators().start();
        noon(&app, "2026-06-22");
        let person = app.someone();
        app.clock().advance(3 * DAY);
        let record = |changed: Value| {
            let mut body = json!({
                "account_id": person.account_id, "kind": "deletion", "text": "来电要求删除生日",
                "identity": "phone-number", "received_at": "2026-06-22T10:00:00+08:00",
            });
            let body_members = body.as_object_mut().expect("an object");
            for (name, value) in changed.as_object().expect("an object") {
                body_members.insert(name.clone(), value.clone());
                if value.is_null() {
                    body_members.remove(name);
                }
            }
            operator(&app, "POST", "requests", &body)
        };
        let recorded = record(json!({})).expect(201);
        assert_eq!(recorded.text("/received_at"), "2026-06-22T02:00:00.000Z");
        assert_eq!(recorded.text("/due_at"), "2026-07-13T16:00:00.000Z");
        assert_eq!(recorded.text("/identity"), "phone-number");
        let own = read(&app, &person, &recorded.text("/id"));
        assert_eq!((&own["text"], &own["status"]), (&json!("来电要求删除生日"), &json!("open")));
        assert_eq!(record(json!({})).expect(201).text("/id"), recorded.text("/id"));
        record(json!({ "received_at": "2026-06-25T12:00:01+08:00" })).expect_violations(&["received_at:future"]);
        record(json!({ "received_at": "yesterday" })).expect_violations(&["received_at:invalid"]);
        record(json!({ "identity": null })).expect_violations(&["identity:missing"]);
        record(json!({ "identity": "session" })).expect_violations(&["identity:invalid"]);
        record(json!({ "account_id": null })).expect_violations(&["account_id:missing"]);
        record(json!({ "account_id": UNKNOWN })).expect_violations(&["account_id:account"]);
        record(json!({ "reason": "minor" })).expect_violations(&["reason:not-a-report"]);
        record(json!({ "text": "\u{7}" })).expect_violations(&["text:characters"]);
        let now = record(json!({ "received_at": null, "text": "信件" })).expect(201);
        assert_eq!(now.text("/received_at"), "2026-06-25T04:00:00.000Z");
    }

    // clause M1, K1
    fn whoever_has_no_account_can_report_a_minor_by_telephone(builder: Builder) {
        let app = builder.with_operators().variable("deletion_grace_days", "0").start();
        let minor = app.someone();
        let body = json!({ "kind": "report", "reason": "minor", "subject": minor.account_id, "text": "我的孩子" });
        let recorded = operator(&app, "POST", "requests", &body).expect(201);
        assert_eq!((recorded.text("/identity"), &recorded.json["account_id"]), ("stranger".to_owned(), &Value::Null));
        assert_eq!(operator(&app, "POST", "requests", &body).expect(201).text("/id"), recorded.text("/id"));
        let mut unknown = body.clone();
        unknown["subject"] = json!(UNKNOWN);
        operator(&app, "POST", "requests", &unknown).expect_violations(&["subject:account"]);
        let mut checked = body.clone();
        checked["identity"] = json!("guardian");
        operator(&app, "POST", "requests", &checked).expect_violations(&["identity:stranger"]);
        // It opens a request, and is confirmed: the minor's data goes, and with it what was written about the minor.
        let id = recorded.text("/id");
        assert_eq!(operator(&app, "GET", &format!("requests/{id}"), &Value::Null).expect(200).text("/text"), "我的孩子");
        let delete = json!({ "reason": "minor", "request": id });
        app.request("POST", &format!("/v1/operator/accounts/{}/deletion", minor.account_id))
            .token(ADMIN.token).json(&delete).expect(202);
        drive(&app, "deletions");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM accounts"), 0);
        let shown = operator(&app, "GET", &format!("requests/{id}"), &Value::Null).expect(200);
        assert_eq!((&shown.json["subject"], &shown.json["text"]), (&Value::Null, &Value::Null));
        assert_eq!(answer(&app, &id, "已删除").expect(200).text("/status"), "answered");
    }

    // clause R7, K1
    fn an_answer_is_read_by_who_asked_and_given_once(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let id = ask(&app, &person, "access");
        assert_eq!(operator(&app, "GET", &format!("requests/{id}"), &Value::Null).expect(200).text("/text"), TEXT);
        for text in ["", "\u{1b}[2J"] {
            answer(&app, &id, text).expect_problem(422, "invalid-fields");
        }
        answer(&app, &id, &"长".repeat(4001)).expect_violations(&["text:length"]);
        let answered = answer(&app, &id, "见附件").expect(200);
        assert_eq!(answered.text("/status"), "answered");
        let own = read(&app, &person, &id);
        assert_eq!((&own["answer"], &own["refusal"]), (&json!("见附件"), &Value::Null));
        assert!(own["closed_at"].is_string());
        // The same again changes nothing; anything else is too late.
        assert_eq!(answer(&app, &id, "见附件").expect(200).json, own);
        answer(&app, &id, "另一个").expect_problem(409, "already-decided");
        refuse(&app, &id, "abuse").expect_problem(409, "already-decided");
        charge(&app, &id, 100).expect_problem(409, "already-decided");
        assert_eq!(read(&app, &person, &id), own);
        // A decided request is no obstacle to asking the same anew.
        assert_ne!(ask(&app, &person, "access"), id);
    }

    // clause R7
    fn a_refusal_names_one_of_the_policys_cases(builder: Builder) {
        let app = builder.with_operators().variable("requests_per_day", "100").start();
        let person = app.someone();
        let id = ask(&app, &person, "deletion");
        let path = format!("requests/{id}/refusal");
        operator(&app, "POST", &path, &json!({ "text": "不行" })).expect_violations(&["case:missing"]);
        operator(&app, "POST", &path, &json!({ "case": "because", "text": "不行" })).expect_violations(&["case:invalid"]);
        operator(&app, "POST", &path, &json!({ "case": "abuse" })).expect_violations(&["text:missing"]);
        assert_eq!(read(&app, &person, &id)["status"], "open");
        let policy = app.get("/v1/policy/text", &person.token).expect(200);
        let policy = String::from_utf8(policy.body).expect("a text");
        for case in [
            "legal-duty", "national-security", "public-interest", "justice", "abuse", "vital-interest", "harm",
            "trade-secret", "repeated", "too-much-effort", "risk-to-others", "unrealistic",
        ] {
            let id = ask(&app, &person, "deletion");
            refuse(&app, &id, case).expect(200);
            let own = read(&app, &person, &id);
            assert_eq!((&own["status"], &own["answer"]), (&json!("refused"), &json!("抱歉")));
            assert_eq!(own["refusal"]["case"], case);
            let sentence = own["refusal"]["sentence"].as_str().expect("a sentence");
            assert!(policy.contains(sentence.trim_end_matches("的请求")), "{sentence}");
            refuse(&app, &id, case).expect(200);
            let another = if case == "abuse" { "harm" } else { "abuse" };
            refuse(&app, &id, another).expect_problem(409, "already-decided");
            answer(&app, &id, "抱歉").expect_problem(409, "already-decided");
        }
    }

    // clause R7
    [stand_in] fn a_fee_is_only_for_the_third_of_a_kind_within_a_year(builder: Builder) {
        let app = builder.with_operators().variable("requests_per_day", "100").start();
        noon(&app, "2026-06-01");
        let (person, ids) = three(&app);
        let other = ask(&app, &person, "access");
        for id in [&ids[0], &ids[1], &other] {
            charge(&app, id, 2000).expect_problem(409, "fee-not-allowed");
            assert_eq!(read(&app, &person, id)["fee"], Value::Null);
        }
        for fen in [0, -1, 10_001] {
            charge(&app, &ids[2], fen).expect_violations(&["fen:range"]);
        }
        let due_at = read(&app, &person, &ids[2])["due_at"].clone();
        let charged = charge(&app, &ids[2], 2000).expect(200);
        assert_eq!(charged.json["fee"], json!({ "fen": 2000, "reason": "人工成本" }));
        let own = read(&app, &person, &ids[2]);
        assert_eq!((&own["fee"], &own["due_at"]), (&charged.json["fee"], &due_at));
        charge(&app, &ids[2], 2000).expect(200);
        charge(&app, &ids[2], 3000).expect_problem(409, "fee-set");
        // Of somebody else's requests none counts, and none of a year ago.
        let stranger = app.someone();
        charge(&app, &ask(&app, &stranger, "copy"), 1).expect_problem(409, "fee-not-allowed");
        app.clock().advance(363 * DAY);
        let person = app.log_in_on(&person.phone, &api_tests::Device::new("device-1"));
        let body = json!({ "kind": "copy", "text": "四" });
        let fourth = post(&app, &person, &body).expect(201).text("/id");
        charge(&app, &fourth, 1).expect(200);
        app.clock().advance(3 * DAY);
        let body = json!({ "kind": "copy", "text": "五" });
        let fifth = post(&app, &person, &body).expect(201).text("/id");
        charge(&app, &fifth, 1).expect_problem(409, "fee-not-allowed");
    }

    // clause R7
    fn of_two_operators_who_decide_at_once_one_does(builder: Builder) {
        let app = builder.with_operators().variable("requests_per_day", "100").start();
        let person = app.someone();
        for round in 0..5 {
            let body = json!({ "kind": "complaint", "text": format!("第{round}次") });
            let id = post(&app, &person, &body).expect(201).text("/id");
            let start = Barrier::new(3);
            let decide = |at: usize| {
                start.wait();
                if at == 2 { refuse(&app, &id, "repeated") } else { answer(&app, &id, &format!("答复{at}")) }
            };
            let answers: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..3).map(|at| scope.spawn(move || decide(at))).collect();
                threads.into_iter().map(|thread| thread.join().expect("it answers")).collect()
            });
            let (done, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!((done.len(), late.len()), (1, 2));
            for answer in late {
                answer.expect_problem(409, "already-decided");
            }
            assert_eq!(read(&app, &person, &id), done[0].json);
        }
    }

    // clause R7
    [stand_in] fn the_operators_hear_of_each_request_whose_time_runs_out_and_again_when_it_has(builder: Builder) {
        let webhook = Webhook::start();
        let app = builder.with_operators()
            .variable("operator_webhook", webhook.url())
            .variable("operator_webhook_path", "/robot")
            .start();
        // Due at the end of 13, 14 and 15 July.
        let asked = asked_on(&app, &["2026-06-22", "2026-06-23", "2026-06-24"]);
        let told = || -> Vec<String> {
            let posts = webhook.posts();
            let bodies = posts.iter().map(|post| serde_json::from_slice::<Value>(&post.body).expect("JSON"));
            let ids = bodies.flat_map(|body| {
                assert_eq!(body["event"], "requests-due");
                assert!(!body.to_string().contains(TEXT));
                let requests = body["requests"].as_array().expect("requests").clone();
                requests.into_iter().map(|request| request["id"].as_str().expect("an id").to_owned())
            });
            ids.collect()
        };
        noon(&app, "2026-07-07");
        assert_eq!(drive(&app, "alerts-and-notices"), 0);
        // Three working days before the end of the 13th.
        noon(&app, "2026-07-08");
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        assert_eq!(drive(&app, "alerts-and-notices"), 0);
        assert_eq!(told(), [asked[0].1.clone()]);
        answer(&app, &asked[1].1, "好").expect(200);
        // The end of the 13th, and not a moment before.
        app.clock().set(Timestamp::start_of_china_date("2026-07-14").expect("a date").0 - 1);
        assert_eq!(drive(&app, "alerts-and-notices"), 2, "the third is near its end, the second is told");
        assert_eq!(told(), [asked[0].1.clone(), asked[2].1.clone()]);
        noon(&app, "2026-07-14");
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        assert_eq!(told()[2..], [asked[0].1.clone()], "overdue");
        answer(&app, &asked[0].1, "好").expect(200);
        // One of which nobody heard before it was overdue is told once.
        let late = ask(&app, &app.someone(), "access");
        noon(&app, "2026-08-20");
        assert_eq!(drive(&app, "alerts-and-notices"), 3, "and the first is told");
        assert_eq!(told()[3..], [asked[2].1.clone(), late]);
        noon(&app, "2026-09-20");
        assert_eq!(drive(&app, "alerts-and-notices"), 0);
    }

    // clause R7
    [stand_in] fn many_at_once_are_told_in_parts_and_without_a_webhook_the_log_says_it(builder: Builder) {
        let app = builder.with_operators().start();
        noon(&app, "2026-06-22");
        let mut ids: Vec<_> = (0..12).map(|_| ask(&app, &app.someone(), "access")).collect();
        noon(&app, "2026-07-15");
        assert_eq!(drive(&app, "alerts-and-notices"), 12);
        // Its lines come after those that are looked for, and are waited for.
        app.someone();
        let events = app.log().events("requests-due");
        let sizes: Vec<_> = events.iter().map(|event| event["requests"].as_array().expect("a list").len()).collect();
        assert_eq!(sizes, [10, 2]);
        let mut told: Vec<_> = events.iter()
            .flat_map(|event| event["requests"].as_array().expect("a list"))
            .map(|request| request["id"].as_str().expect("an id").to_owned())
            .collect();
        told.sort();
        ids.sort();
        assert_eq!(told, ids);
        assert_eq!(events[0]["level"], "alarm");
    }

    // clause R7
    [stand_in] fn who_asked_finds_in_the_inbox_what_became_of_it(builder: Builder) {
        let app = builder.with_operators().variable("requests_per_day", "100").start();
        let (person, ids) = three(&app);
        let other = app.someone();
        ask(&app, &other, "access");
        assert_eq!(told(&app, &person), Vec::<[String; 3]>::new());
        let news = |nth: usize, status: &str| [ids[nth].clone(), "copy".into(), status.into()];
        charge(&app, &ids[2], 500).expect(200);
        sweep_all(&app);
        assert_eq!(told(&app, &person), [news(2, "charged")]);
        refuse(&app, &ids[0], "repeated").expect(200);
        answer(&app, &ids[2], "答复标记").expect(200);
        for _ in 0..2 {
            sweep_all(&app);
            let mut expected = [news(2, "charged"), news(0, "refused"), news(2, "answered")];
            expected.sort();
            assert_eq!(told(&app, &person), expected);
        }
        // A fee and an answer that nobody was told of between.
        let fourth = post(&app, &person, &json!({ "kind": "copy", "text": "四" })).expect(201).text("/id");
        charge(&app, &fourth, 500).expect(200);
        answer(&app, &fourth, "好").expect(200);
        sweep_all(&app);
        let told_now = told(&app, &person);
        assert_eq!(told_now.len(), 5);
        for status in ["charged", "answered"] {
            assert!(told_now.contains(&[fourth.clone(), "copy".into(), status.into()]));
        }
        let listed = app.get("/v1/notices", &person.token).expect(200);
        let shown = &listed.json["items"][0];
        assert_eq!((&shown["prominent"], &shown["read_at"]), (&json!(true), &Value::Null));
        assert!(shown["title"].as_str().is_some_and(|title| title.contains("请求")));
        // Nobody else hears of it, and what was answered stands in the request alone.
        assert_eq!(told(&app, &other), Vec::<[String; 3]>::new());
        let rows = app.database().rows("SELECT content, audience FROM announcements");
        assert!(rows.iter().all(|row| !row[0].to_string().contains("答复标记") && row[1].to_string() == "told:1"));
    }

    // clause R5, R7
    fn nobody_is_told_who_is_gone_or_has_no_account(builder: Builder) {
        let app = builder.with_operators().variable("deletion_grace_days", "0").start();
        let (person, minor) = (app.someone(), app.someone());
        let body = json!({ "kind": "report", "reason": "minor", "subject": minor.account_id, "text": "我的孩子" });
        let report = operator(&app, "POST", "requests", &body).expect(201).text("/id");
        let (answered, open) = (ask(&app, &person, "access"), ask(&app, &person, "complaint"));
        for id in [&report, &answered] {
            answer(&app, id, "好").expect(200);
        }
        leave(&app, &person);
        answer(&app, &open, "好").expect(200);
        sweep_all(&app);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM announcements"), 0);
        assert_eq!(app.get("/v1/notices", &minor.token).expect(200).json["items"], json!([]));
    }

    // clause R7
    [stand_in] fn telling_what_became_of_requests_bears_being_stopped_anywhere(builder: Builder) {
        let app = builder.with_operators().variable("requests_per_day", "1000").start();
        sweep(
            &app,
            |app, _| {
                let (person, ids) = three(app);
                charge(app, &ids[2], 500).expect(200);
                answer(app, &ids[2], "好").expect(200);
                let attempt = Attempt::new("POST", "/v1/internal/sweep", Some(SCHEDULER.token), json!({}));
                ((person, ids), attempt)
            },
            |app, _, attempt| {
                let answer = attempt.send(app, true);
                sweep_all(app);
                answer
            },
            |app, (person, ids), _| {
                let expected = ["answered", "charged"].map(|status| [ids[2].clone(), "copy".into(), status.into()]);
                assert_eq!(told(app, person), expected);
            },
        );
    }

    // clause R7
    [stand_in] fn recording_answering_and_refusing_are_done_once_or_not_at_all(builder: Builder) {
        let app = builder.with_operators().variable("requests_per_day", "1000").start();
        for deed in ["record", "answer", "refusal"] {
            sweep(
                &app,
                |app, _| {
                    let person = app.someone();
                    let path = "/v1/operator/requests";
                    let (path, body) = match deed {
                        "record" => (path.to_owned(), json!({
                            "account_id": person.account_id, "kind": "access", "text": TEXT,
                            "identity": "phone-number",
                        })),
                        "answer" => (format!("{path}/{}/answer", ask(app, &person, "access")), json!({ "text": "好" })),
                        _ => (
                            format!("{path}/{}/refusal", ask(app, &person, "access")),
                            json!({ "case": "trade-secret", "text": "好" }),
                        ),
                    };
                    (person, Attempt::new("POST", path, Some(REVIEWER.token), body))
                },
                again,
                |app, person, answer| {
                    let listed = app.get("/v1/requests", &person.token).expect(200);
                    assert_eq!(listed.json["items"].as_array().map(Vec::len), Some(1));
                    let own = read(app, person, &answer.text("/id"));
                    let expected = match deed {
                        "record" => json!(["open", null, null]),
                        "answer" => json!(["answered", "好", null]),
                        _ => json!(["refused", "好", "trade-secret"]),
                    };
                    assert_eq!(json!([own["status"], own["answer"], own["refusal"]["case"]]), expected);
                    let recorded = app.database().count(&format!(
                        "SELECT COUNT(*) FROM operator_audit WHERE subject IN ('{}', '{}')",
                        person.account_id, answer.text("/id"),
                    ));
                    assert!(recorded >= 1);
                },
            );
        }
    }

    // clause R7
    [stand_in] fn charging_is_done_once_or_not_at_all(builder: Builder) {
        let app = builder.with_operators().variable("requests_per_day", "1000").start();
        sweep(
            &app,
            |app, _| {
                let (person, ids) = three(app);
                let path = format!("/v1/operator/requests/{}/fee", ids[2]);
                let body = json!({ "fen": 500, "reason": "人工成本" });
                ((person, ids), Attempt::new("POST", path, Some(REVIEWER.token), body))
            },
            again,
            |app, (person, ids), _| {
                assert_eq!(read(app, person, &ids[2])["fee"], json!({ "fen": 500, "reason": "人工成本" }));
            },
        );
    }
}
