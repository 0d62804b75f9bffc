//! `/v1/orders`: ordering, what nobody told us, giving up (clauses E15, E27, T3).

use std::thread;

use api_tests::{Builder, MINUTE, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::alipay::Form as AlipayForm;
use serde_json::{Value, json};

use crate::payment::{
    COINS, FEN, PACKAGE, alipay_tells, anomalies, buyer, customer, hand_over, ledger_holds, number,
    open, order, post, read, refunds, snapshot, wallet,
};

/// A person's name under our official account at WeChat.
const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

on_both_engines! {
    // clause E15
    fn packages_are_listed(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let answer = shop.app.get("/v1/coin-packages", &person.token).expect(200);
        let first = &answer.json["items"][0];
        assert_eq!((&first["id"], &first["coins"]), (&json!(PACKAGE), &json!(COINS)));
        assert_eq!(first["amount_fen"], json!(FEN));
    }

    // clauses E15, T3, V1, V2
    fn each_channel_gets_what_its_sdk_needs(builder: Builder) {
        let shop = open(builder);
        let (app, person) = (&shop.app, customer(&shop.app));
        let alipay = order(app, &person, "alipay-app").expect(201);
        let checked = shop.alipay.check_order_string(&alipay.text("/pay/order_string"));
        assert_eq!(checked.expect("valid").out_trade_no, number(&alipay));
        assert_eq!(alipay.text("/status"), "pending");
        assert_eq!(alipay.json["coins"], COINS);
        let wechat = order(app, &person, "wechat-app").expect(201);
        assert_eq!(shop.wechat.check_app_call(&wechat.json["pay"]), Ok(number(&wechat)));
        let body = json!({ "package": PACKAGE, "channel": "wechat-jsapi", "openid": OPENID });
        app.consent(&person, "wechat-page-payment", true).expect(200);
        let jsapi = post(app, &person, "/v1/orders", &body).expect(201);
        assert_eq!(shop.wechat.check_jsapi_call(&jsapi.json["pay"]), Ok(number(&jsapi)));
        let apple = order(app, &person, "apple").expect(201);
        assert_eq!(apple.json["pay"]["product_id"], "com.chuangrenmai.coins.60");
        assert_eq!(apple.json["pay"]["app_account_token"], apple.json["id"]);
        let sent = |recipient: &str| app.database().count(&format!(
            "SELECT COUNT(*) FROM disclosures WHERE recipient = '{recipient}'"
        ));
        assert_eq!((sent("alipay"), sent("wechat-pay"), sent("apple")), (1, 2, 0));
        let listed = app.get("/v1/orders?limit=3", &person.token).expect(200);
        assert_eq!(listed.json["items"].as_array().expect("items").len(), 3);
        assert_eq!(listed.json["items"][0]["id"], apple.json["id"]);
    }

    // clause E27, T6
    fn an_openid_goes_nowhere_without_a_consent_of_its_own(builder: Builder) {
        let mut shop = open(builder);
        let (app, person) = (&shop.app, customer(&shop.app));
        let before = snapshot(app);
        let body = json!({ "package": PACKAGE, "channel": "wechat-jsapi", "openid": OPENID });
        let send = || post(app, &person, "/v1/orders", &body);
        let is_refused = || {
            let refused = send().expect_problem(403, "consent-required");
            assert_eq!(refused.json["purpose"], "wechat-page-payment");
        };
        is_refused();
        assert_eq!(snapshot(app), before);
        assert!(shop.wechat.calls().is_empty());
        app.consent(&person, "wechat-page-payment", true).expect(200);
        send().expect(201);
        let [call] = &shop.wechat.calls()[..] else { panic!("one call") };
        assert_eq!(call.body["payer"], json!({ "openid": OPENID }));
        let told = app.get("/v1/account/disclosures", &person.token).expect(200);
        assert_eq!(told.json["items"][0]["basis"], "separate-consent");
        assert_eq!(told.json["items"][0]["data"], json!(["order number", "amount", "openid"]));
        app.consent(&person, "wechat-page-payment", false).expect(200);
        is_refused();
        assert_eq!(shop.wechat.calls().len(), 1);
        let notice = "SELECT COUNT(*) FROM recipient_notices WHERE recipient = 'wechat-pay'";
        assert_eq!(app.database().count(notice), 1, "WeChat is told to forget it");
        // Where there is no official account, such orders cannot be made.
        app.consent(&person, "wechat-page-payment", true).expect(200);
        shop.app.restart(&[("wechat_pay_jsapi_appid", "")]);
        post(&shop.app, &person, "/v1/orders", &body).expect_problem(503, "payment-unavailable");
        assert_eq!(shop.wechat.calls().len(), 1);
    }

    // clause E27
    fn only_the_number_and_the_amount_go_out(builder: Builder) {
        let shop = open(builder);
        let (app, person) = (&shop.app, customer(&shop.app));
        let ordered = order(app, &person, "wechat-app").expect(201);
        let [call] = &shop.wechat.calls()[..] else { panic!("one call") };
        let members: Vec<_> = call.body.as_object().expect("an object").keys().collect();
        // The rest is ours: who we are, what the bill says, until when, and where to tell of it.
        let ours = ["amount", "appid", "description", "mchid", "notify_url", "out_trade_no", "time_expire"];
        assert_eq!(members, ours);
        assert_eq!(call.body["out_trade_no"], number(&ordered));
        assert_eq!(call.body["amount"], json!({ "total": FEN, "currency": "CNY" }));
    }

    fn bad_orders_change_nothing(builder: Builder) {
        let shop = open(builder);
        let (app, person) = (&shop.app, customer(&shop.app));
        let before = snapshot(app);
        for (body, violations) in [
            (json!({ "package": "gold", "channel": "alipay-app" }), "package:unknown-package"),
            (json!({ "package": PACKAGE, "channel": "cash" }), "channel:invalid"),
            (json!({ "package": PACKAGE }), "channel:missing"),
            (json!({ "package": PACKAGE, "channel": "wechat-jsapi" }), "openid:missing"),
            (json!({ "package": PACKAGE, "channel": "wechat-jsapi", "openid": "" }), "openid:invalid"),
            (json!({ "package": PACKAGE, "channel": "wechat-jsapi", "openid": "a b" }), "openid:invalid"),
            (json!({ "package": PACKAGE, "channel": "alipay-app", "openid": "o" }), "openid:unknown"),
            (json!({ "package": PACKAGE, "channel": "alipay-app", "amount_fen": 1 }), "amount_fen:unknown"),
        ] {
            post(app, &person, "/v1/orders", &body).expect(422).expect_violations(&[violations]);
        }
        let body = json!({ "package": PACKAGE, "channel": "alipay-app" });
        let without_key = app.request("POST", "/v1/orders").token(&person.token).json(&body);
        without_key.expect_problem(400, "idempotency-key-required");
        let newcomer = app.someone();
        post(app, &newcomer, "/v1/orders", &body).expect_problem(403, "profile-incomplete");
        assert_eq!(snapshot(app), before);
    }

    fn orders_have_a_limit(builder: Builder) {
        let mut shop = open(builder);
        shop.app.restart(&[("orders_per_hour", "2")]);
        let (app, person) = (&shop.app, customer(&shop.app));
        for _ in 0..2 {
            order(app, &person, "apple").expect(201);
        }
        let limited = order(app, &person, "apple").expect_problem(429, "rate-limited");
        assert!(limited.retry_after() > 0);
        order(app, &customer(app), "apple").expect(201);
    }

    fn others_orders_are_not_found(builder: Builder) {
        let shop = open(builder);
        let (app, person, other) = (&shop.app, customer(&shop.app), customer(&shop.app));
        let id = order(app, &person, "alipay-app").expect(201).text("/id");
        app.get(&format!("/v1/orders/{id}"), &other.token).expect_problem(404, "not-found");
        let close = format!("/v1/orders/{id}/close");
        app.request("POST", &close).token(&other.token).send().expect_problem(404, "not-found");
    }

    fn an_institution_that_is_away_can_be_tried_again(builder: Builder) {
        let shop = open(builder);
        let (app, person) = (&shop.app, customer(&shop.app));
        let key = crate::payment::fresh_key();
        let body = json!({ "package": PACKAGE, "channel": "wechat-app" });
        let send = || app
            .request("POST", "/v1/orders")
            .token(&person.token)
            .header("idempotency-key", &key)
            .json(&body);
        shop.wechat.plan(Behaviour::Close);
        send().expect_problem(503, "payment-unavailable");
        shop.wechat.plan(Behaviour::Refuse(500, "SYSTEM_ERROR"));
        send().expect_problem(503, "payment-unavailable");
        let ordered = send().expect(201);
        assert_eq!(shop.wechat.check_app_call(&ordered.json["pay"]), Ok(number(&ordered)));
        assert_eq!(app.database().count("SELECT COUNT(*) FROM orders"), 1);
    }

    // clause E15, V1, V2
    [stand_in] fn a_missed_notification_is_made_up_for(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let person = customer(app);
        for channel in ["alipay-app", "wechat-app"] {
            let before = wallet(app, &person).0;
            let ordered = order(app, &person, channel).expect(201);
            let (id, number) = (ordered.text("/id"), number(&ordered));
            if channel == "alipay-app" {
                shop.alipay.check_order_string(&ordered.text("/pay/order_string")).expect("valid");
                shop.alipay.pay(&number).expect("it can be paid");
            } else {
                shop.wechat.pay(&number);
            }
            // For half a minute the notification may be on its way.
            assert_eq!(read(app, &person, &id)["status"], "pending");
            app.clock().advance(MINUTE / 2);
            let asked_before = shop.wechat.calls().len() + shop.alipay.calls("alipay.trade.query").len();
            assert_eq!(read(app, &person, &id)["status"], "paid");
            assert_eq!(read(app, &person, &id)["status"], "paid");
            let asked = shop.wechat.calls().len() + shop.alipay.calls("alipay.trade.query").len();
            assert_eq!(asked, asked_before + 1);
            assert_eq!(wallet(app, &person).0, before + COINS);
        }
        ledger_holds(app);
    }

    [stand_in] fn an_institution_is_asked_every_ten_seconds_at_most(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let person = customer(app);
        let id = order(app, &person, "alipay-app").expect(201).text("/id");
        let questions = || shop.alipay.calls("alipay.trade.query").len();
        app.clock().advance(MINUTE);
        for _ in 0..3 {
            assert_eq!(read(app, &person, &id)["status"], "pending");
        }
        assert_eq!(questions(), 1);
        app.clock().advance(MINUTE / 6);
        read(app, &person, &id);
        assert_eq!(questions(), 2);
        // It does not answer: the order is told as it is known.
        app.clock().advance(MINUTE / 6);
        shop.alipay.plan(Behaviour::Close);
        assert_eq!(read(app, &person, &id)["status"], "pending");
    }

    [stand_in] fn of_many_who_read_at_once_one_asks(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let person = customer(app);
        let ordered = order(app, &person, "wechat-app").expect(201);
        shop.wechat.pay(&number(&ordered));
        let questions = || shop.wechat.calls().iter().filter(|call| call.method == "GET").count();
        app.clock().advance(MINUTE);
        shop.wechat.set_clock(app.clock().now_ms());
        let id = ordered.text("/id");
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| read(app, &person, &id));
            }
        });
        assert_eq!(questions(), 1);
        assert_eq!(read(app, &person, &id)["status"], "paid");
        assert_eq!(wallet(app, &person), (COINS, 0));
        ledger_holds(app);
    }

    [stand_in] fn what_was_given_up_and_paid_with_the_order_string_is_found(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let agree = || shop.alipay.set_clock(app.clock().now_ms());
        let person = customer(app);
        let close = |id: &str| app
            .request("POST", &format!("/v1/orders/{id}/close"))
            .token(&person.token)
            .send();
        agree();
        let [before, after, never] = [(); 3].map(|()| {
            let ordered = order(app, &person, "alipay-app").expect(201);
            hand_over(&shop, &ordered);
            assert_eq!(close(&ordered.text("/id")).expect(200).text("/status"), "closed");
            ordered
        });
        // No notification comes.
        app.clock().advance(MINUTE);
        agree();
        shop.alipay.pay(&number(&before)).expect("the order string was out");
        assert_eq!(read(app, &person, &before.text("/id"))["status"], "paid");
        app.clock().advance(MINUTE * 28);
        agree();
        shop.alipay.pay(&number(&after)).expect("the order string was out");
        app.clock().advance(MINUTE * 5);
        agree();
        assert_eq!(read(app, &person, &after.text("/id"))["status"], "paid");
        assert_eq!(wallet(app, &person), (2 * COINS, 0));
        let questions = || shop.alipay.calls("alipay.trade.query").len();
        let asked = questions();
        let id = never.text("/id");
        for _ in 0..3 {
            assert_eq!(read(app, &person, &id)["status"], "closed");
        }
        assert_eq!(questions(), asked + 1);
        // Nobody closes it again, and by and by nobody asks.
        assert_eq!(shop.alipay.calls("alipay.trade.close").len(), 3);
        app.clock().advance(MINUTE * 60);
        assert_eq!(read(app, &person, &id)["status"], "closed");
        assert_eq!(questions(), asked + 1);
        ledger_holds(app);
    }

    // clause V1, V2
    [stand_in] fn an_expired_order_is_closed_at_the_institution_first(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let person = customer(app);
        let wechat = order(app, &person, "wechat-app").expect(201);
        let alipay = order(app, &person, "alipay-app").expect(201);
        shop.alipay.check_order_string(&alipay.text("/pay/order_string")).expect("valid");
        shop.alipay.pay(&number(&alipay)).expect("it can be paid");
        app.clock().advance(MINUTE * 31);
        shop.alipay.set_clock(app.clock().now_ms());
        shop.wechat.set_clock(app.clock().now_ms());
        assert_eq!(read(app, &person, &wechat.text("/id"))["status"], "closed");
        assert_eq!(shop.wechat.trade_state(&number(&wechat)), Some("CLOSED"));
        // Paid at the last moment.
        assert_eq!(read(app, &person, &alipay.text("/id"))["status"], "paid");
        assert_eq!(wallet(app, &person), (COINS, 0));
    }

    // clause V1
    [stand_in] fn an_expired_order_that_nobody_paid_is_closed_at_alipay_first(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        shop.alipay.set_clock(app.clock().now_ms());
        let person = customer(app);
        let ordered = order(app, &person, "alipay-app").expect(201);
        let id = ordered.text("/id");
        hand_over(&shop, &ordered);
        app.clock().advance(MINUTE * 29);
        shop.alipay.set_clock(app.clock().now_ms());
        shop.alipay.open(&number(&ordered)).expect("it can be opened");
        // Alipay's clock is behind ours: there, it can still be paid.
        app.clock().advance(MINUTE * 2);
        let closings = || shop.alipay.calls("alipay.trade.close").len();
        // The question is answered, and whether it was closed is not: then it is not closed here either.
        shop.alipay.plan_form(AlipayForm::Respelled);
        shop.alipay.plan_form(AlipayForm::Unsigned);
        assert_eq!(read(app, &person, &id)["status"], "pending");
        assert_eq!(closings(), 1);
        shop.alipay.pay(&number(&ordered)).expect_err("it is closed there");
        app.clock().advance(MINUTE);
        shop.alipay.set_clock(app.clock().now_ms());
        assert_eq!(read(app, &person, &id)["status"], "closed");
        assert_eq!(wallet(app, &person), (0, 0));
    }

    // clause V2
    [stand_in] fn what_wechat_says_ended_without_money_is_closed(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let person = customer(app);
        for state in ["REVOKED", "PAYERROR"] {
            let ordered = order(app, &person, "wechat-app").expect(201);
            shop.wechat.tell_state(&number(&ordered), state);
            app.clock().advance(MINUTE);
            shop.wechat.set_clock(app.clock().now_ms());
            assert_eq!(read(app, &person, &ordered.text("/id"))["status"], "closed", "{state}");
        }
        assert_eq!(wallet(app, &person), (0, 0));
        assert!(anomalies(app).is_empty());
    }

    // clause V2
    [stand_in] fn what_was_given_back_in_wechats_console_unheard_of_credits_nothing(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let agree = || shop.wechat.set_clock(app.clock().now_ms());
        agree();
        let person = customer(app);
        let ordered = order(app, &person, "wechat-app").expect(201);
        let id = ordered.text("/id");
        shop.wechat.pay(&number(&ordered));
        shop.wechat.tell_state(&number(&ordered), "REFUND");
        for _ in 0..3 {
            app.clock().advance(MINUTE);
            agree();
            assert_eq!(read(app, &person, &id)["status"], "closed");
        }
        assert_eq!(shop.wechat.calls().len(), 2, "announced, and asked about once");
        assert_eq!(anomalies(app), ["refunded-elsewhere"]);
        assert_eq!(wallet(app, &person), (0, 0));
        // The news come after all.
        let paid = shop.wechat.payment_notification(&number(&ordered));
        crate::payment::post_wechat(app, &paid.post()).expect(204);
        assert_eq!(read(app, &person, &id)["status"], "paid");
        assert_eq!(wallet(app, &person), (COINS, 0));
        ledger_holds(app);
    }

    // clause E15
    fn a_key_that_cannot_be_used_leaves_the_order_as_it_is_known(builder: Builder) {
        let mut shop = open(builder);
        let person = customer(&shop.app);
        let ids = ["alipay-app", "wechat-app"].map(|channel| order(&shop.app, &person, channel).expect(201).text("/id"));
        // So long ago that the institutions are asked.
        let earlier = "UPDATE orders SET created_at = created_at - 60000, asked_at = asked_at - 60000 RETURNING id";
        shop.app.database().rows(earlier);
        shop.app.restart(&[("alipay_app_private_key", "unusable"), ("wechat_pay_private_key", "unusable")]);
        for id in ids {
            let answer = shop.app.get(&format!("/v1/orders/{id}"), &person.token).expect(200);
            assert_eq!(answer.text("/status"), "pending");
            let event = shop.app.log().event("payment-unavailable", answer.request_id());
            assert_eq!(event["level"], "alarm");
            let close = shop.app.request("POST", &format!("/v1/orders/{id}/close")).token(&person.token);
            close.send().expect_problem(503, "payment-unavailable");
        }
    }

    // clause E15
    fn a_key_is_one_persons_for_one_thing(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        let (person, first) = buyer(&shop);
        let (other, second) = buyer(&shop);
        let third = customer(app);
        let send = |path: &str, token: &str, body: &Value| app
            .request("POST", path)
            .token(token)
            .header("idempotency-key", "one-key")
            .json(body);
        for (path, body, changed) in [
            (
                "/v1/orders",
                json!({ "package": PACKAGE, "channel": "apple" }),
                json!({ "package": "coins-300", "channel": "apple" }),
            ),
            (
                "/v1/gifts",
                json!({ "to": third.account_id, "gift": "flower" }),
                json!({ "to": third.account_id, "gift": "coffee" }),
            ),
            (
                "/v1/tips",
                json!({ "to": third.account_id, "coins": 5 }),
                json!({ "to": third.account_id, "coins": 6 }),
            ),
        ] {
            let done = send(path, &person.token, &body).expect(201);
            assert_eq!(send(path, &person.token, &body).expect(201).json["id"], done.json["id"], "{path}");
            send(path, &person.token, &changed).expect_problem(422, "idempotency-key-reused");
            // Another's same key is another key.
            assert_ne!(send(path, &other.token, &body).expect(201).json["id"], done.json["id"], "{path}");
        }
        for giver in [&person, &other] {
            assert_eq!(wallet(app, giver), (COINS - 15, 0));
        }
        let body = json!({ "amount_fen": 100 });
        for id in [&first, &second] {
            let path = format!("/v1/operator/orders/{id}/refund");
            let done = send(&path, api_tests::ADMIN.token, &body).expect(200);
            assert_eq!(send(&path, api_tests::ADMIN.token, &body).expect(200).json["id"], done.json["id"]);
            let changed = json!({ "amount_fen": 200 });
            send(&path, api_tests::ADMIN.token, &changed).expect_problem(422, "idempotency-key-reused");
            // Another operator goes on with the same refund.
            assert_eq!(send(&path, api_tests::REVIEWER.token, &body).expect(200).json["id"], done.json["id"]);
            assert_eq!(refunds(app, id).len(), 1);
        }
        ledger_holds(app);
    }

    // clause V1, V2
    fn giving_up_closes_at_the_institution_and_credits_what_was_paid(builder: Builder) {
        let shop = open(builder);
        let (app, person) = (&shop.app, customer(&shop.app));
        let close = |id: &str| app
            .request("POST", &format!("/v1/orders/{id}/close"))
            .token(&person.token)
            .send();
        for channel in ["alipay-app", "wechat-app", "apple"] {
            let id = order(app, &person, channel).expect(201).text("/id");
            for _ in 0..2 {
                assert_eq!(close(&id).expect(200).text("/status"), "closed");
            }
        }
        let paid = order(app, &person, "wechat-app").expect(201);
        shop.wechat.pay(&number(&paid));
        assert_eq!(close(&paid.text("/id")).expect(200).text("/status"), "paid");
        assert_eq!(wallet(app, &person), (COINS, 0));
        // Closed here, and paid all the same: the order string was out.
        let late = order(app, &person, "alipay-app").expect(201);
        let string = late.text("/pay/order_string");
        assert_eq!(close(&late.text("/id")).expect(200).text("/status"), "closed");
        shop.alipay.check_order_string(&string).expect("valid");
        shop.alipay.pay(&number(&late)).expect("it can be paid");
        alipay_tells(&shop, &number(&late)).expect(200);
        assert_eq!(read(app, &person, &late.text("/id"))["status"], "paid");
        assert_eq!(wallet(app, &person), (2 * COINS, 0));
        // An institution that is away: nothing is known, and nothing changes.
        let away = order(app, &person, "wechat-app").expect(201).text("/id");
        shop.wechat.plan(Behaviour::Close);
        close(&away).expect_problem(503, "payment-unavailable");
        assert_eq!(read(app, &person, &away)["status"], "pending");
        assert_eq!(close(&away).expect(200).text("/status"), "closed");
        assert!(anomalies(app).is_empty());
        ledger_holds(app);
    }
}
