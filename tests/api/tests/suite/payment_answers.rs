//! What an institution answers is believed only if it is the institution's, about what was asked. Whatever else
//! comes back changes nothing, and the same call can be made again.

use api_tests::{Answer, App, Builder, MINUTE, SECOND, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::alipay::Form as AlipayForm;
use provider_stand_ins::apple::{Form as AppleForm, Which};
use provider_stand_ins::wechat_pay::{Form as WechatForm, RefundStatus};
use serde_json::{Value, json};

use crate::payment::{
    COINS, PACKAGE, Shop, agree_on_time, anomalies, buyer, customer, fresh_key, hand_over,
    ledger_holds, number, open, order, payer, read, refund, refund_with, refunds, snapshot, wallet,
    wechat_buyer,
};

/// Every form that is not WeChat's signature over this answer, now.
const WECHAT_FORMS: [WechatForm; 12] = [
    WechatForm::Unsigned,
    WechatForm::Without("wechatpay-timestamp"),
    WechatForm::Without("wechatpay-nonce"),
    WechatForm::Without("wechatpay-signature"),
    WechatForm::Without("wechatpay-serial"),
    WechatForm::Doubled("wechatpay-signature"),
    WechatForm::OtherKey,
    WechatForm::UnknownSerial,
    WechatForm::OtherText,
    WechatForm::Stale,
    WechatForm::SignTest,
    WechatForm::Garbled,
];

/// Every form that is not Alipay's signature over this answer.
const ALIPAY_FORMS: [AlipayForm; 8] = [
    AlipayForm::Unsigned,
    AlipayForm::Garbled,
    AlipayForm::OtherKey,
    AlipayForm::OtherText,
    AlipayForm::OtherMethod,
    AlipayForm::DoubledFirst,
    AlipayForm::DoubledLast,
    AlipayForm::ErrorResponse,
];

/// Answers that are none, and have no effect.
fn nonsense() -> [Behaviour; 5] {
    [
        Behaviour::Close,
        Behaviour::Refuse(500, "SYSTEM_ERROR"),
        Behaviour::Raw(b"nonsense".to_vec()),
        Behaviour::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
        Behaviour::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"code\":".to_vec()),
    ]
}

/// Everything about money, but for when an institution was asked last.
fn standing(app: &App) -> Vec<String> {
    let orders =
        "SELECT id, status, provider_id, paid_at, refund_reversed_at FROM orders ORDER BY id";
    let orders = app.database().rows(orders);
    let orders = orders.iter().map(|row| format!("{row:?}"));
    let rest = snapshot(app).into_iter().skip(orders.len());
    orders.chain(rest).collect()
}

/// The person reads the order when the institution may be asked again: it is told as it was.
fn reads_stale(shop: &Shop, person: &api_tests::Person, id: &str, what: &str) {
    shop.app.clock().advance(SECOND * 11);
    agree_on_time(shop);
    let before = standing(&shop.app);
    assert_eq!(read(&shop.app, person, id)["status"], "pending", "{what}");
    assert_eq!(standing(&shop.app), before, "{what}");
    assert_eq!(wallet(&shop.app, person), (0, 0), "{what}");
}

/// The call does not get through, and changes nothing.
fn comes_to_nothing(shop: &Shop, call: impl Fn() -> Answer, what: &str) {
    let before = standing(&shop.app);
    let answer = call();
    assert_eq!(
        (answer.status, answer.problem()),
        (503, Some("payment-unavailable")),
        "{what}"
    );
    assert_eq!(standing(&shop.app), before, "{what}");
}

fn close(shop: &Shop, person: &api_tests::Person, id: &str) -> Answer {
    shop.app
        .request("POST", &format!("/v1/orders/{id}/close"))
        .token(&person.token)
        .send()
}

