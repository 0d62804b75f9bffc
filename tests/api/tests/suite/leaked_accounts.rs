//! `/v1/account/leak-reports`, `/v1/operator/accounts/{id}/freeze`, `/v1/auth/password-resets`: what happens when an
//! account or its password has leaked.

use std::thread;

use api_tests::{
    ADMIN, Answer, App, Builder, Device, HOUR, MINUTE, POLICY_VERSION, Person, REVIEWER, SCHEDULER,
    mobile_number, on_both_engines,
};
use provider_stand_ins::Behaviour;
use provider_stand_ins::webhook::Webhook;
use serde_json::{Value, json};

use crate::exports;
use crate::faults::{Attempt, again, sweep};

const REPORTS: &str = "/v1/account/leak-reports";
const RESETS: &str = "/v1/auth/password-resets";
const SESSIONS: &str = "/v1/auth/sessions";
const UNKNOWN: &str = "0198c5a0-0000-7000-8000-00000000000f";
const OLD: &str = "长风破浪会有时1";
const NEW: &str = "直挂云帆济沧海1";

fn report(app: &App, person: &Person) -> Answer {
    app.request("POST", REPORTS).token(&person.token).send()
}

fn freeze(app: &App, account_id: &str) -> Answer {
    let path = format!("/v1/operator/accounts/{account_id}/freeze");
    app.request("POST", &path).token(REVIEWER.token).send()
}

fn reset(app: &App, phone: &str, password: &str) -> Answer {
    let code = app.sms_code(phone, "reset");
    app.post(
        RESETS,
        &json!({ "phone": phone, "code": code, "password": password }),
    )
}

fn log_in_by_password(app: &App, phone: &str, password: &str) -> Answer {
    app.post(SESSIONS, &json!({ "phone": phone, "password": password }))
}

fn log_in_by_code(app: &App, phone: &str) -> Answer {
    let code = app.sms_code(phone, "login");
    app.post(SESSIONS, &App::login(phone, &code, &Device::new("new")))
}

/// Someone with a password and two devices.
fn someone(app: &App) -> [Person; 2] {
    let phone = mobile_number();
    let people = ["a", "b"].map(|device| app.log_in_on(&phone, &Device::new(device)));
    let code = app.sms_code(&phone, "password");
    app.request("PUT", "/v1/auth/password")
        .token(&people[1].token)
        .json(&json!({ "password": OLD, "code": code }))
        .expect(204);
    let [_, b] = people;
    [app.log_in_on(&phone, &Device::new("a")), b]
}

fn sessions(app: &App, account_id: &str) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM sessions WHERE account_id = '{account_id}'"
    ))
}

fn is_frozen(app: &App, account_id: &str) -> bool {
    let frozen = format!(
        "SELECT COUNT(*) FROM accounts WHERE id = '{account_id}' AND frozen_at IS NOT NULL \
           AND password_hash IS NULL"
    );
    app.database().count(&frozen) == 1
}

fn is_shut(app: &App, people: &[Person; 2]) {
    let account_id = &people[0].account_id;
    assert_eq!(sessions(app, account_id), 0);
    assert!(is_frozen(app, account_id));
    for person in people {
        app.get("/v1/profile", &person.token)
            .expect_problem(401, "unauthenticated");
    }
}

