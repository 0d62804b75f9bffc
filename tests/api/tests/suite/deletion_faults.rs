//! Deletions that are stopped anywhere, and deletions that meet something else at the same moment.

use std::thread;

use api_tests::{
    ADMIN, Answer, App, Builder, DAY, Device, HOUR, MINUTE, POLICY_VERSION, Person, SECOND,
    on_both_engines,
};
use provider_stand_ins::alipay::Alipay;
use serde_json::{Value, json};

use crate::deletion::{
    PATH, ask, execute, exists, log_in_again, report_minor, request_body, rows_of, take_back,
};
use crate::faults::{Attempt, again, sweep};
use crate::identity::{self, someone_who_agrees};
use crate::payment::{
    Shop, alipay_tells, buy, buyer, customer, ledger_holds, number, open, order, post,
};
use crate::pictures::png;
use crate::retention;
use crate::upload_faults::finish_sweeps;
use crate::uploads::slots;

/// How often a race is run.
const RUNS: usize = 8;

/// Nothing refers to an account that is not there.
fn nothing_refers_to_nothing(app: &App) {
    for (table, column) in [
        ("policy_consents", "account_id"),
        ("consent_events", "account_id"),
        ("sessions", "account_id"),
        ("devices", "account_id"),
        ("profiles", "account_id"),
        ("consents", "account_id"),
        ("wallets", "account_id"),
        ("deletions", "account_id"),
    ] {
        let orphans = format!(
            "SELECT COUNT(*) FROM {table} t WHERE t.{column} IS NOT NULL \
               AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = t.{column}) \
               AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.pseudonym = t.{column})"
        );
        assert_eq!(app.database().count(&orphans), 0, "{table}");
    }
    // Nor is it named by what operators did, or were refused, afterwards.
    let named = "SELECT COUNT(*) FROM operator_audit t \
                 WHERE (t.action LIKE 'account.%' OR t.action = 'request.record') AND t.subject NOT IN ('', 'gone') \
                   AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = t.subject) \
                   AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.pseudonym = t.subject)";
    assert_eq!(app.database().count(named), 0);
    let unfinished = "SELECT COUNT(*) FROM deletions WHERE finished_at IS NULL \
                      OR account_id IS NOT NULL OR phone_hash IS NOT NULL";
    assert_eq!(app.database().count(unfinished), 0);
}

/// Someone with something in many places.
fn someone_with_much(app: &App, name: &str) -> Person {
    let person = someone_who_agrees(app, &["enterprise-verification"]);
    app.upload(&person, "licence", "image/png", &png(name));
    person
}

fn is_gone(app: &App, person: &Person) {
    assert!(!exists(app, &person.account_id));
    finish_sweeps(app);
    assert_eq!(slots(app), 0);
    nothing_refers_to_nothing(app);
}

/// The client sends the same again. If its session is over, it logs in again, to see.
fn until_closed(app: &App, person: &Person, attempt: &Attempt) -> Answer {
    let answer = attempt.send(app, true);
    if answer.status != 401 {
        return answer;
    }
    let again = log_in_again(app, person);
    assert_eq!(again.account_id, person.account_id);
    app.get(PATH, &again.token)
}

/// Asks for a deletion at once, by many at a time.
fn at_once<T: Send>(one: impl FnOnce() -> T + Send, other: impl FnOnce() -> T + Send) -> [T; 2] {
    thread::scope(|scope| {
        let (one, other) = (scope.spawn(one), scope.spawn(other));
        [one, other].map(|done| done.join().expect("no panic"))
    })
}

fn shop_without_grace(builder: Builder) -> Shop {
    open(
        builder
            .variable("deletion_grace_days", "0")
            .with_guards_probe(),
    )
}

