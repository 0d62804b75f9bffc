//! `/v1/orders`: ordering, what nobody told us, giving up (clauses E15, E27, T3).

use std::thread;

use api_tests::{Builder, MINUTE, on_both_engines};
use provider_stand_ins::Behaviour;
use serde_json::json;

use crate::payment::{
    COINS, FEN, PACKAGE, alipay_tells, anomalies, customer, hand_over, ledger_holds, number, open,
    order, post, read, snapshot, wallet,
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
            "SELECT COUNT(*) FROM disclosures WHERE recipient = '{recipient}' AND purpose = 'payment'"
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
        shop.wechat.plan(Behaviour::Close);
        let away = order(app, &person, "apple").expect(201).text("/id");
        assert_eq!(close(&away).expect(200).text("/status"), "closed");
        assert!(anomalies(app).is_empty());
        ledger_holds(app);
    }
}