on_both_engines! {
    // clause C3, R6
    fn copies_that_somebody_asked_for_go_with_the_freezing(builder: Builder) {
        let app = exports::building(builder).start();
        let [thief, owner] = someone(&app);
        let mailed = exports::ask(&app, &thief).expect(202).text("/id");
        exports::build(&app);
        let link = exports::link(&app, &mailed);
        let waiting = exports::ask(&app, &thief).expect(202).text("/id");
        report(&app, &owner).expect(204);
        exports::build(&app);
        exports::download(&app, &link).expect(404);
        assert!(!app.log().events("export-ready").iter().any(|event| event["export"] == waiting));
        for table in ["exports", "export_parts"] {
            assert_eq!(app.database().count(&format!("SELECT COUNT(*) FROM {table}")), 0);
        }
    }

    // clause C3
    fn a_report_ends_every_session_and_freezes_the_account(builder: Builder) {
        let webhook = Webhook::start();
        let app = builder
            .variable("operator_webhook", webhook.url())
            .variable("operator_webhook_path", "/robot")
            .start();
        let people = someone(&app);
        for person in &people {
            app.get("/v1/profile", &person.token).expect(200);
        }
        let reported = report(&app, &people[0]).expect(204);
        is_shut(&app, &people);
        report(&app, &people[0]).expect_problem(401, "unauthenticated");
        // The operators are told, and nothing about anybody.
        let [post] = webhook.posts().try_into().expect("one post");
        let alert: Value = serde_json::from_slice(&post.body).expect("JSON");
        assert_eq!((&alert["event"], &alert["by"]), (&json!("account-leaked"), &json!("person")));
        let text = String::from_utf8(post.body).expect("a text");
        assert!(!text.contains(&people[0].phone[3..]) && !text.contains(&people[0].account_id));
        let event = app.log().event("account-frozen", reported.request_id());
        assert_eq!(event["by"], "person");
        // A webhook that is away stops nothing.
        webhook.plan(Behaviour::Refuse(500, "broken"));
        let people = someone(&app);
        report(&app, &people[1]).expect(204);
        is_shut(&app, &people);
        app.log().event_with("account-leaked", "level", "alarm");
    }

    // clause C3
    fn nobody_logs_in_to_a_frozen_account_and_only_the_right_code_hears_why(app: App) {
        let people = someone(&app);
        let phone = &people[0].phone;
        report(&app, &people[0]).expect(204);
        let wrong = json!({ "phone": phone, "code": "wrong", "policy_version": POLICY_VERSION });
        app.post(SESSIONS, &wrong).expect_problem(401, "credentials-invalid");
        log_in_by_code(&app, phone).expect_problem(403, "account-frozen");
        // The password that leaked is none any more.
        for password in [OLD, "wrong password"] {
            log_in_by_password(&app, phone, password).expect_problem(401, "credentials-invalid");
        }
        assert_eq!(sessions(&app, &people[0].account_id), 0);
        // A login that was answered before cannot be repeated into a session.
        let other = mobile_number();
        let code = app.sms_code(&other, "login");
        let login = App::login(&other, &code, &Device::new("a"));
        let person = Person::of(&other, &app.post(SESSIONS, &login).expect(201));
        report(&app, &person).expect(204);
        let repeated = app.post(SESSIONS, &login);
        assert!([401, 403].contains(&repeated.status), "{repeated:?}");
        assert_eq!(sessions(&app, &person.account_id), 0);
    }

    // clause C3
    fn a_new_password_by_sms_opens_it_again(app: App) {
        let people = someone(&app);
        let (phone, account_id) = (&people[0].phone, &people[0].account_id);
        report(&app, &people[0]).expect(204);
        reset(&app, phone, NEW).expect(204);
        assert!(!is_frozen(&app, account_id));
        assert_eq!(sessions(&app, account_id), 0, "it opens none");
        log_in_by_password(&app, phone, OLD).expect_problem(401, "credentials-invalid");
        let answer = log_in_by_password(&app, phone, NEW).expect(201);
        assert_eq!(answer.text("/account/id"), *account_id);
        log_in_by_code(&app, phone).expect(201);
    }

    // clause L1, C3
    fn who_forgot_the_password_sets_another_and_every_session_ends(app: App) {
        let people = someone(&app);
        let phone = &people[0].phone;
        for person in &people {
            app.get("/v1/profile", &person.token).expect(200);
        }
        reset(&app, phone, NEW).expect(204);
        for person in &people {
            app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
        }
        log_in_by_password(&app, phone, OLD).expect_problem(401, "credentials-invalid");
        log_in_by_password(&app, phone, NEW).expect(201);
        // Also who never had one.
        let person = app.someone();
        reset(&app, &person.phone, NEW).expect(204);
        log_in_by_password(&app, &person.phone, NEW).expect(201);
    }

    // clause L1
    fn the_answer_does_not_tell_whether_there_is_an_account(app: App) {
        let member = app.someone();
        let nobody = mobile_number();
        for phone in [&member.phone, &nobody] {
            let wrong = json!({ "phone": phone, "code": "000000", "password": NEW });
            app.post(RESETS, &wrong).expect_problem(401, "credentials-invalid");
            let code = app.sms_code(phone, "reset");
            let body = json!({ "phone": phone, "code": code, "password": NEW });
            app.post(RESETS, &body).expect(204);
            // The code is used up.
            app.post(RESETS, &body).expect_problem(401, "credentials-invalid");
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM accounts"), 1);
        log_in_by_password(&app, &nobody, NEW).expect_problem(401, "credentials-invalid");
    }

    // clause L1
    fn a_reset_needs_a_code_of_its_own_and_a_good_password(app: App) {
        let person = app.someone();
        for purpose in ["login", "password"] {
            let code = app.sms_code(&person.phone, purpose);
            let body = json!({ "phone": person.phone, "code": code, "password": NEW });
            app.post(RESETS, &body).expect_problem(401, "credentials-invalid");
        }
        let code = app.sms_code(&person.phone, "reset");
        for (password, violation) in [("short", "password:length"), ("Password1", "password:common")] {
            let body = json!({ "phone": person.phone, "code": code, "password": password });
            app.post(RESETS, &body).expect_violations(&[violation]);
        }
        let body = json!({ "phone": "123", "code": code, "password": NEW });
        app.post(RESETS, &body).expect_problem(422, "phone-invalid");
        let body = json!({ "phone": person.phone, "code": code, "password": NEW });
        app.post(RESETS, &body).expect(204);
        // A code to reset is none to log in.
        let code = app.sms_code(&person.phone, "reset");
        app.post(SESSIONS, &App::login(&person.phone, &code, &Device::new("a")))
            .expect_problem(401, "credentials-invalid");
    }

    // clause C1
    [stand_in] fn resets_are_tried_as_often_as_passwords_and_no_more(app: App) {
        app.clock().stop();
        let person = app.someone();
        let wrong = json!({ "phone": person.phone, "code": "000000", "password": NEW });
        for _ in 0..5 {
            app.post(RESETS, &wrong).expect_problem(401, "credentials-invalid");
            log_in_by_password(&app, &person.phone, OLD).expect_problem(401, "credentials-invalid");
        }
        app.post(RESETS, &wrong).expect_problem(429, "rate-limited");
        log_in_by_password(&app, &person.phone, OLD).expect_problem(429, "rate-limited");
        app.clock().advance(HOUR);
        app.post(RESETS, &wrong).expect_problem(401, "credentials-invalid");
    }

    // clause C3
    fn an_operator_freezes_for_who_calls(builder: Builder) {
        let app = builder.with_operators().start();
        let people = someone(&app);
        let account_id = &people[0].account_id;
        let path = format!("/v1/operator/accounts/{account_id}/freeze");
        app.request("POST", &path).send().expect_problem(401, "unauthenticated");
        app.request("POST", &path).token(&people[0].token).send().expect_problem(401, "unauthenticated");
        app.request("POST", &path).token(SCHEDULER.token).send().expect_problem(403, "operator-role");
        app.get("/v1/profile", &people[0].token).expect(200);
        for _ in 0..2 {
            freeze(&app, account_id).expect(204);
            is_shut(&app, &people);
        }
        app.request("POST", &path).token(ADMIN.token).send().expect(204);
        let audited = format!(
            "SELECT COUNT(*) FROM operator_audit WHERE action = 'account.freeze' AND subject = '{account_id}'"
        );
        assert_eq!(app.database().count(&audited), 3);
        app.log().event_with("account-frozen", "by", "operator");
        freeze(&app, UNKNOWN).expect_problem(404, "not-found");
        reset(&app, &people[0].phone, NEW).expect(204);
        log_in_by_password(&app, &people[0].phone, NEW).expect(201);
    }

    // clause C3
    [stand_in] fn a_report_is_open_without_consent_to_the_newest_policy(builder: Builder) {
        let app = builder.with_operators().start();
        let person = app.someone();
        app.publish_policy("2027-01-01", true);
        app.clock().advance(MINUTE);
        report(&app, &person).expect(204);
        assert!(is_frozen(&app, &person.account_id));
    }

    // clause C3
    fn no_login_outlives_a_freezing_at_the_same_moment(builder: Builder) {
        let app = builder.without_limits().with_operators().start();
        for round in 0..12 {
            let [person, _] = someone(&app);
            let by_code = App::login(&person.phone, &app.sms_code(&person.phone, "login"), &Device::new("c"));
            let by_password = json!({ "phone": person.phone, "password": OLD });
            thread::scope(|scope| {
                for body in [&by_code, &by_password, &by_password, &by_password] {
                    scope.spawn(|| {
                        let answer = app.post(SESSIONS, body);
                        assert!([201, 401, 403].contains(&answer.status), "{answer:?}");
                    });
                }
                scope.spawn(|| {
                    if round % 2 == 0 {
                        report(&app, &person).expect(204);
                    } else {
                        freeze(&app, &person.account_id).expect(204);
                    }
                });
            });
            assert!(is_frozen(&app, &person.account_id));
            assert_eq!(sessions(&app, &person.account_id), 0, "round {round}");
        }
    }

    // clause C3
    fn no_login_with_the_old_password_outlives_a_reset_at_the_same_moment(builder: Builder) {
        let app = builder.without_limits().start();
        for round in 0..12 {
            let [person, _] = someone(&app);
            let code = app.sms_code(&person.phone, "reset");
            let body = json!({ "phone": person.phone, "code": code, "password": NEW });
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let answer = log_in_by_password(&app, &person.phone, OLD);
                        assert!([201, 401, 403].contains(&answer.status), "{answer:?}");
                    });
                }
                scope.spawn(|| app.post(RESETS, &body).expect(204));
            });
            assert_eq!(sessions(&app, &person.account_id), 0, "round {round}");
            log_in_by_password(&app, &person.phone, NEW).expect(201);
        }
    }

    // clause C3
    fn a_freezing_after_the_code_was_used_is_not_undone_by_it(builder: Builder) {
        let app = builder.without_limits().with_operators().start();
        for _ in 0..8 {
            let [person, _] = someone(&app);
            let code = app.sms_code(&person.phone, "reset");
            let body = json!({ "phone": person.phone, "code": code, "password": NEW });
            let opened = thread::scope(|scope| {
                let resetting = scope.spawn(|| app.post(RESETS, &body).status);
                scope.spawn(|| freeze(&app, &person.account_id).expect(204));
                resetting.join().expect("it answers")
            });
            assert!([204, 409].contains(&opened), "{opened}");
            // Frozen, or opened with the new password alone: never open with the old one.
            assert_eq!(sessions(&app, &person.account_id), 0);
            log_in_by_password(&app, &person.phone, OLD).expect_problem(401, "credentials-invalid");
            if opened == 409 {
                assert!(is_frozen(&app, &person.account_id));
            }
        }
    }

    // clause C3
    [stand_in] fn reporting_bears_being_stopped_anywhere(app: App) {
        sweep(
            &app,
            |app, _| {
                let people = someone(app);
                for person in &people {
                    app.get("/v1/profile", &person.token).expect(200);
                }
                let attempt = Attempt::new("POST", REPORTS, Some(&people[0].token), Value::Null);
                (people, attempt)
            },
            |app, people, attempt| {
                let answer = attempt.send(app, true);
                if answer.status == 401 {
                    // The session that reports ends last: all is done, and the operators know.
                    is_shut(app, people);
                    return app.request("GET", "/v1/policy").send();
                }
                answer
            },
            |app, people, _| {
                is_shut(app, people);
                log_in_by_code(app, &people[0].phone).expect_problem(403, "account-frozen");
                assert!(!app.log().events("account-leaked").is_empty());
            },
        );
    }

    // clause C3
    [stand_in] fn freezing_by_an_operator_bears_being_stopped_anywhere(builder: Builder) {
        let app = builder.with_operators().start();
        sweep(
            &app,
            |app, _| {
                let people = someone(app);
                let path = format!("/v1/operator/accounts/{}/freeze", people[0].account_id);
                (people, Attempt::new("POST", path, Some(REVIEWER.token), Value::Null))
            },
            again,
            |app, people, _| is_shut(app, people),
        );
    }

    // clause C3
    [stand_in] fn a_reset_that_is_stopped_leaves_the_account_shut_or_unchanged_never_open(app: App) {
        sweep(
            &app,
            |app, name| {
                let people = someone(app);
                report(app, &people[0]).expect(204);
                let password = format!("直挂云帆-{name}-济沧海");
                let code = app.sms_code(&people[0].phone, "reset");
                let body = json!({ "phone": people[0].phone, "code": code, "password": password });
                ((people, password), Attempt::new("POST", RESETS, None, body))
            },
            |app, (people, password), _| {
                let (phone, account_id) = (&people[0].phone, &people[0].account_id);
                if is_frozen(app, account_id) {
                    log_in_by_code(app, phone).expect_problem(403, "account-frozen");
                    log_in_by_password(app, phone, password).expect_problem(401, "credentials-invalid");
                } else {
                    log_in_by_password(app, phone, password).expect(201);
                }
                log_in_by_password(app, phone, OLD).expect_problem(401, "credentials-invalid");
                // Another code does the rest.
                reset(app, phone, password)
            },
            |app, (people, password), _| {
                assert_eq!(sessions(app, &people[0].account_id), 0);
                log_in_by_password(app, &people[0].phone, password).expect(201);
            },
        );
    }
}
