//! The writes about money, each stopped at every call to the host in turn and done again.

use api_tests::{Answer, App, Builder, MINUTE, Person, on_both_engines};
use provider_stand_ins::wechat_pay::{Post, RefundStatus};
use serde_json::{Value, json};

use crate::faults::{Attempt, again, sweep};
use crate::identity::FORM;
use crate::payment::{
    COINS, PACKAGE, Shop, agree_on_time, anomalies, buy, buyer, customer, fresh_key, hand_over,
    ledger_holds, number, open, order, read, refund, refunds, wallet, wechat_buyer,
};
use crate::payment_sweep::{LOOK, look};

/// The client sends the same again; where the stopped one still holds its key, a minute later.
fn until_done<S>(app: &App, _: &S, attempt: &Attempt) -> Answer {
    let answer = attempt.send(app, true);
    if answer.status != 409 {
        return answer;
    }
    app.clock().advance(MINUTE);
    attempt.send(app, true)
}

fn post(person: &Person, path: &str, body: Value) -> Attempt {
    Attempt::new("POST", path, Some(&person.token), body).with_key(&fresh_key())
}

/// A notification as WeChat posts it.
fn heard(post: &Post) -> Attempt {
    let path = post
        .url
        .strip_prefix("https://api.example.cn")
        .unwrap_or(&post.url);
    let headers = post
        .headers
        .iter()
        .filter(|(name, _)| *name != "content-type");
    headers
        .fold(
            Attempt::new("POST", path, None, Value::Null),
            |attempt, (name, value)| attempt.with_header(name, value),
        )
        .with_body("application/json", post.body.clone().into_bytes())
}

/// An order whose payer has seen it, and perhaps paid; nobody has told of it.
fn begun(shop: &Shop, person: &Person, channel: &str, is_paid: bool) -> String {
    let ordered = order(&shop.app, person, channel).expect(201);
    let number = number(&ordered);
    if channel == "alipay-app" {
        hand_over(shop, &ordered);
        shop.alipay.open(&number).expect("it can be opened");
    }
    match (channel, is_paid) {
        ("alipay-app", true) => shop.alipay.pay(&number).expect("it can be paid"),
        (_, true) => shop.wechat.pay(&number),
        (_, false) => {}
    }
    ordered.text("/id")
}

/// An operator gives a third of an order back.
fn refunding_of(id: &str) -> Attempt {
    let path = format!("/v1/operator/orders/{id}/refund");
    let body = json!({ "amount_fen": 200 });
    Attempt::new("POST", path, Some(api_tests::ADMIN.token), body).with_key(&fresh_key())
}

fn orders(app: &App, person: &Person) -> Value {
    let listed = app.get("/v1/orders", &person.token).expect(200);
    listed.json["items"].clone()
}

/// The sweep looks at what is due, a minute later.
fn look_again(shop: &Shop) -> Answer {
    shop.app.clock().advance(MINUTE);
    agree_on_time(shop);
    look(&shop.app)
}

/// Two yuan went back, and their coins with them.
fn gave_back_once(app: &App, person: &Person, id: &str) {
    assert_eq!(wallet(app, person), (COINS - 20, 0));
    assert_eq!(refunds(app, id), [(200, "succeeded".to_owned())]);
    ledger_holds(app);
}

