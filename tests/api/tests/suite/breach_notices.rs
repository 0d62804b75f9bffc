//! `/v1/operator/breach-notices`: telling everybody concerned of a breach, once, in every way there is.

use std::thread;

use api_tests::{
    ADMIN, Answer, App, Builder, Cell, HOUR, MINUTE, Person, REVIEWER, SECOND, on_both_engines,
};
use provider_stand_ins::Behaviour;
use provider_stand_ins::aliyun_sms::{AliyunSms, TEMPLATE_WITHOUT_VARIABLES as TEMPLATE};
use serde_json::{Value, json};

use crate::announcements::{announce, crowd, service};
use crate::faults::{self, Attempt, again};
use crate::retention::{sweep, sweep_all};

const PATH: &str = "/v1/operator/breach-notices";
const UNKNOWN: &str = "0198c5a0-0000-7000-8000-00000000000f";
const KEY_ID: &str = "LTAI-test-key-id";
const SECRET: &str = "test-secret";

fn notice(affected: Value) -> Value {
    json!({
        "what_happened": "一台服务器的日志被未授权访问",
        "possible_effects": "可能收到冒充我们的诈骗短信",
        "measures": "已停用该服务器并更换密钥",
        "advice": "请勿点击陌生链接,建议重设密码",
        "remedies": "提供免费的账号安全检查",
        "contact": "jsdclub@163.com",
        "affected": affected,
        "is_public": false,
    })
}

/// The accounts of these people.
fn accounts(people: &[&Person]) -> Value {
    let ids: Vec<_> = people.iter().map(|person| &person.account_id).collect();
    json!({ "accounts": ids })
}

fn issue(app: &App, key: &str, body: &Value) -> Answer {
    app.request("POST", PATH)
        .token(ADMIN.token)
        .header("idempotency-key", key)
        .json(body)
}

fn issued(app: &App, affected: Value) -> String {
    issue(app, "a", &notice(affected)).expect(201).text("/id")
}

fn state(app: &App, id: &str) -> Value {
    app.get(&format!("{PATH}/{id}"), ADMIN.token)
        .expect(200)
        .json
}

/// These counts of a notice's state.
fn counts<const N: usize>(app: &App, id: &str, names: [&str; N]) -> [i64; N] {
    let counts = state(app, id)["counts"].clone();
    names.map(|name| {
        counts[name]
            .as_i64()
            .unwrap_or_else(|| panic!("{name}: {counts}"))
    })
}

fn inbox(app: &App, person: &Person) -> Vec<Value> {
    app.all_pages(person, "/v1/notices")
}

fn public(app: &App) -> usize {
    let answer = app.request("GET", "/v1/policy/notices").send().expect(200);
    answer.json["items"].as_array().expect("a list").len()
}

/// Every page of a report's accounts.
fn report(app: &App, id: &str) -> Vec<Value> {
    let mut accounts = Vec::new();
    let mut path = format!("{PATH}/{id}/report?limit=2");
    loop {
        let page = app.get(&path, ADMIN.token).expect(200).json["accounts"].clone();
        accounts.extend(page["items"].as_array().expect("a list").iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            return accounts;
        };
        path = format!("{PATH}/{id}/report?limit=2&cursor={cursor}");
    }
}

/// With a provider that sends notices.
fn with_sms(builder: Builder, sms: &AliyunSms) -> Builder {
    builder
        .with_operators()
        .variable("aliyun_sms_endpoint", sms.url())
        .variable("aliyun_access_key_id", KEY_ID)
        .variable("aliyun_access_key_secret", SECRET)
        .variable("aliyun_sms_sign_name", "创人脉")
        .variable("aliyun_sms_template_code", "SMS_1")
        .variable("aliyun_sms_notice_template_code", TEMPLATE)
}

/// People who logged in while codes were in the log, and the application as it sends from then on.
fn people_with_sms<const N: usize>(app: &mut App) -> [Person; N] {
    let people = [(); N].map(|()| app.someone());
    app.restart(&[("sms_provider", "aliyun")]);
    people
}