on_both_engines! {
    // clause R5
    [stand_in] fn asking_to_leave(app: App) {
        sweep(
            &app,
            |app, name| {
                let person = someone_with_much(app, name);
                let attempt = Attempt::new("POST", PATH, Some(&person.token), request_body(app, &person, false));
                (person, attempt)
            },
            until_closed,
            |app, person, answer| {
                assert!(answer.json["executes_at"].is_string());
                app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
                let again = log_in_again(app, person);
                app.get("/v1/profile", &again.token).expect_problem(403, "account-closing");
                take_back(app, &again).expect(204);
                app.get("/v1/profile", &again.token).expect(200);
            },
        );
    }

    // clause R5
    [stand_in] fn taking_it_back(app: App) {
        sweep(
            &app,
            |app, _| {
                let person = app.someone();
                ask(app, &person, false).expect(202);
                let person = log_in_again(app, &person);
                let attempt = Attempt::new("DELETE", PATH, Some(&person.token), Value::Null);
                (person, attempt)
            },
            again,
            |app, person, _| {
                app.get("/v1/profile", &person.token).expect(200);
                assert_eq!(app.get(PATH, &person.token).expect(200).json["executes_at"], Value::Null);
            },
        );
    }

    // clause R5, R8
    [stand_in] fn leaving_at_once(builder: Builder) {
        let builder = builder.variable("deletion_grace_days", "0");
        let app = builder.with_guards_probe().start();
        sweep(
            &app,
            |app, name| {
                let person = someone_with_much(app, name);
                let attempt = Attempt::new("POST", PATH, Some(&person.token), request_body(app, &person, false));
                (person, attempt)
            },
            |app, _, attempt| {
                let answer = attempt.send(app, true);
                if answer.status != 401 {
                    return answer;
                }
                // The account is gone, and so may be the one who asked; the rest is done without.
                execute(app);
                app.request("GET", "/v1/policy").send()
            },
            |app, person, _| is_gone(app, person),
        );
    }

    // clause R5, R8
    [stand_in] fn executing_what_is_due(builder: Builder) {
        let app = builder.with_guards_probe().start();
        let due = |app: &App, name: &str| {
            let person = someone_with_much(app, name);
            ask(app, &person, false).expect(202);
            app.database().rows("UPDATE accounts SET closes_at = 1 WHERE closes_at > 1 RETURNING id");
            person
        };
        sweep(
            &app,
            |app, name| {
                let asked = json!(["account-deletion", "/internal/execute"]);
                (due(app, name), Attempt::new("POST", "/v1/probe/internal", None, asked))
            },
            |app, _, attempt| attempt.send(app, false),
            |app, person, _| is_gone(app, person),
        );
    }

    // clause M1, R5
    [stand_in] fn an_operator_deletes(builder: Builder) {
        let app = builder.with_operators().with_guards_probe().start();
        sweep(
            &app,
            |app, name| {
                let person = someone_with_much(app, name);
                let path = format!("/v1/operator/accounts/{}/deletion", person.account_id);
                let body = json!({ "reason": "minor", "request": report_minor(app, &person) });
                (person, Attempt::new("POST", path, Some(ADMIN.token), body))
            },
            |app, _, attempt| {
                let answer = attempt.send(app, true);
                if answer.status != 404 {
                    return answer;
                }
                execute(app);
                app.request("GET", "/v1/policy").send()
            },
            |app, person, _| is_gone(app, person),
        );
    }

    // clause R8
    [stand_in] fn replaying(builder: Builder) {
        let app = builder.with_operators().with_guards_probe().start();
        sweep(
            &app,
            |app, name| {
                let person = someone_with_much(app, name);
                let key = format!("SELECT person_key_id FROM accounts WHERE id = '{}'", person.account_id);
                let key = app.database().rows(&key)[0][0].to_string();
                app.overwrite_key(&format!("person-key:{key}"), b"destroyed 1");
                // Whoever was there before is not looked at again.
                let before = format!("SELECT COALESCE(MAX(id), '') FROM accounts WHERE id < '{}'", person.account_id);
                let before = app.database().rows(&before)[0][0].to_string();
                let body = json!({ "after": Some(before).filter(|before| !before.is_empty()) });
                (person, Attempt::new("POST", "/v1/operator/deletions/replay", Some(ADMIN.token), body))
            },
            |app, _, attempt| {
                // One whose account is gone is finished with the others that are due.
                execute(app);
                attempt.send(app, true)
            },
            |app, person, _| is_gone(app, person),
        );
    }

    // clause R8, R3, R4
    [stand_in] fn replaying_what_was_noted(builder: Builder) {
        let app = builder.with_operators().with_guards_probe().start();
        app.clock().stop();
        let now = app.clock().now_ms();
        let closes_at = now + 7 * 24 * 60 * 60 * 1000;
        let copy = format!("erasures:{}", now / (24 * 60 * 60 * 1000));
        let other = someone_who_agrees(&app, &["location"]);
        // It makes the day's copy.
        app.consent(&other, "location", false).expect(200);
        sweep(
            &app,
            |app, _| {
                let person = someone_who_agrees(app, &["location", "marketing-sms"]);
                app.locate(&person, 24.4798, 118.0894).expect(200);
                app.request("PUT", &format!("/v1/blocks/{}", other.account_id)).token(&person.token).send().expect(204);
                let key = format!("SELECT person_key_id FROM accounts WHERE id = '{}'", person.account_id);
                let key = app.database().rows(&key)[0][0].to_string();
                // The copy knows of it, and the rows do not: a backup of before was restored. They are as many as one
                // call does, so that it looks at no account.
                let notes: String = [
                    format!("category:blocks {now} "),
                    format!("category:location {now} "),
                    format!("closing {now} {closes_at}"),
                    format!("consent:location {now} "),
                    format!("consent:marketing-sms {now} "),
                ].iter().map(|note| format!("{key} {note}\n")).collect();
                app.overwrite_key(&copy, notes.as_bytes());
                let body = json!({ "after": null });
                (person, Attempt::new("POST", "/v1/operator/deletions/replay", Some(ADMIN.token), body))
            },
            again,
            |app, person, _| {
                let request = app.request("POST", "/v1/operator/deletions/replay").token(ADMIN.token);
                let done = request.json(&json!({ "after": null })).expect(200).json;
                assert_eq!((&done["replayed"], &done["done_again"]), (&json!(0), &json!(0)));
                for table in ["locations", "blocks", "consents"] {
                    assert_eq!(rows_of(app, table, &person.account_id), 0, "{table}");
                }
                let closing = format!("SELECT closes_at FROM accounts WHERE id = '{}'", person.account_id);
                assert_eq!(app.database().count(&closing), closes_at);
            },
        );
    }

    // clause R5
    fn two_executions_at_once(builder: Builder) {
        let app = builder.with_guards_probe().start();
        for _ in 0..RUNS {
            let people: Vec<_> = (0..3).map(|_| someone_with_much(&app, "x")).collect();
            for person in &people {
                ask(&app, person, false).expect(202);
            }
            app.database().rows("UPDATE accounts SET closes_at = 1 WHERE closes_at > 1 RETURNING id");
            at_once(|| execute(&app), || execute(&app));
            execute(&app);
            for person in &people {
                assert!(!exists(&app, &person.account_id));
            }
            nothing_refers_to_nothing(&app);
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM deletions"), 3 * RUNS as i64);
    }

    // clause R5
    fn taking_it_back_while_it_begins(builder: Builder) {
        let app = builder.with_guards_probe().start();
        let mut stayed = 0;
        for _ in 0..RUNS * 2 {
            let person = app.someone();
            ask(&app, &person, false).expect(202);
            let person = log_in_again(&app, &person);
            app.database().rows("UPDATE accounts SET closes_at = 1 WHERE closes_at > 1 RETURNING id");
            let [taken_back, _] = at_once(
                || take_back(&app, &person).status,
                || { execute(&app); 200 },
            );
            execute(&app);
            match taken_back {
                204 => {
                    stayed += 1;
                    app.get("/v1/profile", &person.token).expect(200);
                }
                // Too late, or even gone before it was asked.
                409 | 401 => assert!(!exists(&app, &person.account_id)),
                other => panic!("{other}"),
            }
            nothing_refers_to_nothing(&app);
        }
        println!("{stayed} of {} stayed", RUNS * 2);
    }

    // clause R5
    fn logging_in_while_it_is_executed(builder: Builder) {
        let builder = builder.variable("deletion_grace_days", "0");
        let app = builder.with_guards_probe().start();
        for run in 0..RUNS * 2 {
            let person = app.someone();
            let code = app.sms_code(&person.phone, "login");
            let delete = request_body(&app, &person, false);
            let mut login = App::login(&person.phone, &code, &Device::new(&format!("device-{}", run % 2 + 1)));
            login["policy_version"] = POLICY_VERSION.into();
            let [logged_in, deleted] = at_once(
                || app.post("/v1/auth/sessions", &login),
                || app.request("POST", PATH).token(&person.token).json(&delete),
            );
            // Its own device may have taken the session that asks.
            assert!(matches!(deleted.status, 202 | 401), "{deleted:?}");
            // The code may have gone with the account.
            if logged_in.status != 201 {
                logged_in.expect_problem(401, "credentials-invalid");
                continue;
            }
            let session = Person::of(&person.phone, &logged_in);
            let seen = app.get("/v1/profile", &session.token);
            match seen.status {
                // A new person, or the account that nobody deleted.
                200 => assert_eq!(session.account_id == person.account_id, deleted.status == 401),
                // The old one, which is over, or about to be.
                401 | 403 => assert_eq!(session.account_id, person.account_id),
                other => panic!("{other}"),
            }
            execute(&app);
            nothing_refers_to_nothing(&app);
        }
    }

    // clause R5, E15
    fn a_payment_is_told_of_while_it_is_executed(builder: Builder) {
        let shop = shop_without_grace(builder);
        let app = &shop.app;
        for _ in 0..RUNS {
            let person = customer(app);
            let ordered = order(app, &person, "alipay-app").expect(201);
            let number = number(&ordered);
            shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
            shop.alipay.pay(&number).expect("it can be paid");
            let delete = request_body(app, &person, true);
            let [told, deleted] = at_once(
                || alipay_tells(&shop, &number).status,
                || app.request("POST", PATH).token(&person.token).json(&delete).status,
            );
            assert_eq!((told, deleted), (200, 202));
            // Told again, as an institution does that heard nothing.
            alipay_tells(&shop, &number).expect(200);
            let credited = format!(
                "SELECT COUNT(*) FROM ledger l JOIN orders o ON o.id = l.reference AND o.holder = l.account \
                 WHERE o.id = '{}' AND o.status = 'paid' AND l.kind = 'top-up'", ordered.text("/id")
            );
            assert_eq!(app.database().count(&credited), 1);
            nothing_refers_to_nothing(app);
        }
        ledger_holds(app);
    }

    // clause R5, E15
    fn a_tip_comes_while_it_is_executed(builder: Builder) {
        let shop = shop_without_grace(builder);
        let app = &shop.app;
        let (giver, _) = buyer(&shop);
        let mut given = 0;
        for _ in 0..RUNS {
            let person = customer(app);
            let delete = request_body(app, &person, true);
            let tip = json!({ "to": person.account_id, "coins": 1 });
            let [tipped, deleted] = at_once(
                || post(app, &giver, "/v1/tips", &tip).status,
                || app.request("POST", PATH).token(&person.token).json(&delete).status,
            );
            assert!(matches!(tipped, 201 | 404), "{tipped}");
            assert_eq!(deleted, 202);
            given += i64::from(tipped == 201);
            nothing_refers_to_nothing(app);
        }
        let spent = "SELECT COUNT(*) FROM ledger WHERE kind = 'tip-given'";
        assert_eq!(app.database().count(spent), given);
        ledger_holds(app);
    }

    // clause R5, G1
    fn a_consent_is_given_while_it_is_executed(builder: Builder) {
        let shop = shop_without_grace(builder);
        let app = &shop.app;
        for granted in [true, false].repeat(RUNS / 2) {
            let person = someone_who_agrees(app, if granted { &[] } else { &["location"] });
            let delete = request_body(app, &person, true);
            let version = shared::consent::Purpose::Location.terms().version;
            let body = json!({ "granted": granted, "version": version });
            let [decided, deleted] = at_once(
                || app.request("PUT", "/v1/consents/location").token(&person.token).json(&body).status,
                || app.request("POST", PATH).token(&person.token).json(&delete).status,
            );
            assert!(matches!(decided, 200 | 401), "{decided}");
            assert_eq!(deleted, 202);
            nothing_refers_to_nothing(app);
        }
    }

    // clause R5, R6
    fn a_copy_that_is_being_made_goes_with_the_account(builder: Builder) {
        let shop = shop_without_grace(builder);
        let app = &shop.app;
        for _ in 0..3 {
            let person = customer(app);
            buy(&shop, &person);
            let asked = app.request("POST", "/v1/account/exports").token(&person.token);
            asked.json(&json!({ "email": "lin@example.com" })).expect(202);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| retention::sweep(app).expect(200));
                }
                ask(app, &person, true).expect(202);
            });
            retention::sweep_all(app);
            assert_eq!(app.database().count("SELECT COUNT(*) FROM exports"), 0);
            assert_eq!(app.database().count("SELECT COUNT(*) FROM export_parts"), 0);
            assert_eq!(rows_of(app, "wallets", &person.account_id), 0);
            nothing_refers_to_nothing(app);
        }
    }

    // clause R5, T3
    fn an_identity_is_sent_while_it_is_executed(builder: Builder) {
        let alipay = Alipay::start(identity::APP_ID);
        let app = identity::with_alipay(builder.variable("deletion_grace_days", "0"), &alipay).start();
        for _ in 0..RUNS * 2 {
            let person = identity::candidate(&app);
            let number = identity::id_number();
            let delete = request_body(&app, &person, true);
            let calls = alipay.calls(identity::INITIALIZE).len();
            let told = app.database().count("SELECT COUNT(*) FROM recipient_notices");
            let [started, deleted] = at_once(
                || identity::ask(&app, &person, &number).status,
                || app.request("POST", PATH).token(&person.token).json(&delete).status,
            );
            // 404: the key under which it seals went after the account was found; nothing has left then.
            assert!(matches!(started, 201 | 401 | 403 | 404), "{started}");
            assert_eq!(deleted, 202);
            let new = |before: i64| app.database().count("SELECT COUNT(*) FROM recipient_notices") - before;
            if alipay.calls(identity::INITIALIZE).len() > calls {
                assert_eq!(new(told), 1, "who got it is told");
            }
            assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
            nothing_refers_to_nothing(&app);
        }
    }

    // clause R5, T3
    fn nothing_leaves_once_it_has_begun(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        let person = customer(app);
        app.consent(&person, "real-name-verification", true).expect(200);
        // The session is cached, and for a minute it looks as before.
        app.get("/v1/profile", &person.token).expect(200);
        app.database().rows(&format!("UPDATE accounts SET closes_at = 0 WHERE id = '{}' RETURNING id", person.account_id));
        identity::ask(app, &person, &identity::id_number()).expect_problem(401, "unauthenticated");
        for channel in ["alipay-app", "wechat-app"] {
            order(app, &person, channel).expect_problem(401, "unauthenticated");
        }
        assert!(shop.alipay.calls(identity::INITIALIZE).is_empty() && shop.wechat.refusals().is_empty());
        assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
    }

    // clause R5, T3
    fn a_record_of_a_slow_request_goes_and_its_recipient_is_told(builder: Builder) {
        let app = builder.variable("deletion_grace_days", "0").start();
        let person = app.someone();
        // Written before the deletion began, by a request that came after the one that deletes.
        app.database().rows(&format!(
            "INSERT INTO disclosures (id, phone_hash, recipient, purpose, data, basis, sent_at, reference) \
             SELECT '0198c5a0-0000-7000-8000-000000000001', phone_hash, 'alipay', 'payment', 'amount', 'consent', \
               9000000000000, 'x' FROM accounts WHERE id = '{}' RETURNING id", person.account_id
        ));
        ask(&app, &person, false).expect(202);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM recipient_notices WHERE recipient = 'alipay'"), 1);
    }

    // clause R5
    [stand_in] fn those_that_are_stuck_hold_up_no_other(builder: Builder) {
        let app = builder.with_guards_probe().start();
        app.clock().stop();
        let people: Vec<_> = (0..12).map(|_| app.someone()).collect();
        let (stuck, others) = people.split_at(7);
        // Something that nobody knows of refers to them.
        app.database().rows("CREATE TABLE stuck (account_id TEXT REFERENCES accounts (id))");
        for person in stuck {
            app.database().rows(&format!("INSERT INTO stuck VALUES ('{}') RETURNING account_id", person.account_id));
        }
        for person in &people {
            ask(&app, person, false).expect(202);
            app.clock().advance(SECOND);
        }
        app.clock().advance(7 * DAY);
        let left = |people: &[Person]| people.iter().filter(|person| exists(&app, &person.account_id)).count();
        for _ in 0..6 {
            execute(&app);
            app.clock().advance(MINUTE);
        }
        assert_eq!((left(stuck), left(others)), (7, 0));
        // They are tried less and less often: not each time.
        app.clock().advance(HOUR);
        for _ in 0..4 {
            execute(&app);
        }
        let due = || app.database().rows("SELECT id, due_at FROM deletions ORDER BY id");
        let before = due();
        execute(&app);
        assert_eq!(due(), before);
        // And again in time.
        app.database().rows("DELETE FROM stuck WHERE account_id <> '' RETURNING account_id");
        app.clock().advance(HOUR);
        for _ in 0..4 {
            execute(&app);
        }
        assert_eq!(left(stuck), 0);
        app.database().rows("DROP TABLE stuck");
        nothing_refers_to_nothing(&app);
    }

    // clause R5
    fn who_has_very_much_goes_in_parts(builder: Builder) {
        let shop = shop_without_grace(builder);
        let app = &shop.app;
        let (person, _) = buyer(&shop);
        let (other, _) = buyer(&shop);
        let value = |statement: String| app.database().rows(&statement)[0][0].to_string();
        let holder = |person: &Person| {
            value(format!("SELECT holder FROM wallets WHERE account_id = '{}'", person.account_id))
        };
        let (own, theirs) = (holder(&person), holder(&other));
        let gifts: Vec<_> = (0..2_600).map(|nth| {
            let (from, to) = if nth % 2 == 0 { (&own, &theirs) } else { (&theirs, &own) };
            format!("('gift-{nth:05}', '{from}', '{to}', NULL, NULL, NULL, 0)")
        }).collect();
        app.database().insert("gifts", &gifts);
        ask(app, &person, true).expect(202);
        assert!(!exists(app, &person.account_id));
        assert_eq!(app.database().count("SELECT COUNT(*) FROM gifts"), 0);
        nothing_refers_to_nothing(app);
    }
}