on_both_engines! {
    // clause V2
    fn no_order_is_begun_by_what_wechat_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let (app, person, key) = (&shop.app, customer(&shop.app), fresh_key());
        let body = json!({ "package": PACKAGE, "channel": "wechat-app" });
        let send = || app
            .request("POST", "/v1/orders")
            .token(&person.token)
            .header("idempotency-key", &key)
            .json(&body);
        shop.wechat.plan_form(WechatForm::Unsigned);
        // The order is there from now on; whoever has the key goes on with it.
        send().expect_problem(503, "payment-unavailable");
        for form in WECHAT_FORMS {
            shop.wechat.plan_form(form);
            comes_to_nothing(&shop, send, &format!("{form:?}"));
        }
        for behaviour in nonsense() {
            shop.wechat.plan(behaviour.clone());
            comes_to_nothing(&shop, send, &format!("{behaviour:?}"));
        }
        let ordered = send().expect(201);
        assert_eq!(shop.wechat.check_app_call(&ordered.json["pay"]), Ok(number(&ordered)));
        assert_eq!(app.database().count("SELECT COUNT(*) FROM orders"), 1);
    }

    // clause V2
    [stand_in] fn no_payment_is_credited_by_what_wechat_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        agree_on_time(&shop);
        let person = customer(app);
        let paid = order(app, &person, "wechat-app").expect(201);
        let unpaid = order(app, &person, "wechat-app").expect(201);
        shop.wechat.pay(&number(&paid));
        app.clock().advance(MINUTE);
        let id = paid.text("/id");
        for form in WECHAT_FORMS {
            shop.wechat.plan_form(form);
            reads_stale(&shop, &person, &id, &format!("{form:?}"));
        }
        for behaviour in nonsense() {
            shop.wechat.plan(behaviour.clone());
            reads_stale(&shop, &person, &id, &format!("{behaviour:?}"));
        }
        shop.wechat.plan(Behaviour::Raw(shop.wechat.order_answer(&number(&paid))));
        reads_stale(&shop, &person, &unpaid.text("/id"), "another order's payment");
        shop.wechat.plan_form(WechatForm::Certificate);
        app.clock().advance(SECOND * 11);
        agree_on_time(&shop);
        assert_eq!(read(app, &person, &id)["status"], "paid");
        assert_eq!(wallet(app, &person), (COINS, 0));
        assert!(anomalies(app).is_empty());
        ledger_holds(app);
    }

    // clause V2
    fn no_order_is_closed_by_what_wechat_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let id = order(&shop.app, &person, "wechat-app").expect(201).text("/id");
        let send = || close(&shop, &person, &id);
        for behaviour in nonsense() {
            shop.wechat.plan(behaviour.clone());
            comes_to_nothing(&shop, send, &format!("{behaviour:?}"));
        }
        // WeChat closes it, and is not believed: the next answer says that it was closed before.
        for form in WECHAT_FORMS {
            shop.wechat.plan_form(form);
            comes_to_nothing(&shop, send, &format!("{form:?}"));
        }
        assert_eq!(send().expect(200).text("/status"), "closed");
    }

    // clause V2
    fn no_refund_is_done_by_what_wechat_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let (person, id, _) = wechat_buyer(&shop);
        let (_, other, _) = wechat_buyer(&shop);
        let others = refund(&shop.app, &other, &json!({})).expect(202).text("/number");
        shop.wechat.settle_refund(&others, RefundStatus::Success);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        shop.wechat.plan_form(WechatForm::Unsigned);
        send().expect_problem(503, "payment-unavailable");
        let [(100, status)] = &refunds(&shop.app, &id)[..] else { panic!("one refund") };
        assert_eq!(status, "pending");
        let number = shop.wechat.calls().last().expect("a call").body["out_refund_no"].clone();
        shop.wechat.settle_refund(number.as_str().expect("a number"), RefundStatus::Success);
        for form in WECHAT_FORMS {
            shop.wechat.plan_form(form);
            comes_to_nothing(&shop, send, &format!("{form:?}"));
        }
        for behaviour in nonsense() {
            shop.wechat.plan(behaviour.clone());
            comes_to_nothing(&shop, send, &format!("{behaviour:?}"));
        }
        shop.wechat.plan(Behaviour::Raw(shop.wechat.refund_answer(&others)));
        comes_to_nothing(&shop, send, "another refund's answer");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        send().expect(200);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    [stand_in] fn no_payment_is_credited_by_what_alipay_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        agree_on_time(&shop);
        let (person, id, paid) = payer(&shop);
        let unpaid = order(app, &person, "alipay-app").expect(201);
        hand_over(&shop, &unpaid);
        shop.alipay.open(&number(&unpaid)).expect("it can be opened");
        app.clock().advance(MINUTE);
        for form in ALIPAY_FORMS {
            shop.alipay.plan_form(form);
            reads_stale(&shop, &person, &id, &format!("{form:?}"));
            // Which forge a success, too.
            shop.alipay.plan_form(form);
            reads_stale(&shop, &person, &unpaid.text("/id"), &format!("{form:?}, unpaid"));
        }
        for behaviour in nonsense() {
            shop.alipay.plan(behaviour.clone());
            reads_stale(&shop, &person, &id, &format!("{behaviour:?}"));
        }
        let others = shop.alipay.answer_about("alipay.trade.query", &paid);
        shop.alipay.plan(Behaviour::Raw(others));
        reads_stale(&shop, &person, &unpaid.text("/id"), "another order's payment");
        app.clock().advance(SECOND * 11);
        agree_on_time(&shop);
        assert_eq!(read(app, &person, &id)["status"], "paid");
        assert_eq!(wallet(app, &person), (COINS, 0));
        assert!(anomalies(app).is_empty());
        ledger_holds(app);
    }

    // clause E15
    fn no_order_is_closed_by_what_alipay_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let [this, other] = [(); 2].map(|()| {
            let ordered = order(&shop.app, &person, "alipay-app").expect(201);
            hand_over(&shop, &ordered);
            shop.alipay.open(&number(&ordered)).expect("it can be opened");
            ordered
        });
        let id = this.text("/id");
        let send = || close(&shop, &person, &id);
        for behaviour in nonsense() {
            shop.alipay.plan(behaviour.clone());
            comes_to_nothing(&shop, send, &format!("{behaviour:?}"));
        }
        let others = shop.alipay.answer_about("alipay.trade.close", &number(&other));
        shop.alipay.plan(Behaviour::Raw(others));
        comes_to_nothing(&shop, send, "another order's answer");
        for form in ALIPAY_FORMS {
            shop.alipay.plan_form(form);
            comes_to_nothing(&shop, send, &format!("{form:?}"));
        }
        assert_eq!(send().expect(200).text("/status"), "closed");
    }

    // clause E15
    fn no_refund_is_done_by_what_alipay_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let (_, other) = buyer(&shop);
        refund(&shop.app, &other, &json!({ "amount_fen": 100 })).expect(200);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        shop.alipay.plan(Behaviour::Close);
        send().expect_problem(503, "payment-unavailable");
        for behaviour in nonsense() {
            shop.alipay.plan(behaviour.clone());
            comes_to_nothing(&shop, send, &format!("{behaviour:?}"));
        }
        let others = |method: &str| {
            Behaviour::Raw(shop.alipay.answer_about(method, &other.replace('-', "")))
        };
        shop.alipay.plan(others("alipay.trade.refund"));
        comes_to_nothing(&shop, send, "another order's answer");
        for form in ALIPAY_FORMS {
            shop.alipay.plan_form(form);
            comes_to_nothing(&shop, send, &format!("{form:?}"));
        }
        // It was done by the first of these; from here on it is the question that is not answered.
        for form in ALIPAY_FORMS {
            shop.alipay.plan_form(AlipayForm::Respelled);
            shop.alipay.plan_form(form);
            comes_to_nothing(&shop, send, &format!("{form:?}, asked about"));
        }
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        send().expect(200);
        assert_eq!(refunds(&shop.app, &id), [(100, "succeeded".to_owned())]);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        ledger_holds(&shop.app);
    }

    // clause V19
    fn no_purchase_is_credited_by_what_apple_did_not_sign(builder: Builder) {
        let shop = open(builder);
        let person = customer(&shop.app);
        let ordered = order(&shop.app, &person, "apple").expect(201);
        let (id, product) = (ordered.text("/id"), ordered.text("/pay/product_id"));
        let transaction = shop.apple.buy(&product, Some(&id));
        let second = shop.apple.buy(&product, Some(&id));
        let path = format!("/v1/orders/{id}/apple-transaction");
        let body: Value = json!({ "transaction_id": transaction });
        let send = || shop.app.request("POST", &path).token(&person.token).json(&body);
        for form in [
            AppleForm::OtherRoot,
            AppleForm::OtherIntermediate,
            AppleForm::Expired(Which::Leaf),
            AppleForm::OtherKey,
            AppleForm::OtherText,
            AppleForm::Unsigned,
            AppleForm::Algorithm("none"),
        ] {
            shop.apple.plan_form(form);
            comes_to_nothing(&shop, send, &format!("{form:?}"));
        }
        for behaviour in nonsense() {
            shop.apple.plan(behaviour.clone());
            comes_to_nothing(&shop, send, &format!("{behaviour:?}"));
        }
        shop.apple.plan(Behaviour::Raw(shop.apple.answer_about(&second)));
        comes_to_nothing(&shop, send, "another transaction's answer");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        assert_eq!(send().expect(200).text("/status"), "paid");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        assert!(anomalies(&shop.app).is_empty());
        ledger_holds(&shop.app);
    }

    // Each waits for as long as a person is made to wait.
    fn an_institution_that_does_not_come_to_an_end_loses_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id) = buyer(&shop);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        // The money goes back, and nobody hears of it.
        shop.alipay.plan(Behaviour::Hang);
        send().expect_problem(503, "payment-unavailable");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        shop.alipay.plan(Behaviour::Drip);
        comes_to_nothing(&shop, send, "drips");
        send().expect(200);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        assert_eq!(refunds(&shop.app, &id), [(100, "succeeded".to_owned())]);
        let waiting = order(&shop.app, &person, "wechat-app").expect(201);
        shop.wechat.plan(Behaviour::Hang);
        comes_to_nothing(&shop, || close(&shop, &person, &waiting.text("/id")), "hangs");
        assert_eq!(close(&shop, &person, &waiting.text("/id")).expect(200).text("/status"), "closed");
        ledger_holds(&shop.app);
    }
}
