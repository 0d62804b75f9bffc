//! What nobody told us and nobody asks about: expired orders and waiting refunds, which the sweep looks at.

use std::thread;
use std::time::Duration;

use api_tests::{Answer, App, Builder, HOUR, MINUTE, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::wechat_pay::RefundStatus;
use serde_json::json;

use crate::payment::{
    COINS, Shop, anomalies, buyer, customer, fresh_key, hand_over, ledger_holds, number, open,
    order, post_wechat, read, refund, refund_with, refunds, wallet, wechat_buyer,
};
use crate::retention;

/// Where the component looks at what is due; no route from outside leads there.
pub const LOOK: &str = "/internal/payments";

/// One call of the sweep for payments.
pub fn look(app: &App) -> Answer {
    let call = app.request("POST", LOOK);
    call.body("application/json", "{}")
        .send_unchecked()
        .expect(200)
}

/// A shop that looks when a test says so, its clocks standing still.
fn still(builder: Builder) -> Shop {
    let shop = open(builder.with_internal(LOOK, "payment"));
    shop.app.clock().stop();
    agree(&shop);
    shop
}

fn agree(shop: &Shop) {
    let now_ms = shop.app.clock().now_ms();
    shop.alipay.set_clock(now_ms);
    shop.wechat.set_clock(now_ms);
    shop.apple.set_clock(now_ms);
}

fn after(shop: &Shop, time: Duration) {
    shop.app.clock().advance(time);
    agree(shop);
}

/// How an order stands, without anybody reading it.
fn standing(app: &App, id: &str) -> String {
    let status = format!("SELECT status FROM orders WHERE id = '{id}'");
    app.database().rows(&status)[0][0].to_string()
}

/// What of the sweep's answer is about payments.
fn part(swept: &Answer) -> serde_json::Value {
    let parts = swept.json["parts"].as_array().expect("parts");
    let part = parts.iter().find(|part| part["part"] == "payments");
    part.expect("a part").clone()
}

/// The questions about refunds that WeChat was asked.
fn refund_questions(shop: &Shop) -> usize {
    let is_question = |path: &str| path.starts_with("/v3/refund/domestic/refunds/");
    let calls = shop.wechat.calls();
    calls.iter().filter(|call| is_question(&call.path)).count()
}

on_both_engines! {
    // clause E15, V1, V2
    [stand_in] fn expired_orders_that_nobody_reads_are_credited_or_closed(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        agree(&shop);
        let person = customer(app);
        let [paid, opened, unseen] = [(); 3].map(|()| order(app, &person, "alipay-app").expect(201));
        for ordered in [&paid, &opened] {
            hand_over(&shop, ordered);
            shop.alipay.open(&number(ordered)).expect("it can be opened");
        }
        shop.alipay.pay(&number(&paid)).expect("it can be paid");
        let [wechat_paid, wechat_unpaid] = [(); 2].map(|()| order(app, &person, "wechat-app").expect(201));
        shop.wechat.pay(&number(&wechat_paid));
        let apple = order(app, &person, "apple").expect(201);
        let all = [&paid, &opened, &unseen, &wechat_paid, &wechat_unpaid, &apple];
        // While they can be paid, nobody looks.
        after(&shop, MINUTE * 30);
        retention::sweep_all(app);
        assert!(all.iter().all(|ordered| standing(app, &ordered.text("/id")) == "pending"));
        after(&shop, MINUTE);
        let swept = retention::sweep(app).expect(200);
        assert_eq!(part(&swept), json!({ "part": "payments", "done": 6, "more": false, "failed": false }));
        let standings = all.map(|ordered| standing(app, &ordered.text("/id")));
        assert_eq!(standings, ["paid", "closed", "closed", "paid", "closed", "closed"]);
        assert_eq!(wallet(app, &person), (COINS * 2, 0));
        assert_eq!(shop.wechat.trade_state(&number(&wechat_unpaid)), Some("CLOSED"));
        assert_eq!(shop.alipay.calls("alipay.trade.close").len(), 1, "the one that Alipay had not closed itself");
        // And that is that.
        let (alipay, wechat) = (shop.alipay.calls("alipay.trade.query").len(), shop.wechat.calls().len());
        after(&shop, HOUR * 24);
        retention::sweep_all(app);
        assert_eq!(shop.alipay.calls("alipay.trade.query").len(), alipay);
        assert_eq!(shop.wechat.calls().len(), wechat);
        assert!(anomalies(app).is_empty());
        ledger_holds(app);
    }

    // clause E15, V1
    [stand_in] fn what_was_given_up_and_paid_is_found_though_nobody_reads_it(builder: Builder) {
        let shop = still(builder);
        let app = &shop.app;
        let person = customer(app);
        let close = |id: &str| {
            let path = format!("/v1/orders/{id}/close");
            app.request("POST", &path).token(&person.token).send().expect(200)
        };
        let [paid, unpaid] = [(); 2].map(|()| {
            let ordered = order(app, &person, "alipay-app").expect(201);
            hand_over(&shop, &ordered);
            close(&ordered.text("/id"));
            ordered
        });
        shop.alipay.pay(&number(&paid)).expect("the order string was out");
        let elsewhere = order(app, &person, "wechat-app").expect(201);
        close(&elsewhere.text("/id"));
        after(&shop, MINUTE * 31);
        assert_eq!(look(app).json, json!({ "done": 2, "more": false }));
        assert_eq!(standing(app, &paid.text("/id")), "paid");
        assert_eq!(standing(app, &unpaid.text("/id")), "closed");
        assert_eq!(wallet(app, &person), (COINS, 0));
        after(&shop, HOUR * 24);
        assert_eq!(look(app).json["done"], 0);
        ledger_holds(app);
    }

    // clause E15, V2
    [stand_in] fn waiting_refunds_come_to_their_end_by_asking(builder: Builder) {
        let shop = still(builder);
        let app = &shop.app;
        let begin = |status: RefundStatus| {
            let (person, id, _) = wechat_buyer(&shop);
            let number = refund(app, &id, &json!({ "amount_fen": 100 })).expect(202).text("/number");
            if status != RefundStatus::Processing {
                shop.wechat.settle_refund(&number, status);
            }
            (person, id, number)
        };
        let done = begin(RefundStatus::Success);
        let closed = begin(RefundStatus::Closed);
        let abnormal = begin(RefundStatus::Abnormal);
        let slow = begin(RefundStatus::Processing);
        let (alipays, alipays_id) = buyer(&shop);
        shop.alipay.plan_slow_refund();
        refund(app, &alipays_id, &json!({ "amount_fen": 100 })).expect(202);
        shop.alipay.settle_refunds(&alipays_id.replace('-', ""));
        // Just asked for: the answer is on its way.
        assert_eq!(look(app).json, json!({ "done": 0, "more": false }));
        after(&shop, MINUTE);
        assert_eq!(look(app).json, json!({ "done": 5, "more": false }));
        for (person, id, status, coins) in [
            (&done.0, &done.1, "succeeded", COINS - 10),
            (&closed.0, &closed.1, "failed", COINS),
            (&abnormal.0, &abnormal.1, "pending", COINS),
            (&slow.0, &slow.1, "pending", COINS),
            (&alipays, &alipays_id, "succeeded", COINS - 10),
        ] {
            assert_eq!(refunds(app, id), [(100, status.to_owned())]);
            assert_eq!(wallet(app, person), (coins, 0));
        }
        assert_eq!(anomalies(app), ["refund-abnormal"]);
        // What waits is asked about again, more and more rarely.
        let mut asked = Vec::new();
        for minute in 1..=20 {
            let before = refund_questions(&shop);
            after(&shop, MINUTE);
            look(app);
            if refund_questions(&shop) > before {
                asked.push(minute);
            }
        }
        assert_eq!(asked, [1, 3, 7, 15]);
        post_wechat(app, &shop.wechat.refund_notification(&abnormal.2).post()).expect(204);
        assert_eq!(anomalies(app), ["refund-abnormal"], "once, whoever says so");
        for (_, _, number) in [&abnormal, &slow] {
            shop.wechat.settle_refund(number, RefundStatus::Success);
        }
        after(&shop, HOUR);
        look(app);
        for (person, id, _) in [&abnormal, &slow] {
            assert_eq!(refunds(app, id), [(100, "succeeded".to_owned())]);
            assert_eq!(wallet(app, person), (COINS - 10, 0));
        }
        after(&shop, HOUR * 24);
        assert_eq!(look(app).json["done"], 0);
        ledger_holds(app);
    }

    // clause E15
    [stand_in] fn a_refund_that_never_arrived_blocks_no_other_for_ever(builder: Builder) {
        let shop = still(builder);
        let app = &shop.app;
        let (_, at_wechat, _) = wechat_buyer(&shop);
        let (_, at_alipay) = buyer(&shop);
        let key = fresh_key();
        let send = |id: &str| refund_with(app, id, &key, &json!({ "amount_fen": 100 }));
        shop.wechat.plan(Behaviour::Close);
        shop.alipay.plan(Behaviour::Close);
        for id in [&at_wechat, &at_alipay] {
            send(id).expect_problem(503, "payment-unavailable");
        }
        after(&shop, MINUTE);
        look(app);
        for id in [&at_wechat, &at_alipay] {
            assert_eq!(refunds(app, id), [(100, "pending".to_owned())]);
            refund(app, id, &json!({ "amount_fen": 200 })).expect_problem(409, "refund-pending");
        }
        after(&shop, HOUR);
        look(app);
        for id in [&at_wechat, &at_alipay] {
            assert_eq!(refunds(app, id), [(100, "failed".to_owned())]);
            assert!([200, 202].contains(&send(id).status), "with its key, it is asked for again");
        }
        ledger_holds(app);
    }

    // clause E15
    [stand_in] fn what_cannot_be_looked_at_holds_up_nothing_else(builder: Builder) {
        let shop = still(builder);
        let app = &shop.app;
        let person = customer(app);
        let paid = || {
            let ordered = order(app, &person, "wechat-app").expect(201);
            shop.wechat.pay(&number(&ordered));
            ordered.text("/id")
        };
        let [first, second, third] = [paid(), paid(), paid()];
        after(&shop, MINUTE * 31);
        shop.wechat.plan(Behaviour::Close);
        assert_eq!(look(app).json, json!({ "done": 3, "more": false }));
        let standings = || [&first, &second, &third].map(|id| standing(app, id));
        let pending = |standings: &[String; 3]| standings.iter().filter(|status| *status == "pending").count();
        assert_eq!(pending(&standings()), 1);
        assert_eq!(look(app).json["done"], 0, "it comes again, and not at once");
        after(&shop, MINUTE);
        assert_eq!(look(app).json["done"], 1);
        assert_eq!(pending(&standings()), 0);
        // One at which the component dies.
        let [first, second, third] = [paid(), paid(), paid()];
        after(&shop, MINUTE * 31);
        app.faults().trap(5, "before");
        app.request("POST", LOOK).body("application/json", "{}").send_unchecked().expect(500);
        app.faults().clear();
        let before = pending(&[&first, &second, &third].map(|id| standing(app, id)));
        assert_eq!(before, 3);
        assert_eq!(look(app).json, json!({ "done": 2, "more": false }));
        assert_eq!(pending(&[&first, &second, &third].map(|id| standing(app, id))), 1);
        after(&shop, MINUTE);
        look(app);
        assert_eq!(pending(&[&first, &second, &third].map(|id| standing(app, id))), 0);
        assert_eq!(wallet(app, &person), (COINS * 6, 0));
        ledger_holds(app);
    }

    // clause E15
    [stand_in] fn two_sweeps_at_once_ask_once(builder: Builder) {
        let shop = still(builder);
        let app = &shop.app;
        let person = customer(app);
        for _ in 0..5 {
            let ordered = order(app, &person, "wechat-app").expect(201);
            shop.wechat.pay(&number(&ordered));
        }
        after(&shop, MINUTE * 31);
        let announced = shop.wechat.calls().len();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| look(app));
            }
        });
        assert_eq!(shop.wechat.calls().len(), announced + 5);
        assert_eq!(wallet(app, &person), (COINS * 5, 0));
        ledger_holds(app);
    }

    [stand_in] fn a_backlog_is_looked_at_in_bounded_parts(builder: Builder) {
        let shop = still(builder);
        let app = &shop.app;
        let person = customer(app);
        for _ in 0..23 {
            order(app, &person, "apple").expect(201);
        }
        after(&shop, MINUTE * 31);
        assert_eq!(look(app).json, json!({ "done": 20, "more": true }));
        assert_eq!(look(app).json, json!({ "done": 3, "more": false }));
        let id = order(app, &person, "apple").expect(201).text("/id");
        assert_eq!(read(app, &person, &id)["status"], "pending");
    }
}