fn numbers(sms: &AliyunSms) -> Vec<String> {
    let messages = sms.messages().into_iter();
    let numbers = messages.map(|message| format!("+86{}", message.parameters["PhoneNumbers"]));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort();
    numbers
}

on_both_engines! {
    // clause C2
    [stand_in] fn a_breach_waits_for_no_older_announcement(builder: Builder) {
        let app = builder.with_operators().start();
        crowd(&app, 700);
        announce(&app, "a", &service()).expect(201);
        app.clock().advance(SECOND);
        let told = |kind: &str| app.database().count(&format!(
            "SELECT COUNT(*) FROM notices n JOIN announcements a ON a.id = n.announcement_id WHERE a.kind = '{kind}'"
        ));
        sweep(&app).expect(200);
        assert_eq!((told("service"), told("breach")), (500, 0));
        issued(&app, json!({ "everybody": true }));
        sweep(&app).expect(200);
        assert_eq!((told("service"), told("breach")), (500, 500));
        sweep(&app).expect(200);
        assert_eq!((told("service"), told("breach")), (500, 700));
        sweep_all(&app);
        assert_eq!((told("service"), told("breach")), (700, 700));
    }

    // clause C2
    fn who_is_concerned_reads_all_five_parts_and_nobody_else_does(builder: Builder) {
        let app = builder.with_operators().start();
        let [one, two, other] = [(); 3].map(|()| app.someone());
        let id = issued(&app, accounts(&[&one, &two, &one]));
        assert_eq!(counts(&app, &id, ["affected", "delivered", "read", "untold"]), [2, 0, 0, 0]);
        sweep_all(&app);
        for person in [&one, &two] {
            let [told] = <[Value; 1]>::try_from(inbox(&app, person)).expect("one notice");
            assert_eq!((&told["id"], &told["kind"], &told["prominent"]), (&json!(id), &json!("breach"), &json!(true)));
            let body = notice(Value::Null);
            for part in ["what_happened", "possible_effects", "measures", "advice", "remedies", "contact"] {
                assert_eq!(told["content"][part], body[part], "{part}");
            }
        }
        assert!(inbox(&app, &other).is_empty());
        assert_eq!(public(&app), 0);
        let path = format!("/v1/notices/{id}/read");
        app.request("POST", &path).token(&one.token).send().expect(204);
        app.request("POST", &path).token(&other.token).send().expect_problem(404, "not-found");
        assert_eq!(counts(&app, &id, ["affected", "delivered", "read", "untold"]), [2, 2, 1, 1]);
        // Who was concerned is in the inboxes alone.
        let audience = app.database().rows("SELECT audience FROM announcements");
        assert!(!audience[0][0].to_string().contains(&one.account_id));
    }

    // clause C2
    [stand_in] fn everybody_or_who_registered_before_a_moment(builder: Builder) {
        let app = builder.with_operators().start();
        app.clock().set(1_800_000_000_000);
        let early = app.someone();
        app.clock().advance(HOUR);
        let late = app.someone();
        let before = issue(&app, "a", &notice(json!({ "registered_before": "2027-01-15T16:30:00+08:00" })));
        let before = before.expect(201).text("/id");
        app.clock().advance(SECOND);
        let everybody = issue(&app, "b", &notice(json!({ "everybody": true }))).expect(201).text("/id");
        app.clock().advance(SECOND);
        let later = app.someone();
        assert_eq!(state(&app, &everybody)["counts"]["affected"], Value::Null);
        sweep_all(&app);
        let ids = |person: &Person| -> Vec<String> {
            inbox(&app, person).iter().map(|told| told["id"].as_str().expect("an id").to_owned()).collect()
        };
        assert_eq!(ids(&early), [everybody.clone(), before.clone()]);
        assert_eq!(ids(&late), std::slice::from_ref(&everybody));
        assert!(ids(&later).is_empty());
        assert_eq!(counts(&app, &before, ["affected"]), [1]);
        assert_eq!(counts(&app, &everybody, ["affected"]), [2]);
        assert_eq!(state(&app, &before)["audience"], "registered-before");
        assert_eq!(state(&app, &everybody)["audience"], "everybody");
    }

    // clause C2
    fn all_parts_are_required_and_one_way_to_say_who(builder: Builder) {
        let app = builder.with_operators().start();
        for part in ["what_happened", "possible_effects", "measures", "advice", "remedies", "contact"] {
            let mut body = notice(json!({ "everybody": true }));
            body[part] = json!(" ");
            issue(&app, "a", &body).expect_violations(&[&format!("{part}:length")]);
            body.as_object_mut().expect("an object").remove(part);
            issue(&app, "a", &body).expect_violations(&[&format!("{part}:missing")]);
        }
        let many: Vec<_> = (0..1001).map(|n| format!("0198c5a0-0000-7000-8000-{n:012}")).collect();
        let one_of = "affected:one-of-everybody-accounts-registered-before";
        for (affected, violation) in [
            (json!({}), one_of),
            (json!({ "everybody": false }), one_of),
            (json!({ "everybody": true, "accounts": [UNKNOWN] }), one_of),
            (json!({ "accounts": [] }), "affected.accounts:items"),
            (json!({ "accounts": many }), "affected.accounts:items"),
            (json!({ "accounts": ["x"] }), "affected.accounts[0]:invalid"),
            (json!({ "registered_before": "yesterday" }), "affected.registered_before:invalid"),
            (json!({ "nobody": true }), "affected.nobody:unknown"),
        ] {
            issue(&app, "a", &notice(affected)).expect_violations(&[violation]);
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM announcements"), 0);
        issued(&app, json!({ "accounts": many[1..] }));
        sweep_all(&app);
    }

    // clause C2
    fn it_is_issued_once_whoever_sends_it_again(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let body = notice(json!({ "everybody": true }));
        app.request("POST", PATH).token(ADMIN.token).json(&body)
            .expect_problem(400, "idempotency-key-required");
        let first = issue(&app, "a", &body).expect(201);
        app.database().rows("DELETE FROM idempotency_keys WHERE taken_at > 0 RETURNING id");
        assert_eq!(issue(&app, "a", &body).expect(201).json, first.json);
        sweep_all(&app);
        assert_eq!(inbox(&app, &person).len(), 1);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM announcements"), 1);
    }

    // clause C2
    fn only_admins_and_each_look_is_on_record(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        let id = issued(&app, json!({ "everybody": true }));
        let calls = [
            ("POST", PATH.to_owned(), "breach-notice.issue"),
            ("GET", format!("{PATH}/{id}"), "breach-notice.read"),
            ("GET", format!("{PATH}/{id}/report"), "breach-notice.report"),
            ("POST", format!("{PATH}/{id}/publication"), "breach-notice.publish"),
        ];
        for (method, path, action) in &calls {
            let ask = |token: &str| app.request(method, path).token(token).header("idempotency-key", "b")
                .json(&notice(json!({ "everybody": true })));
            ask(&person.token).expect_problem(401, "unauthenticated");
            ask(REVIEWER.token).expect_problem(403, "operator-role");
            let audited = format!("SELECT COUNT(*) FROM operator_audit WHERE action = '{action}'");
            let before = app.database().count(&audited);
            assert!(ask(ADMIN.token).status < 300);
            assert_eq!(app.database().count(&audited), before + 1, "{action}");
        }
        for path in [format!("{PATH}/{UNKNOWN}"), format!("{PATH}/{UNKNOWN}/report")] {
            app.get(&path, ADMIN.token).expect_problem(404, "not-found");
        }
        // Another announcement is no breach notice.
        app.publish_policy("2027-01-01", false);
        let other = app.database().rows("SELECT id FROM announcements WHERE kind = 'policy-minor'");
        let path = format!("{PATH}/{}", other[0][0]);
        app.get(&path, ADMIN.token).expect_problem(404, "not-found");
        let path = format!("{path}/publication");
        app.request("POST", &path).token(ADMIN.token).send().expect_problem(404, "not-found");
    }

    // clause C2
    fn where_telling_fails_it_is_made_public(builder: Builder) {
        let app = builder.with_operators().start();
        app.someone();
        let id = issued(&app, json!({ "everybody": true }));
        sweep_all(&app);
        assert_eq!(counts(&app, &id, ["delivered", "untold"]), [1, 1]);
        let path = format!("{PATH}/{id}/publication");
        for _ in 0..2 {
            let published = app.request("POST", &path).token(ADMIN.token).send().expect(200);
            assert_eq!(published.json["is_public"], true);
        }
        assert_eq!(public(&app), 1);
        let mut from_the_beginning = notice(json!({ "everybody": true }));
        from_the_beginning["is_public"] = json!(true);
        issue(&app, "b", &from_the_beginning).expect(201);
        assert_eq!(public(&app), 2);
    }

    // clause C2
    [stand_in] fn the_report_says_how_each_was_told_and_names_no_number(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).start();
        let people: [Person; 3] = people_with_sms(&mut app);
        let id = issued(&app, json!({ "everybody": true }));
        sms.plan(Behaviour::Refuse(200, "isv.MOBILE_NUMBER_ILLEGAL"));
        sweep_all(&app);
        let accounts = report(&app, &id);
        let mut ids: Vec<_> = people.iter().map(|person| person.account_id.as_str()).collect();
        ids.sort_unstable();
        let listed: Vec<_> = accounts.iter().map(|told| told["account_id"].as_str().expect("an id")).collect();
        assert_eq!(listed, ids);
        for told in &accounts {
            assert!(told["delivered_at"].is_string() && told["sms_at"].is_string(), "{told}");
        }
        let sent = accounts.iter().filter(|told| told["sms_status"] == "sent").count();
        let failed = accounts.iter().filter(|told| told["sms_status"] == "failed").count();
        assert_eq!((sent, failed), (2, 1));
        let path = format!("{PATH}/{id}/report");
        let whole = String::from_utf8(app.get(&path, ADMIN.token).expect(200).body).expect("a text");
        for person in &people {
            assert!(!whole.contains(&person.phone[3..]));
        }
        assert!(whole.contains("已停用该服务器并更换密钥"));
        assert_eq!(counts(&app, &id, ["sms_sent", "sms_failed", "sms_due", "sms_unknown", "untold"]), [2, 1, 0, 0, 1]);
    }

    // clause C2, T3, T6
    [stand_in] fn an_sms_carries_the_number_and_no_content_and_is_on_record(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).start();
        let [person, other]: [Person; 2] = people_with_sms(&mut app);
        let id = issued(&app, accounts(&[&person]));
        sweep_all(&app);
        sweep_all(&app);
        assert_eq!(numbers(&sms), std::slice::from_ref(&person.phone), "{:?}", sms.refusals());
        let message = sms.messages().remove(0);
        let names: Vec<_> = message.parameters.keys().map(String::as_str).collect();
        assert_eq!(names, ["OutId", "PhoneNumbers", "SignName", "TemplateCode"]);
        assert_eq!((&message.parameters["TemplateCode"], &message.parameters["OutId"]), (&TEMPLATE.to_owned(), &id));
        let rows = app.database().rows("SELECT recipient, data, basis, reference FROM disclosures");
        let row: Vec<_> = rows[0].iter().map(Cell::to_string).collect();
        assert_eq!((rows.len(), row), (1, vec!["aliyun-sms".to_owned(), "phone number".to_owned(), "law".to_owned(), id]));
        assert_eq!(inbox(&app, &person).len(), 1);
        assert!(inbox(&app, &other).is_empty());
    }

    // clause C2
    fn without_a_template_there_is_no_sms_and_a_log_has_no_number(builder: Builder) {
        let mut app = builder.with_operators().start();
        let person = app.someone();
        let id = issued(&app, json!({ "everybody": true }));
        sweep_all(&app);
        assert_eq!(report(&app, &id)[0]["sms_status"], Value::Null);
        app.restart(&[("aliyun_sms_notice_template_code", TEMPLATE)]);
        let id = issue(&app, "b", &notice(json!({ "everybody": true }))).expect(201).text("/id");
        sweep_all(&app);
        let event = app.log().event_with("notice-sms", "reference", &id);
        assert!(!event.to_string().contains(&person.phone[3..]));
        assert_eq!(report(&app, &id)[0]["sms_status"], "sent");
        // Only breaches go by SMS.
        app.publish_policy("2027-01-01", true);
        sweep_all(&app);
        assert_eq!(app.log().events("notice-sms").len(), 1);
    }

    // clause C2
    [stand_in] fn a_number_that_is_refused_is_not_tried_again(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).start();
        let [_person, _other]: [Person; 2] = people_with_sms(&mut app);
        let id = issued(&app, json!({ "everybody": true }));
        sms.plan(Behaviour::Refuse(200, "isv.CUSTOMER_REFUSED"));
        sms.plan(Behaviour::Refuse(200, "isv.MOBILE_NUMBER_ILLEGAL"));
        sweep_all(&app);
        assert_eq!(counts(&app, &id, ["sms_failed"]), [2]);
        for _ in 0..3 {
            app.clock().advance(HOUR);
            sms.set_clock(app.clock().now_ms());
            sweep_all(&app);
        }
        assert!(sms.messages().is_empty());
        assert_eq!(counts(&app, &id, ["sms_failed", "untold"]), [2, 2]);
    }

    // clause C2
    [stand_in] fn what_may_have_arrived_is_tried_once_more_an_hour_later(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).start();
        let [_person]: [Person; 1] = people_with_sms(&mut app);
        app.clock().stop();
        let id = issued(&app, json!({ "everybody": true }));
        sms.plan(Behaviour::Close);
        sweep_all(&app);
        assert_eq!(counts(&app, &id, ["sms_unknown"]), [1]);
        app.clock().advance(HOUR - SECOND);
        sweep_all(&app);
        assert_eq!(counts(&app, &id, ["sms_unknown", "sms_failed"]), [1, 0]);
        app.clock().advance(SECOND);
        sms.set_clock(app.clock().now_ms());
        sms.plan(Behaviour::Close);
        sweep_all(&app);
        assert_eq!(counts(&app, &id, ["sms_unknown", "sms_failed"]), [0, 1]);
        app.clock().advance(24 * HOUR);
        sms.set_clock(app.clock().now_ms());
        let before = sms.messages().len();
        sweep_all(&app);
        assert_eq!(sms.messages().len(), before);
    }

    // clause C2
    [stand_in] fn a_provider_that_is_away_is_asked_again_and_nobody_is_forgotten(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).start();
        let people: [Person; 3] = people_with_sms(&mut app);
        app.restart(&[("aliyun_access_key_secret", "not the secret")]);
        let id = issued(&app, json!({ "everybody": true }));
        for _ in 0..5 {
            sweep_all(&app);
            assert_eq!(counts(&app, &id, ["sms_due", "sms_failed"]), [3, 0]);
            app.clock().advance(10 * MINUTE);
            sms.set_clock(app.clock().now_ms());
        }
        assert!(sms.messages().is_empty());
        let now = app.clock().now_ms();
        app.restart(&[("aliyun_access_key_secret", SECRET)]);
        app.clock().set(now + 1_000_000);
        sms.set_clock(now + 1_000_000);
        sweep_all(&app);
        let mut expected: Vec<_> = people.iter().map(|person| person.phone.clone()).collect();
        expected.sort();
        assert_eq!(numbers(&sms), expected);
        assert_eq!(counts(&app, &id, ["sms_sent"]), [3]);
    }

    // clause C2, T5
    [stand_in] fn without_an_agreement_with_the_provider_no_number_leaves(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).variable("recipient_agreements", "").start();
        let [person]: [Person; 1] = people_with_sms(&mut app);
        let id = issued(&app, json!({ "everybody": true }));
        sweep_all(&app);
        assert!(sms.messages().is_empty());
        assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
        assert_eq!(counts(&app, &id, ["sms_due", "delivered"]), [1, 1]);
        assert_eq!(inbox(&app, &person).len(), 1);
    }

    // clause C2
    [stand_in] fn delivering_twice_at_once_sends_each_one_sms(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).start();
        let people: [Person; 12] = people_with_sms(&mut app);
        let id = issued(&app, json!({ "everybody": true }));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| sweep_all(&app));
            }
        });
        sweep_all(&app);
        let mut expected: Vec<_> = people.iter().map(|person| person.phone.clone()).collect();
        expected.sort();
        assert_eq!(numbers(&sms), expected);
        assert_eq!(counts(&app, &id, ["delivered", "sms_sent"]), [12, 12]);
    }

    // clause C2
    [stand_in] fn issuing_and_publishing_bear_being_stopped_anywhere(builder: Builder) {
        let app = builder.with_operators().start();
        faults::sweep(
            &app,
            |app, name| {
                app.database().rows("DELETE FROM announcements WHERE id <> '' RETURNING id");
                let body = notice(json!({ "everybody": true }));
                ((), Attempt::new("POST", PATH, Some(ADMIN.token), body).with_key(name))
            },
            |app, (), attempt| {
                let answer = attempt.send(app, true);
                if answer.status != 409 {
                    return answer;
                }
                app.clock().advance(MINUTE);
                attempt.send(app, true)
            },
            |app, (), answer| {
                let ids = app.database().rows("SELECT id FROM announcements");
                assert_eq!((ids.len(), ids[0][0].to_string()), (1, answer.text("/id")));
            },
        );
        faults::sweep(
            &app,
            |app, name| {
                app.database().rows("DELETE FROM announcements WHERE id <> '' RETURNING id");
                let body = notice(json!({ "everybody": true }));
                let id = issue(app, &format!("public-{name}"), &body).expect(201).text("/id");
                let path = format!("{PATH}/{id}/publication");
                (public(app), Attempt::new("POST", path, Some(ADMIN.token), Value::Null))
            },
            again,
            |app, before, answer| {
                assert_eq!(answer.json["is_public"], true);
                assert_eq!(public(app), before + 1);
            },
        );
    }

    // clause C2
    [stand_in] fn telling_by_sms_bears_being_stopped_anywhere(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, SECRET);
        let mut app = with_sms(builder, &sms).start();
        let people: [Person; 2] = people_with_sms(&mut app);
        app.clock().stop();
        faults::sweep(
            &app,
            |app, name| {
                app.database().rows("DELETE FROM announcements WHERE id <> '' RETURNING id");
                app.database().rows("DELETE FROM notices WHERE account_id <> '' RETURNING account_id");
                sms.set_clock(app.clock().now_ms());
                let listed = accounts(&[&people[0], &people[1]]);
                let id = issue(app, name, &notice(listed)).expect(201).text("/id");
                // The first call may only bring it into the inboxes.
                let attempt = Attempt::new("POST", "/v1/internal/sweep", Some(ADMIN.token), json!({}));
                ((id, sms.messages().len()), attempt)
            },
            |app, _, attempt| {
                attempt.send(app, true);
                sweep_all(app);
                // What was stopped half-way is tried again then.
                app.clock().advance(HOUR);
                sms.set_clock(app.clock().now_ms());
                let answer = sweep(app);
                sweep_all(app);
                answer
            },
            |app, (id, before), _| {
                let sent = &sms.messages()[*before..];
                for person in &people {
                    let to = sent.iter().filter(|message| message.parameters["PhoneNumbers"] == person.phone[3..]);
                    assert!((1..=2).contains(&to.count()), "at least one, and at most one twice");
                    assert_eq!(inbox(app, person).len(), 1);
                }
                assert!(sent.len() <= 3, "{}", sent.len());
                let [delivered, sent, failed] = counts(app, id, ["delivered", "sms_sent", "sms_failed"]);
                assert_eq!((delivered, sent + failed, failed), (2, 2, 0));
            },
        );
    }
}
