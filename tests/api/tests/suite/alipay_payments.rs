//! `/v1/callbacks/alipay/payment`: trades as Alipay tells of them.

use std::thread;

use api_tests::{Builder, Engine, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::alipay::{Form, Message};

use crate::identity::FORM;
use crate::payment::{
    COINS, alipay_tells, anomalies, buy, buyer, customer, entries, fresh_key, hand_over,
    ledger_holds, number, open, order, payer, post_alipay, read, readable, refund, refund_with,
    refunds, snapshot, unreadable, wallet,
};
use serde_json::json;

/// News of payments, and of a refund in Alipay's console, come to two hosts on one database at once.
// clause E15
#[test]
fn several_instances_credit_and_give_back_once() {
    let shop = open(Builder::prepare(Engine::Postgres));
    let twin = shop.app.twin();
    for _ in 0..4 {
        let (person, _, number) = payer(&shop);
        let told = || shop.alipay.trade_notification(&number);
        let refunded = told()
            .with("refund_fee", "1.00")
            .with("gmt_refund", "2026-11-24 10:00:00")
            .with("out_biz_no", "console");
        for (message, coins) in [(told(), COINS), (refunded, COINS - 10)] {
            thread::scope(|scope| {
                for copy in 0..8 {
                    let (form, app, twin) = (message.form(), &shop.app, &twin);
                    scope.spawn(move || {
                        // As Alipay does: until it is taken.
                        let send = || {
                            let path = "/v1/callbacks/alipay/payment";
                            let request = match copy % 2 {
                                0 => app.request("POST", path),
                                _ => twin.request("POST", path),
                            };
                            request.body(FORM, form.clone()).send()
                        };
                        while send().status >= 500 {}
                    });
                }
            });
            assert_eq!(wallet(&shop.app, &person), (coins, 0));
        }
        assert_eq!(entries(&shop.app, &person), ["top-up", "refund"]);
    }
    assert!(anomalies(&shop.app).is_empty());
    ledger_holds(&shop.app);
}

on_both_engines! {
    // clause E15, V1
    fn a_payment_is_credited_once_however_often_it_is_told(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        let (id, number) = (ordered.text("/id"), number(&ordered));
        shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
        shop.alipay.pay(&number).expect("it can be paid");
        let paid = shop.alipay.trade_notification(&number);
        shop.alipay.finish(&number);
        let finished = shop.alipay.trade_notification(&number);
        for message in [&paid, &finished, &paid, &finished] {
            let answer = post_alipay(&shop.app, message).expect(200);
            assert_eq!(answer.media_type(), Some("text/plain"));
            assert_eq!(answer.body, b"success");
        }
        assert_eq!(read(&shop.app, &person, &id)["status"], "paid");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        let deliveries = "SELECT CAST(SUM(deliveries) AS BIGINT) FROM payment_notifications";
        let deliveries = shop.app.database().rows(deliveries);
        assert_eq!(deliveries[0][0].to_string(), "4");
        ledger_holds(&shop.app);
    }

    // clause E15
    fn finished_may_come_first(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        let number = number(&ordered);
        shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
        shop.alipay.pay(&number).expect("it can be paid");
        shop.alipay.finish(&number);
        alipay_tells(&shop, &number).expect(200);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
    }

    // clause E15
    fn a_refund_of_nothing_is_none(builder: Builder) {
        let shop = open(builder);
        for status in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
            let (person, id, number) = payer(&shop);
            for fee in ["0.00", "0.0", "0"] {
                let paid = shop.alipay.trade_notification(&number)
                    .with("trade_status", status)
                    .with("refund_fee", fee)
                    .with("gmt_close", "2026-11-24 10:00:00");
                post_alipay(&shop.app, &paid).expect(200);
            }
            assert_eq!(read(&shop.app, &person, &id)["status"], "paid");
            assert_eq!(entries(&shop.app, &person), ["top-up"]);
        }
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        hand_over(&shop, &ordered);
        shop.alipay.open(&number(&ordered)).expect("it can be opened");
        let closed = shop.alipay.trade_notification(&number(&ordered))
            .with("trade_status", "TRADE_CLOSED")
            .with("refund_fee", "0.00")
            .with("gmt_close", "2026-11-24 10:00:00");
        post_alipay(&shop.app, &closed).expect(200);
        assert_eq!(read(&shop.app, &person, &ordered.text("/id"))["status"], "closed");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        assert!(anomalies(&shop.app).is_empty());
        ledger_holds(&shop.app);
    }

    // clause E15
    fn another_applications_trade_is_kept_and_credits_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id, number) = payer(&shop);
        let others = shop.alipay.trade_notification(&number).with("app_id", "2021999999999999");
        for _ in 0..2 {
            post_alipay(&shop.app, &others).expect(200);
        }
        assert_eq!(anomalies(&shop.app), ["other-merchant"]);
        assert_eq!(read(&shop.app, &person, &id)["status"], "pending");
        let kept = snapshot(&shop.app).join("\n");
        assert!(kept.contains("2021999999999999"), "{kept}");
        let forged = shop.alipay.trade_notification(&number).tampered("app_id", "2021999999999999");
        post_alipay(&shop.app, &forged).expect_problem(400, "signature-invalid");
        alipay_tells(&shop, &number).expect(200);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
    }

    // clause V1
    fn what_is_true_and_does_not_fit_is_kept_and_credits_nothing(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        let elsewhere = order(&shop.app, &person, "wechat-app").expect(201);
        let number = number(&ordered);
        shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
        shop.alipay.pay(&number).expect("it can be paid");
        let with = |id: &str, name: &str, value: &str| {
            shop.alipay.trade_notification(&number).with("notify_id", id).with(name, value)
        };
        let cases: [(Message, &str); 4] = [
            (with("n1", "total_amount", "5.99"), "wrong-amount"),
            (with("n2", "out_trade_no", "00000000000070008000000000000000"), "unknown-order"),
            (with("n3", "seller_id", "2088000000000000"), "other-merchant"),
            (with("n4", "out_trade_no", &crate::payment::number(&elsewhere)), "wrong-channel"),
        ];
        for (message, reason) in cases {
            for _ in 0..2 {
                assert!(post_alipay(&shop.app, &message).expect(200).media_type().is_some());
            }
            assert_eq!(anomalies(&shop.app)[0], reason);
        }
        assert_eq!(anomalies(&shop.app).len(), 4);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        // The order's own payment, and then another one for it.
        alipay_tells(&shop, &number).expect(200);
        let second = with("n5", "trade_no", "2026112422001499990500000000");
        post_alipay(&shop.app, &second).expect(200);
        assert_eq!(anomalies(&shop.app)[0], "second-payment");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        ledger_holds(&shop.app);
    }

    // clause V1
    fn a_timeout_closes_and_takes_nothing(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        let number = number(&ordered);
        shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
        shop.alipay.open(&number).expect("it can be opened");
        alipay_tells(&shop, &number).expect(200);
        assert_eq!(read(&shop.app, &person, &ordered.text("/id"))["status"], "pending");
        let closed = shop.alipay.trade_notification(&number).with("trade_status", "TRADE_CLOSED");
        post_alipay(&shop.app, &closed).expect(200);
        assert_eq!(read(&shop.app, &person, &ordered.text("/id"))["status"], "closed");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
    }

    // clause E27
    fn nothing_of_the_payer_is_kept(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        let number = number(&ordered);
        shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
        shop.alipay.pay(&number).expect("it can be paid");
        let message = shop
            .alipay
            .trade_notification(&number)
            .with("buyer_id", "2088102122524333")
            .with("buyer_logon_id", "159****5620");
        post_alipay(&shop.app, &message).expect(200);
        let kept = snapshot(&shop.app).join("\n");
        assert!(kept.contains(&shop.alipay.trade_no(&number)));
        for of_the_payer in ["2088102122524333", "159****5620", "buyer"] {
            assert!(!kept.contains(of_the_payer), "{of_the_payer}");
        }
    }

    // clause V1
    fn forged_and_broken_notifications_change_nothing(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        let number = number(&ordered);
        shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
        shop.alipay.pay(&number).expect("it can be paid");
        let true_one = || shop.alipay.trade_notification(&number);
        let form = true_one().form();
        let before = snapshot(&shop.app);
        let send = |media_type: &str, body: Vec<u8>, name: &str, what: &str| {
            let answer = shop
                .app
                .request("POST", "/v1/callbacks/alipay/payment")
                .body(media_type, body)
                .send();
            assert_eq!((answer.status, answer.problem()), (400, Some(name)), "{what}");
            assert_ne!(answer.body, b"success");
        };
        for (message, name) in [
            (true_one().by_other_key(), "signature-invalid"),
            (true_one().with_signed_sign_type(), "signature-invalid"),
            (true_one().tampered("sign", ""), "signature-invalid"),
            (true_one().tampered("sign", "AAAA"), "signature-invalid"),
            (true_one().tampered("sign", "not base64"), "signature-invalid"),
            (true_one().tampered("total_amount", "0.01"), "signature-invalid"),
            (true_one().tampered("total_amount", "600.00"), "signature-invalid"),
            (true_one().tampered("out_trade_no", "00000000000070008000000000000000"), "signature-invalid"),
            (true_one().tampered("trade_status", "TRADE_CLOSED"), "signature-invalid"),
            (true_one().tampered("seller_id", "2088000000000000"), "signature-invalid"),
            (true_one().tampered("refund_fee", "6.00"), "signature-invalid"),
            (true_one().tampered("extra", "1"), "signature-invalid"),
            (true_one().tampered("sign_type", "RSA"), "sign-type-unsupported"),
            (true_one().tampered("sign_type", ""), "sign-type-unsupported"),
            (true_one().with("sign_type", "rsa2"), "sign-type-unsupported"),
            (true_one().with("charset", "GBK"), "charset-unsupported"),
            (true_one().without("app_id"), "app-mismatch"),
        ] {
            let form = message.form();
            send(FORM, form.clone().into_bytes(), name, &form);
        }
        // Before the first escape, so that it is still a form.
        let start = form.split('%').next().expect("some text");
        send(FORM, start.as_bytes().to_vec(), "sign-type-unsupported", "truncated");
        send(FORM, Vec::new(), "message-malformed", "empty");
        send(FORM, format!("{form}&out_trade_no=1").into_bytes(), "message-malformed", "a name twice");
        send(FORM, format!("{form}&x=%ff").into_bytes(), "message-malformed", "no UTF-8");
        send("application/json", form.clone().into_bytes(), "message-malformed", "as JSON");
        let oversized = format!("{form}&x={}", "y".repeat(70_000));
        let answer = shop
            .app
            .request("POST", "/v1/callbacks/alipay/payment")
            .body(FORM, oversized)
            .send();
        assert_eq!(answer.status, 413);
        assert_eq!(snapshot(&shop.app), before);
        // These Alipay signed: they are kept, and nothing else changes.
        let broken = [
            true_one().with("app_id", ""),
            true_one().without("trade_no"),
            true_one().without("out_trade_no"),
            true_one().without("notify_id"),
            true_one().without("seller_id"),
            true_one().without("total_amount"),
            true_one().with("trade_status", "TRADE_PAID"),
            true_one().with("total_amount", "-6.00"),
            true_one().with("total_amount", "6e0"),
            true_one().with("total_amount", "6.001"),
            true_one().with("total_amount", "99999999999999999999.00"),
            true_one().with("refund_fee", "6.00"),
            true_one().with("refund_fee", "0.01"),
            true_one().with("gmt_refund", "2026-11-24 10:00:00"),
            true_one().with("notify_id", &"x".repeat(200)),
            true_one().with("trade_no", "2026'; DROP"),
        ];
        for message in &broken {
            let form = message.form();
            for _ in 0..2 {
                send(FORM, form.clone().into_bytes(), "message-malformed", &form);
            }
        }
        assert_eq!(unreadable(&shop.app), broken.len());
        assert_eq!(readable(&shop.app), before);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
    }

    // clause D2
    fn what_is_not_about_a_trade_is_kept_and_ignored(builder: Builder) {
        let shop = open(builder);
        let (_, _, number) = payer(&shop);
        let other = shop
            .alipay
            .trade_notification(&number)
            .with("notify_id", "n-other")
            .with("notify_type", "dut_user_sign");
        for _ in 0..2 {
            post_alipay(&shop.app, &other).expect(200);
        }
        let kept = shop.app.database().rows(
            "SELECT verdict, content, deliveries FROM payment_notifications WHERE notification_id = 'n-other'",
        );
        let [verdict, content, deliveries] = &kept[0][..] else { panic!("three columns") };
        assert_eq!((verdict.to_string().as_str(), deliveries.to_string().as_str()), ("ignored", "2"));
        assert!(content.to_string().contains("dut_user_sign"), "{content}");
        assert!(!content.to_string().contains("2088102117955611"), "{content}");
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause V1
    fn a_refund_in_alipays_console_takes_the_coins(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let number = id.replace('-', "");
        let told = |fee: &str, status: &str, id: &str, request: &str| {
            let message = shop
                .alipay
                .trade_notification(&number)
                .with("notify_id", id)
                .with("trade_status", status)
                .with("refund_fee", fee)
                .with("gmt_refund", "2026-11-24 10:00:00.123")
                .with("out_biz_no", request);
            post_alipay(&shop.app, &message).expect(200);
        };
        // The second one overtakes the first.
        told("3.01", "TRADE_SUCCESS", "r2", "B");
        told("1.00", "TRADE_SUCCESS", "r1", "A");
        told("3.01", "TRADE_SUCCESS", "r2", "B");
        assert_eq!(wallet(&shop.app, &person), (COINS - 30, 0));
        told("6.00", "TRADE_CLOSED", "r3", "C");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 600);
        ledger_holds(&shop.app);
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause E15
    fn a_refund_told_to_many_at_once_is_taken_once(builder: Builder) {
        let shop = open(builder);
        for round in 0..4 {
            let (person, id) = buyer(&shop);
            let number = id.replace('-', "");
            let told = shop
                .alipay
                .trade_notification(&number)
                .with("trade_status", "TRADE_CLOSED")
                .with("refund_fee", "6.00")
                .with("gmt_refund", "2026-11-24 10:00:00")
                .with("out_biz_no", &format!("console-{round}"));
            thread::scope(|scope| {
                for copy in 0..12 {
                    let told = told.form();
                    let (app, last) = (&shop.app, copy % 2 == 0);
                    scope.spawn(move || {
                        // As Alipay does: until it is taken.
                        let send = || app
                            .request("POST", "/v1/callbacks/alipay/payment")
                            .body(FORM, told.clone())
                            .send();
                        while send().status >= 500 {}
                        assert!(!last || send().status == 200);
                    });
                }
            });
            assert_eq!(entries(&shop.app, &person), ["top-up", "refund"]);
            assert_eq!(refunds(&shop.app, &id), [(600, "succeeded".to_owned())]);
        }
        assert!(anomalies(&shop.app).is_empty(), "{:?}", anomalies(&shop.app));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn a_refund_of_ours_that_waits_hides_none_of_the_console(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let number = id.replace('-', "");
        let key = fresh_key();
        shop.alipay.plan_slow_refund();
        refund_with(&shop.app, &id, &key, &json!({ "amount_fen": 300 })).expect(202);
        let sent = shop.alipay.calls("alipay.trade.refund").len();
        let console = shop
            .alipay
            .trade_notification(&number)
            .with("refund_fee", "3.00")
            .with("gmt_refund", "2026-11-24 10:00:00")
            .with("out_biz_no", "console");
        for _ in 0..2 {
            post_alipay(&shop.app, &console).expect(200);
        }
        // What waits was asked about, and not sent again.
        assert_eq!(shop.alipay.calls("alipay.trade.refund").len(), sent);
        assert_eq!(wallet(&shop.app, &person), (COINS - 30, 0));
        let standing = |ours: &str| vec![(300, ours.to_owned()), (300, "succeeded".to_owned())];
        assert_eq!(refunds(&shop.app, &id), standing("pending"));
        shop.alipay.settle_refunds(&number);
        refund_with(&shop.app, &id, &key, &json!({ "amount_fen": 300 })).expect(200);
        assert_eq!(refunds(&shop.app, &id), standing("succeeded"));
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        assert!(anomalies(&shop.app).is_empty());
        ledger_holds(&shop.app);
    }

    // clause E15
    fn a_refund_that_was_refused_is_asked_for_again_under_its_number(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let key = fresh_key();
        let body = json!({ "amount_fen": 200 });
        for _ in 0..2 {
            shop.alipay.plan(Behaviour::Refuse(200, "ACQ.SELLER_BALANCE_NOT_ENOUGH"));
            let refused = refund_with(&shop.app, &id, &key, &body).expect_problem(409, "refund-refused");
            assert_eq!(refused.json["reason"], "balance-too-low");
            assert_eq!(refunds(&shop.app, &id), [(200, "failed".to_owned())]);
        }
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        // Another one takes what is left, and the refused one does not fit any more.
        refund(&shop.app, &id, &json!({ "amount_fen": 500 })).expect(200);
        refund_with(&shop.app, &id, &key, &body).expect_problem(409, "refund-too-much");
        let (person, id) = buyer(&shop);
        shop.alipay.plan(Behaviour::Refuse(200, "ACQ.SELLER_BALANCE_NOT_ENOUGH"));
        refund_with(&shop.app, &id, &key, &body).expect_problem(409, "refund-refused");
        refund(&shop.app, &id, &json!({ "amount_fen": 301 })).expect(200);
        for replayed in [None, Some("true")] {
            let done = refund_with(&shop.app, &id, &key, &body).expect(200);
            assert_eq!(done.text("/status"), "succeeded");
            assert_eq!(done.header("idempotent-replayed"), replayed);
        }
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 501);
        assert_eq!(wallet(&shop.app, &person), (COINS - 50, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn a_refund_that_closed_the_trade_unheard_is_found(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let key = fresh_key();
        shop.alipay.plan_form(Form::Unsigned);
        refund_with(&shop.app, &id, &key, &json!({})).expect_problem(503, "payment-unavailable");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        shop.alipay.plan(Behaviour::Refuse(200, "ACQ.TRADE_HAS_CLOSE"));
        refund_with(&shop.app, &id, &key, &json!({})).expect(200);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        // A trade that is closed for another reason was not refunded.
        let (person, id) = buyer(&shop);
        shop.alipay.plan(Behaviour::Refuse(200, "ACQ.TRADE_HAS_CLOSE"));
        let refused = refund(&shop.app, &id, &json!({})).expect_problem(409, "refund-refused");
        assert_eq!(refused.json["reason"], "closed");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        ledger_holds(&shop.app);
    }

    // clause E15, V1
    fn a_refund_that_alipay_does_not_make_fails_and_blocks_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        for code in ["ACQ.REFUND_ACCOUNT_NOT_EXIST", "ACQ.ACCESS_FORBIDDEN"] {
            shop.alipay.plan(Behaviour::Refuse(200, code));
            let refused = send().expect_problem(409, "refund-refused");
            assert_eq!(refused.json["reason"], "other");
            let event = shop.app.log().event("refund-refused", refused.request_id());
            assert_eq!(event["codes"], format!("40004 {code}"));
            assert_eq!(refunds(&shop.app, &id), [(100, "failed".to_owned())]);
        }
        // What passes leaves it waiting.
        shop.alipay.plan(Behaviour::Refuse(200, "ACQ.SYSTEM_ERROR"));
        send().expect_problem(503, "payment-unavailable");
        assert_eq!(refunds(&shop.app, &id), [(100, "pending".to_owned())]);
        // It was done, and nobody heard of it: then the refusal of the second is no end.
        shop.alipay.plan_form(Form::Unsigned);
        send().expect_problem(503, "payment-unavailable");
        shop.alipay.plan(Behaviour::Refuse(200, "ACQ.REFUND_ACCOUNT_NOT_EXIST"));
        send().expect(200);
        assert_eq!(refunds(&shop.app, &id), [(100, "succeeded".to_owned())]);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn huge_amounts_are_more_than_what_is_left(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        refund(&shop.app, &id, &json!({ "amount_fen": 100 })).expect(200);
        for fen in [501, 601, i64::MAX - 600, i64::MAX] {
            let answer = refund(&shop.app, &id, &json!({ "amount_fen": fen }));
            answer.expect_problem(409, "refund-too-much");
        }
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
    }

    // clause V1
    fn a_refund_in_the_console_may_be_told_by_ours_first(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let ours = refund(&shop.app, &id, &json!({ "amount_fen": 200 })).expect(200);
        let told = |fee: &str, id_of_it: &str, request: &str| {
            let message = shop
                .alipay
                .trade_notification(&id.replace('-', ""))
                .with("notify_id", id_of_it)
                .with("refund_fee", fee)
                .with("out_biz_no", request);
            post_alipay(&shop.app, &message).expect(200);
        };
        for _ in 0..2 {
            told("3.00", "r2", &ours.text("/id").replace('-', ""));
            told("1.00", "r1", "B");
        }
        assert_eq!(wallet(&shop.app, &person), (COINS - 30, 0));
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 300);
        assert!(anomalies(&shop.app).is_empty());
        ledger_holds(&shop.app);
    }

    // clause V1
    fn a_refund_told_first_credits_and_takes(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "alipay-app").expect(201);
        let number = number(&ordered);
        shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
        shop.alipay.pay(&number).expect("it can be paid");
        let paid = shop.alipay.trade_notification(&number);
        let refunded = shop
            .alipay
            .trade_notification(&number)
            .with("notify_id", "r")
            .with("trade_status", "TRADE_CLOSED")
            .with("refund_fee", "6.00")
            .with("gmt_refund", "2026-11-24 10:00:00");
        for message in [&refunded, &paid, &refunded] {
            post_alipay(&shop.app, message).expect(200);
        }
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        let entries = shop.app.get("/v1/wallet/entries", &person.token).expect(200);
        assert_eq!(entries.json["items"].as_array().expect("items").len(), 2);
        ledger_holds(&shop.app);
    }

    // clause E15, V1
    fn operators_refund_and_spent_coins_become_a_debt(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let other = customer(&shop.app);
        let tip = |coins: i64| crate::payment::post(
            &shop.app, &person, "/v1/tips", &json!({ "to": other.account_id, "coins": coins }),
        );
        tip(50).expect(201);
        let part = refund(&shop.app, &id, &json!({ "amount_fen": 200 })).expect(200);
        assert_eq!((part.text("/status").as_str(), &part.json["coins"]), ("succeeded", &json!(20)));
        assert_eq!(wallet(&shop.app, &person), (0, 10));
        tip(1).expect_problem(409, "coins-insufficient");
        refund(&shop.app, &id, &json!({ "amount_fen": 401 })).expect_problem(409, "refund-too-much");
        refund(&shop.app, &id, &json!({ "amount_fen": 0 })).expect(422);
        shop.alipay.plan_slow_refund();
        let slow = refund(&shop.app, &id, &json!({})).expect(202);
        assert_eq!(slow.text("/status"), "pending");
        refund(&shop.app, &id, &json!({ "amount_fen": 1 })).expect_problem(409, "refund-pending");
        shop.alipay.settle_refunds(&id.replace('-', ""));
        alipay_tells(&shop, &id.replace('-', "")).expect(200);
        assert_eq!(wallet(&shop.app, &person), (0, 50));
        refund(&shop.app, &id, &json!({})).expect_problem(409, "refund-too-much");
        // The next coins pay the debt first.
        buy(&shop, &person);
        assert_eq!(wallet(&shop.app, &person), (10, 0));
        tip(10).expect(201);
        ledger_holds(&shop.app);
        assert!(anomalies(&shop.app).is_empty());
    }
}