on_both_engines! {
    // clause E15
    [stand_in] fn ordering(builder: Builder) {
        let shop = open(builder);
        let openid = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
        for body in [
            json!({ "package": PACKAGE, "channel": "alipay-app" }),
            json!({ "package": PACKAGE, "channel": "wechat-app" }),
            json!({ "package": PACKAGE, "channel": "wechat-jsapi", "openid": openid }),
            json!({ "package": PACKAGE, "channel": "apple" }),
        ] {
            sweep(
                &shop.app,
                |app, _| {
                    let person = customer(app);
                    app.consent(&person, "wechat-page-payment", true).expect(200);
                    agree_on_time(&shop);
                    let attempt = post(&person, "/v1/orders", body.clone());
                    (person, attempt)
                },
                |app, person, attempt| {
                    let answer = attempt.send(app, true);
                    if answer.status != 409 {
                        return answer;
                    }
                    app.clock().advance(MINUTE);
                    agree_on_time(&shop);
                    until_done(app, person, attempt)
                },
                |app, person, answer| {
                    let orders = orders(app, person);
                    assert_eq!(orders.as_array().expect("items").len(), 1);
                    assert_eq!(orders[0]["id"], answer.json["id"]);
                    assert!(answer.json["pay"].is_object());
                },
            );
        }
    }

    // clause E15
    [stand_in] fn hearing_of_a_payment(builder: Builder) {
        let shop = open(builder);
        sweep(
            &shop.app,
            |app, _| {
                let person = customer(app);
                agree_on_time(&shop);
                let ordered = order(app, &person, "alipay-app").expect(201);
                let number = number(&ordered);
                shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
                shop.alipay.pay(&number).expect("it can be paid");
                let form = shop.alipay.trade_notification(&number).form();
                let attempt = Attempt::new("POST", "/v1/callbacks/alipay/payment", None, Value::Null)
                    .with_body(FORM, form.into_bytes());
                ((person, ordered.text("/id")), attempt)
            },
            again,
            |app, (person, id), _| {
                assert_eq!(wallet(app, person), (COINS, 0));
                assert_eq!(read(app, person, id)["status"], "paid");
                ledger_holds(app);
            },
        );
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    [stand_in] fn hearing_of_a_payment_from_wechat(builder: Builder) {
        let shop = open(builder);
        sweep(
            &shop.app,
            |app, _| {
                let person = customer(app);
                agree_on_time(&shop);
                let ordered = order(app, &person, "wechat-app").expect(201);
                shop.wechat.pay(&number(&ordered));
                let told = shop.wechat.payment_notification(&number(&ordered));
                ((person, ordered.text("/id")), heard(&told.post()))
            },
            again,
            |app, (person, id), _| {
                assert_eq!(wallet(app, person), (COINS, 0));
                assert_eq!(read(app, person, id)["status"], "paid");
                ledger_holds(app);
            },
        );
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    [stand_in] fn hearing_of_a_refund_from_wechat(builder: Builder) {
        let shop = open(builder);
        // One of ours, and one that was made in WeChat's console.
        for name in [None, Some("console")] {
            sweep(
                &shop.app,
                |_, _| {
                    agree_on_time(&shop);
                    let (person, id, _) = wechat_buyer(&shop);
                    let pending = refund(&shop.app, &id, &json!({ "amount_fen": 100 })).expect(202);
                    let number = pending.text("/number");
                    shop.wechat.settle_refund(&number, RefundStatus::Success);
                    let mut told = shop.wechat.refund_notification(&number);
                    if let Some(name) = name {
                        told = told.with("/out_refund_no", json!(name));
                    }
                    ((person, id), heard(&told.post()))
                },
                again,
                |app, (person, id), _| {
                    assert_eq!(wallet(app, person), (COINS - 10, 0));
                    assert_eq!(read(app, person, id)["refunded_fen"], 100);
                    ledger_holds(app);
                },
            );
        }
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    [stand_in] fn hearing_of_a_refund_from_alipay(builder: Builder) {
        let shop = open(builder);
        sweep(
            &shop.app,
            |_, _| {
                agree_on_time(&shop);
                let (person, id) = buyer(&shop);
                // One of ours waits, which is asked about.
                shop.alipay.plan_slow_refund();
                refund(&shop.app, &id, &json!({ "amount_fen": 100 })).expect(202);
                let told = shop
                    .alipay
                    .trade_notification(&id.replace('-', ""))
                    .with("refund_fee", "2.00")
                    .with("gmt_refund", "2026-11-24 10:00:00")
                    .with("out_biz_no", "console");
                let attempt = Attempt::new("POST", "/v1/callbacks/alipay/payment", None, Value::Null)
                    .with_body(FORM, told.form().into_bytes());
                ((person, id), attempt)
            },
            again,
            |app, (person, id), _| {
                assert_eq!(wallet(app, person), (COINS - 20, 0));
                assert_eq!(read(app, person, id)["refunded_fen"], 200);
                assert_eq!(refunds(app, id).len(), 2);
                ledger_holds(app);
            },
        );
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause V19
    [stand_in] fn submitting_a_purchase(builder: Builder) {
        let shop = open(builder);
        for is_signed in [true, false] {
            sweep(
                &shop.app,
                |app, _| {
                    let person = customer(app);
                    agree_on_time(&shop);
                    let id = order(app, &person, "apple").expect(201).text("/id");
                    let transaction = shop.apple.buy("com.chuangrenmai.coins.60", Some(&id));
                    let body = match is_signed {
                        true => json!({ "signed_transaction": shop.apple.signed_transaction(&transaction) }),
                        false => json!({ "transaction_id": transaction }),
                    };
                    let path = format!("/v1/orders/{id}/apple-transaction");
                    let attempt = Attempt::new("POST", path, Some(&person.token), body);
                    (person, attempt)
                },
                again,
                |app, person, answer| {
                    assert_eq!(answer.text("/status"), "paid");
                    assert_eq!(wallet(app, person), (COINS, 0));
                    ledger_holds(app);
                },
            );
        }
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    [stand_in] fn giving_up(builder: Builder) {
        let shop = open(builder);
        for (channel, is_paid) in [("alipay-app", false), ("alipay-app", true), ("wechat-app", false), ("wechat-app", true)] {
            sweep(
                &shop.app,
                |app, _| {
                    let person = customer(app);
                    agree_on_time(&shop);
                    let id = begun(&shop, &person, channel, is_paid);
                    let path = format!("/v1/orders/{id}/close");
                    let attempt = Attempt::new("POST", path, Some(&person.token), Value::Null);
                    (person, attempt)
                },
                again,
                |app, person, answer| {
                    let (status, coins) = if is_paid { ("paid", COINS) } else { ("closed", 0) };
                    assert_eq!(answer.text("/status"), status);
                    assert_eq!(wallet(app, person), (coins, 0));
                    ledger_holds(app);
                },
            );
        }
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    [stand_in] fn asking_about_an_order(builder: Builder) {
        let shop = open(builder);
        for channel in ["alipay-app", "wechat-app"] {
            sweep(
                &shop.app,
                |app, _| {
                    let person = customer(app);
                    agree_on_time(&shop);
                    let id = begun(&shop, &person, channel, true);
                    app.clock().advance(MINUTE / 2);
                    agree_on_time(&shop);
                    let attempt = Attempt::new("GET", format!("/v1/orders/{id}"), Some(&person.token), Value::Null)
                        .with_body("application/json", Vec::new());
                    (person, attempt)
                },
                |app, _, attempt| {
                    // Who was stopped may have been about to ask: the next one asks ten seconds later.
                    app.clock().advance(MINUTE / 6);
                    agree_on_time(&shop);
                    attempt.send(app, true)
                },
                |app, person, answer| {
                    assert_eq!(answer.text("/status"), "paid");
                    assert_eq!(wallet(app, person), (COINS, 0));
                    ledger_holds(app);
                },
            );
        }
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause V19
    [stand_in] fn hearing_of_a_purchase_and_its_refund(builder: Builder) {
        let shop = open(builder);
        for name in ["ONE_TIME_CHARGE", "REFUND", "REFUND_REVERSED"] {
            sweep(
                &shop.app,
                |app, _| {
                    let person = customer(app);
                    agree_on_time(&shop);
                    let id = order(app, &person, "apple").expect(201).text("/id");
                    let transaction = shop.apple.buy("com.chuangrenmai.coins.60", Some(&id));
                    if name == "REFUND" {
                        shop.apple.refund(&transaction);
                    }
                    let body = shop.apple.notification(name, &transaction).body();
                    let attempt = Attempt::new("POST", "/v1/callbacks/apple", None, Value::Null)
                        .with_body("application/json", body.into_bytes());
                    (person, attempt)
                },
                again,
                |app, person, _| {
                    let coins = if name == "REFUND" { 0 } else { COINS };
                    assert_eq!(wallet(app, person), (coins, 0));
                    ledger_holds(app);
                },
            );
        }
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15, V19
    [stand_in] fn a_payment_that_is_known_is_credited_though_nobody_tells_again(builder: Builder) {
        let shop = open(builder.with_internal(LOOK, "payment"));
        sweep(
            &shop.app,
            |app, _| {
                let person = customer(app);
                agree_on_time(&shop);
                let id = order(app, &person, "apple").expect(201).text("/id");
                let transaction = shop.apple.buy("com.chuangrenmai.coins.60", Some(&id));
                let body = shop.apple.notification("ONE_TIME_CHARGE", &transaction).body();
                let attempt = Attempt::new("POST", "/v1/callbacks/apple", None, Value::Null)
                    .with_body("application/json", body.into_bytes());
                ((person, id), attempt)
            },
            |_, _, _| look_again(&shop),
            |app, (person, id), _| {
                let known = format!("SELECT COUNT(*) FROM orders WHERE id = '{id}' AND provider_id IS NOT NULL");
                let known = app.database().count(&known);
                assert_eq!(wallet(app, person), (COINS * known, 0));
                let status = read(app, person, id)["status"].clone();
                assert_eq!(status, if known == 1 { "paid" } else { "pending" });
                ledger_holds(app);
            },
        );
        // Also where it was closed, or its owner closes it.
        for closed in [true, false] {
            let person = customer(&shop.app);
            let id = order(&shop.app, &person, "apple").expect(201).text("/id");
            let status = if closed { "closed" } else { "pending" };
            shop.app.database().rows(&format!(
                "UPDATE orders SET provider_id = 'known-{status}', status = '{status}', look_at = 1 \
                 WHERE id = '{id}' RETURNING id"
            ));
            if closed {
                look_again(&shop);
            } else {
                let close = shop.app.request("POST", &format!("/v1/orders/{id}/close")).token(&person.token);
                assert_eq!(close.send().expect(200).text("/status"), "paid");
            }
            assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        }
        ledger_holds(&shop.app);
    }

    // clause E15
    [stand_in] fn giving(builder: Builder) {
        let shop = open(builder);
        let other = customer(&shop.app);
        for (path, body, cost) in [
            ("/v1/gifts", json!({ "to": other.account_id, "gift": "flower" }), 10),
            ("/v1/tips", json!({ "to": other.account_id, "coins": 7 }), 7),
        ] {
            sweep(
                &shop.app,
                |app, _| {
                    agree_on_time(&shop);
                    let (person, _) = buyer(&shop);
                    let before = wallet(app, &other).0;
                    ((person.clone(), before), post(&person, path, body.clone()))
                },
                until_done,
                |app, (person, before), answer| {
                    assert_eq!(answer.json["coins"], cost);
                    assert_eq!(wallet(app, person), (COINS - cost, 0));
                    assert_eq!(wallet(app, &other), (before + cost, 0));
                    ledger_holds(app);
                },
            );
        }
    }

    // clause E15
    [stand_in] fn refunding(builder: Builder) {
        let shop = open(builder);
        sweep(
            &shop.app,
            |app, _| {
                agree_on_time(&shop);
                let person = customer(app);
                let id = buy(&shop, &person);
                ((person, id.clone()), refunding_of(&id))
            },
            |app, state, attempt| {
                let answer = attempt.send(app, true);
                if answer.status != 409 {
                    return answer;
                }
                app.clock().advance(MINUTE);
                agree_on_time(&shop);
                until_done(app, state, attempt)
            },
            |app, (person, id), answer| {
                assert_eq!(answer.status, 200);
                assert_eq!(wallet(app, person), (COINS - 20, 0));
                assert_eq!(read(app, person, id)["refunded_fen"], 200);
                assert_eq!(refunds(app, id), [(200, "succeeded".to_owned())]);
                ledger_holds(app);
            },
        );
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    [stand_in] fn refunding_at_wechat(builder: Builder) {
        let shop = open(builder);
        // When it is asked for, and when it is asked for again and done.
        for is_asked_for in [false, true] {
            sweep(
                &shop.app,
                |app, _| {
                    agree_on_time(&shop);
                    let (person, id, _) = wechat_buyer(&shop);
                    let attempt = refunding_of(&id);
                    if is_asked_for {
                        let number = attempt.send(app, true).expect(202).text("/number");
                        shop.wechat.settle_refund(&number, RefundStatus::Success);
                    }
                    ((person, id), attempt)
                },
                |app, state, attempt| {
                    app.clock().advance(MINUTE);
                    agree_on_time(&shop);
                    let answer = until_done(app, state, attempt);
                    if answer.status != 202 {
                        return answer;
                    }
                    shop.wechat.settle_refund(&answer.text("/number"), RefundStatus::Success);
                    attempt.send(app, true)
                },
                |app, (person, id), answer| {
                    assert_eq!(answer.status, 200);
                    gave_back_once(app, person, id);
                },
            );
        }
        assert!(anomalies(&shop.app).is_empty());
    }

    // Whoever asked for a refund does not come back.
    // clause E15
    [stand_in] fn a_refund_that_nobody_goes_on_with(builder: Builder) {
        let shop = open(builder.with_internal(LOOK, "payment"));
        for channel in ["alipay-app", "wechat-app"] {
            sweep(
                &shop.app,
                |app, _| {
                    agree_on_time(&shop);
                    let (person, id) = match channel {
                        "alipay-app" => buyer(&shop),
                        _ => {
                            let (person, id, _) = wechat_buyer(&shop);
                            (person, id)
                        }
                    };
                    let attempt = refunding_of(&id);
                    if channel == "alipay-app" {
                        shop.alipay.plan_slow_refund();
                    }
                    let number = attempt.send(app, true).expect(202).text("/number");
                    match channel {
                        "alipay-app" => shop.alipay.settle_refunds(&id.replace('-', "")),
                        _ => shop.wechat.settle_refund(&number, RefundStatus::Success),
                    }
                    ((person, id), attempt)
                },
                |_, _, _| look_again(&shop),
                |app, (person, id), _| {
                    gave_back_once(app, person, id);
                },
            );
        }
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    [stand_in] fn looking_at_what_is_due(builder: Builder) {
        let shop = open(builder.with_internal(LOOK, "payment"));
        for (channel, is_paid) in [("alipay-app", false), ("alipay-app", true), ("wechat-app", false), ("wechat-app", true)] {
            sweep(
                &shop.app,
                |app, _| {
                    agree_on_time(&shop);
                    let person = customer(app);
                    let id = begun(&shop, &person, channel, is_paid);
                    app.clock().advance(MINUTE * 31);
                    agree_on_time(&shop);
                    ((person, id), Attempt::new("POST", LOOK, None, Value::Null))
                },
                |_, _, _| look_again(&shop),
                |app, (person, id), _| {
                    let (status, coins) = if is_paid { ("paid", COINS) } else { ("closed", 0) };
                    let standing = format!("SELECT status FROM orders WHERE id = '{id}' AND look_at IS NULL");
                    assert_eq!(app.database().rows(&standing)[0][0].to_string(), status);
                    assert_eq!(wallet(app, person), (coins, 0));
                    ledger_holds(app);
                },
            );
        }
        for status in [RefundStatus::Success, RefundStatus::Closed, RefundStatus::Abnormal] {
            let before = anomalies(&shop.app).len();
            sweep(
                &shop.app,
                |app, _| {
                    agree_on_time(&shop);
                    let (person, id, _) = wechat_buyer(&shop);
                    let number = refunding_of(&id).send(app, true).expect(202).text("/number");
                    shop.wechat.settle_refund(&number, status);
                    app.clock().advance(MINUTE);
                    agree_on_time(&shop);
                    ((person, id), Attempt::new("POST", LOOK, None, Value::Null))
                },
                |_, _, _| look_again(&shop),
                |app, (person, id), _| {
                    let (standing, coins) = match status {
                        RefundStatus::Success => ("succeeded", COINS - 20),
                        RefundStatus::Closed => ("failed", COINS),
                        _ => ("pending", COINS),
                    };
                    assert_eq!(refunds(app, id), [(200, standing.to_owned())]);
                    assert_eq!(wallet(app, person), (coins, 0));
                    ledger_holds(app);
                    if standing == "pending" {
                        let kept = format!("SELECT COUNT(*) FROM payment_anomalies WHERE order_id = '{id}'");
                        assert_eq!(app.database().count(&kept), 1);
                        // So that the next round has only its own.
                        app.database().rows("UPDATE refunds SET status = 'failed', look_at = NULL WHERE status = 'pending' RETURNING id");
                    }
                },
            );
            if status != RefundStatus::Abnormal {
                assert_eq!(anomalies(&shop.app).len(), before);
            }
        }
    }
}
