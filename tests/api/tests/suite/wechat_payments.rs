//! `/v1/callbacks/wechat/payment`, `/v1/callbacks/wechat/refund`: orders and refunds as WeChat Pay tells of
//! them.

use std::thread;

use api_tests::{Answer, Builder, Person, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::wechat_pay::{Form, Post, RefundStatus};
use serde_json::json;

use crate::payment::{
    COINS, Shop, anomalies, customer, entries, fresh_key, ledger_holds, number, open, order, post,
    post_wechat, read, readable, refund, refund_with, refunds, snapshot, unreadable, wallet,
    wechat_buyer,
};

/// Someone who has paid an order that WeChat has not told of.
fn payer(shop: &Shop) -> (Person, String) {
    let person = customer(&shop.app);
    let ordered = order(&shop.app, &person, "wechat-app").expect(201);
    shop.wechat.pay(&number(&ordered));
    (person, ordered.text("/id"))
}

/// The same person buys once more.
fn wechat_pays_again(shop: &Shop, person: &Person) {
    let ordered = order(&shop.app, person, "wechat-app").expect(201);
    shop.wechat.pay(&number(&ordered));
    let told = shop.wechat.payment_notification(&number(&ordered));
    post_wechat(&shop.app, &told.post()).expect(204);
}

fn is_refused(shop: &Shop, post: &Post, status: u16, what: &str) {
    let answer = post_wechat(&shop.app, post);
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert_eq!(answer.json["code"], "FAIL", "{what}");
    assert!(answer.json["message"].is_string(), "{what}");
}

on_both_engines! {
    // clause E15, V2
    fn a_payment_is_credited_once_however_often_it_is_told(builder: Builder) {
        let shop = open(builder);
        let (person, id) = payer(&shop);
        let number = id.replace('-', "");
        for form in [None, Some(Form::Certificate), None] {
            let told = shop.wechat.payment_notification(&number);
            let told = form.map_or_else(|| shop.wechat.payment_notification(&number), |form| told.signed(form));
            post_wechat(&shop.app, &told.post()).expect(204);
        }
        assert_eq!(read(&shop.app, &person, &id)["status"], "paid");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        ledger_holds(&shop.app);
    }

    // clause V2
    fn forged_and_broken_notifications_change_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id) = payer(&shop);
        let number = id.replace('-', "");
        let told = || shop.wechat.payment_notification(&number);
        let before = snapshot(&shop.app);
        // These WeChat did not sign.
        for form in [
            Form::Unsigned,
            Form::Without("wechatpay-timestamp"),
            Form::Without("wechatpay-nonce"),
            Form::Without("wechatpay-signature"),
            Form::Without("wechatpay-serial"),
            Form::Doubled("wechatpay-signature"),
            Form::OtherKey,
            Form::UnknownSerial,
            Form::OtherText,
            Form::Stale,
            Form::SignTest,
            Form::Garbled,
        ] {
            let what = format!("{form:?}");
            is_refused(&shop, &told().signed(form).post(), 400, &what);
        }
        let mut changed = told().post();
        changed.body = changed.body.replace("TRANSACTION", "TRANSACTIOM");
        is_refused(&shop, &changed, 400, "changed");
        let mut truncated = told().post();
        truncated.body.truncate(truncated.body.len() / 2);
        is_refused(&shop, &truncated, 400, "truncated");
        let mut empty = told().post();
        empty.body.clear();
        is_refused(&shop, &empty, 400, "empty");
        let mut oversized = told().post();
        oversized.body += &" ".repeat(70_000);
        is_refused(&shop, &oversized, 413, "oversized");
        assert_eq!(snapshot(&shop.app), before);
        // These it did: they are kept, and nothing else changes.
        let broken = [
            (told().as_event("REFUND.SUCCESS"), "a payment called a refund"),
            (told().as_original_type("refund"), "another type"),
            (told().under_key("0123456789abcdef0123456789abcdef"), "another APIv3 key"),
            (told().with("/trade_state", json!("NOTPAY")), "not paid"),
            (told().with("/trade_state", json!(1)), "mistyped"),
            (told().with("/amount", json!("600")), "an amount that is a text"),
            (told().with("/amount/total", json!(600.5)), "half a fen"),
            (told().with("/amount/total", json!(99_999_999_999_999_999_999.0)), "a huge amount"),
            (told().with("/success_time", json!("yesterday")), "no time"),
            (told().with("/out_trade_no", json!(null)), "no number"),
        ];
        for (message, what) in &broken {
            for _ in 0..2 {
                is_refused(&shop, &message.post(), 400, what);
            }
        }
        // The second and the third have one name.
        assert_eq!(unreadable(&shop.app), broken.len() - 1);
        let first = "SELECT COUNT(*) FROM payment_notifications WHERE content LIKE '%\"REFUND.SUCCESS\"%' \
                     AND deliveries = 2 AND order_id IS NULL";
        assert_eq!(shop.app.database().count(first), 1);
        assert_eq!(readable(&shop.app), before);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
    }

    // clause V2
    fn what_is_true_and_does_not_fit_is_kept_and_credits_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id) = payer(&shop);
        let number = id.replace('-', "");
        let elsewhere = order(&shop.app, &person, "alipay-app").expect(201);
        let told = || shop.wechat.payment_notification(&number);
        for (message, reason) in [
            (told().with("/amount/total", json!(1)), "wrong-amount"),
            (told().with("/amount/currency", json!("USD")), "wrong-currency"),
            (told().with("/out_trade_no", json!("00000000000070008000000000000000")), "unknown-order"),
            (told().with("/mchid", json!("1900000999")), "other-merchant"),
            (told().with("/appid", json!("wx0000000000000000")), "other-merchant"),
            (told().with("/out_trade_no", json!(crate::payment::number(&elsewhere))), "wrong-channel"),
        ] {
            post_wechat(&shop.app, &message.post()).expect(204);
            assert_eq!(anomalies(&shop.app)[0], reason);
        }
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        post_wechat(&shop.app, &told().post()).expect(204);
        let second = told().with("/transaction_id", json!("4200000000000000000000000000"));
        post_wechat(&shop.app, &second.post()).expect(204);
        assert_eq!(anomalies(&shop.app)[0], "second-payment");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        ledger_holds(&shop.app);
    }

    // clause V2
    fn a_refund_ends_by_its_notification(builder: Builder) {
        let shop = open(builder);
        let (person, id) = payer(&shop);
        let told = shop.wechat.payment_notification(&id.replace('-', ""));
        post_wechat(&shop.app, &told.post()).expect(204);
        let pending = refund(&shop.app, &id, &json!({ "amount_fen": 100 })).expect(202);
        let number = pending.text("/id").replace('-', "");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        shop.wechat.settle_refund(&number, RefundStatus::Abnormal);
        post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        assert_eq!(anomalies(&shop.app), ["refund-abnormal"]);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        // A person has helped.
        shop.wechat.settle_refund(&number, RefundStatus::Success);
        for _ in 0..2 {
            post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        }
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        let closed = refund(&shop.app, &id, &json!({ "amount_fen": 200 })).expect(202);
        let number = closed.text("/id").replace('-', "");
        shop.wechat.settle_refund(&number, RefundStatus::Closed);
        post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        // What was refused is free again; calling again with its key goes on with what waits.
        let key = fresh_key();
        let rest = refund_with(&shop.app, &id, &key, &json!({})).expect(202);
        let number = rest.text("/id").replace('-', "");
        shop.wechat.settle_refund(&number, RefundStatus::Success);
        assert_eq!(refund_with(&shop.app, &id, &key, &json!({})).expect(200).text("/status"), "succeeded");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn a_refund_goes_on_with_its_key(builder: Builder) {
        let shop = open(builder);
        let (person, id, _) = wechat_buyer(&shop);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        let pending = send().expect(202);
        assert_eq!(send().expect(202).text("/id"), pending.text("/id"));
        let number = pending.text("/number");
        shop.wechat.settle_refund(&number, RefundStatus::Success);
        post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        for replayed in [None, Some("true")] {
            let done = send().expect(200);
            assert_eq!((done.text("/id"), done.text("/status")), (pending.text("/id"), "succeeded".to_owned()));
            assert_eq!(done.header("idempotent-replayed"), replayed);
        }
        assert_eq!(refunds(&shop.app, &id), [(100, "succeeded".to_owned())]);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn one_refund_waits_and_another_key_does_not_go_on_with_it(builder: Builder) {
        let shop = open(builder);
        let (person, id, _) = wechat_buyer(&shop);
        let (first, second, body) = (fresh_key(), fresh_key(), json!({ "amount_fen": 100 }));
        let pending = refund_with(&shop.app, &id, &first, &body).expect(202);
        let number = pending.text("/number");
        for other in [&body, &json!({ "amount_fen": 600 }), &json!({})] {
            let waiting = refund_with(&shop.app, &id, &second, other).expect_problem(409, "refund-pending");
            assert_eq!(waiting.json["number"], json!(number));
        }
        shop.wechat.settle_refund(&number, RefundStatus::Success);
        post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        assert_eq!(refund_with(&shop.app, &id, &first, &body).expect(200).text("/number"), number);
        let asked = shop.wechat.calls().into_iter().filter(|call| call.body.get("out_refund_no").is_some());
        assert_eq!(asked.count(), 1);
        assert_eq!(refunds(&shop.app, &id), [(100, "succeeded".to_owned())]);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn of_many_refunds_at_once_one_waits(builder: Builder) {
        let shop = open(builder);
        let (_, id, _) = wechat_buyer(&shop);
        let same = fresh_key();
        let answers: Vec<_> = thread::scope(|scope| {
            let calls: Vec<_> = (0..12)
                .map(|nth| {
                    // Of two keys, each its own amount.
                    let key = if nth % 2 == 0 { same.clone() } else { fresh_key() };
                    let body = json!({ "amount_fen": if nth % 2 == 0 { 100 } else { 50 } });
                    let (app, id) = (&shop.app, &id);
                    scope.spawn(move || refund_with(app, id, &key, &body))
                })
                .collect();
            calls.into_iter().map(|call| call.join().expect("no panic")).collect()
        });
        let accepted: Vec<_> = answers.iter().filter(|answer| answer.status == 202).collect();
        assert!(!accepted.is_empty(), "{answers:?}");
        for answer in &answers {
            let known = [(202, None), (409, Some("refund-pending")), (409, Some("idempotency-key-in-progress"))];
            assert!(known.contains(&(answer.status, answer.problem())), "{answer:?}");
        }
        assert!(accepted.iter().all(|answer| answer.text("/number") == accepted[0].text("/number")));
        assert_eq!(refunds(&shop.app, &id).len(), 1);
        let again = "INSERT INTO refunds SELECT 'other', order_id, 2, 'other', 1, 0, status, 1, 1, NULL FROM refunds RETURNING id";
        assert!(shop.app.database().try_rows(again).is_err(), "the schema allows one");
    }

    // clause E15
    fn a_refund_that_was_refused_is_asked_for_again_under_its_number(builder: Builder) {
        let shop = open(builder);
        let (person, id, _) = wechat_buyer(&shop);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        for _ in 0..2 {
            shop.wechat.plan(Behaviour::Refuse(403, "NOT_ENOUGH"));
            let refused = send().expect_problem(409, "refund-refused");
            assert_eq!(refused.json["reason"], "balance-too-low");
            assert_eq!(refunds(&shop.app, &id), [(100, "failed".to_owned())]);
        }
        let number = send().expect(202).text("/number");
        // One at a time, also of those that are asked for again.
        let waiting = refund(&shop.app, &id, &json!({ "amount_fen": 50 })).expect_problem(409, "refund-pending");
        assert_eq!(waiting.json["number"], json!(number));
        shop.wechat.settle_refund(&number, RefundStatus::Closed);
        post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        let closed = send().expect_problem(409, "refund-refused");
        assert_eq!(closed.json["reason"], "closed");
        let (other_key, other_body) = (fresh_key(), json!({ "amount_fen": 50 }));
        let other = refund_with(&shop.app, &id, &other_key, &other_body).expect(202);
        let waiting = send().expect_problem(409, "refund-pending");
        assert_eq!(waiting.json["number"], json!(other.text("/number")));
        shop.wechat.settle_refund(&other.text("/number"), RefundStatus::Success);
        refund_with(&shop.app, &id, &other_key, &other_body).expect(200);
        let standing = [(100, "failed".to_owned()), (50, "succeeded".to_owned())];
        assert_eq!(refunds(&shop.app, &id), standing);
        assert_eq!(wallet(&shop.app, &person), (COINS - 5, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn a_refund_in_wechats_console_is_taken_once_however_many_tell(builder: Builder) {
        let shop = open(builder);
        let (person, id, number) = wechat_buyer(&shop);
        let ours = refund(&shop.app, &id, &json!({ "amount_fen": 400 })).expect(202);
        shop.wechat.settle_refund(&ours.text("/number"), RefundStatus::Success);
        let told = || shop.wechat.refund_notification(&ours.text("/number"));
        // Ours waits for its own news: nothing of the console's is taken for it, or held back by it.
        let console = told().with("/out_refund_no", json!("console-1")).with("/amount/refund", json!(150));
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| while post_wechat(&shop.app, &console.post()).status >= 500 {});
            }
        });
        assert_eq!(wallet(&shop.app, &person), (COINS - 15, 0));
        post_wechat(&shop.app, &told().post()).expect(204);
        assert_eq!(entries(&shop.app, &person), ["top-up", "refund", "refund"]);
        assert!(anomalies(&shop.app).is_empty());
        for (name, fen) in [("console-2", 51), ("console-3", 601), ("console-4", i64::MAX)] {
            let more = told().with("/out_refund_no", json!(name)).with("/amount/refund", json!(fen));
            post_wechat(&shop.app, &more.post()).expect(204);
            assert_eq!(anomalies(&shop.app)[0], "refund-exceeds");
        }
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 550);
        assert_eq!(number, id.replace('-', ""));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn a_refund_told_first_credits_and_takes(builder: Builder) {
        let shop = open(builder);
        let (person, id) = payer(&shop);
        let number = id.replace('-', "");
        let paid = shop.wechat.payment_notification(&number);
        post_wechat(&shop.app, &paid.post()).expect(204);
        let refunded = refund(&shop.app, &id, &json!({})).expect(202).text("/number");
        shop.wechat.settle_refund(&refunded, RefundStatus::Success);
        let told = shop.wechat.refund_notification(&refunded);
        // The same about an order of whose payment nobody has told.
        let (other, other_id) = payer(&shop);
        let first = told
            .with("/out_trade_no", json!(other_id.replace('-', "")))
            .with("/transaction_id", json!("4200000000000000000000000099"))
            .with("/out_refund_no", json!("console"));
        for _ in 0..2 {
            post_wechat(&shop.app, &first.post()).expect(204);
        }
        assert_eq!(entries(&shop.app, &other), ["top-up", "refund"]);
        assert_eq!(wallet(&shop.app, &other), (0, 0));
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        assert!(anomalies(&shop.app).is_empty());
        ledger_holds(&shop.app);
    }

    // clause E15, V2
    fn an_abnormal_refund_may_be_told_by_the_answer(builder: Builder) {
        let shop = open(builder);
        let (person, id, _) = wechat_buyer(&shop);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        let number = send().expect(202).text("/number");
        shop.wechat.settle_refund(&number, RefundStatus::Abnormal);
        for _ in 0..2 {
            assert_eq!(send().expect(202).text("/status"), "pending");
        }
        // Once, whoever says so.
        post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        assert_eq!(anomalies(&shop.app), ["refund-abnormal"]);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        shop.wechat.settle_refund(&number, RefundStatus::Success);
        send().expect(200);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        ledger_holds(&shop.app);
    }

    // clause E15, V2
    fn a_refund_that_wechat_does_not_make_fails_and_blocks_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id, _) = wechat_buyer(&shop);
        let (key, body) = (fresh_key(), json!({ "amount_fen": 100 }));
        let send = || refund_with(&shop.app, &id, &key, &body);
        for (status, code, reason) in [
            (400, "INVALID_REQUEST", "invalid-request"),
            (400, "PARAM_ERROR", "other"),
            (404, "MCH_NOT_EXISTS", "other"),
        ] {
            shop.wechat.plan(Behaviour::Refuse(status, code));
            let refused = send().expect_problem(409, "refund-refused");
            assert_eq!(refused.json["reason"], reason, "{code}");
            let event = shop.app.log().event("refund-refused", refused.request_id());
            assert!(event["codes"].as_str().expect("codes").starts_with(&status.to_string()), "{event}");
            assert_eq!(refunds(&shop.app, &id), [(100, "failed".to_owned())]);
        }
        // What passes, and what says nothing of the refund, leaves it waiting; so does what nobody signed.
        for (status, code) in [(500, "SYSTEM_ERROR"), (429, "FREQUENCY_LIMITED"), (403, "NO_AUTH"), (401, "SIGN_ERROR")] {
            shop.wechat.plan(Behaviour::Refuse(status, code));
            send().expect_problem(503, "payment-unavailable");
            assert_eq!(refunds(&shop.app, &id), [(100, "pending".to_owned())], "{code}");
        }
        shop.wechat.plan(Behaviour::Refuse(400, "PARAM_ERROR"));
        shop.wechat.plan_form(Form::Unsigned);
        send().expect_problem(503, "payment-unavailable");
        // It was taken on, and nobody heard of it: then the refusal of the second is no end.
        shop.wechat.plan_form(Form::Unsigned);
        send().expect_problem(503, "payment-unavailable");
        shop.wechat.plan(Behaviour::Refuse(400, "INVALID_REQUEST"));
        let number = send().expect(202).text("/number");
        shop.wechat.settle_refund(&number, RefundStatus::Success);
        shop.wechat.plan(Behaviour::Refuse(400, "INVALID_REQUEST"));
        send().expect(200);
        assert_eq!(refunds(&shop.app, &id), [(100, "succeeded".to_owned())]);
        assert_eq!(wallet(&shop.app, &person), (COINS - 10, 0));
        ledger_holds(&shop.app);
    }

    // clause E15, V2
    fn spent_coins_become_a_debt(builder: Builder) {
        let shop = open(builder);
        let (person, id, _) = wechat_buyer(&shop);
        let other = customer(&shop.app);
        let tip = |coins: i64| post(&shop.app, &person, "/v1/tips", &json!({ "to": other.account_id, "coins": coins }));
        tip(COINS - 5).expect(201);
        let number = refund(&shop.app, &id, &json!({})).expect(202).text("/number");
        shop.wechat.settle_refund(&number, RefundStatus::Success);
        post_wechat(&shop.app, &shop.wechat.refund_notification(&number).post()).expect(204);
        assert_eq!(wallet(&shop.app, &person), (0, COINS - 5));
        tip(1).expect_problem(409, "coins-insufficient");
        wechat_pays_again(&shop, &person);
        assert_eq!(wallet(&shop.app, &person), (5, 0));
        ledger_holds(&shop.app);
    }

    // clause E15
    fn rounding_takes_no_less_than_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id, number) = wechat_buyer(&shop);
        let done = |fen: i64| {
            let key = fresh_key();
            let body = json!({ "amount_fen": fen });
            let waiting = refund_with(&shop.app, &id, &key, &body).expect(202).text("/number");
            shop.wechat.settle_refund(&waiting, RefundStatus::Success);
            refund_with(&shop.app, &id, &key, &body).expect(200).json["coins"].as_i64().expect("a number")
        };
        // Ten fen are a coin: nine are none yet, and each of two that do not know of each other is the tenth.
        assert_eq!(done(9), 0);
        let ours = refund(&shop.app, &id, &json!({ "amount_fen": 1 })).expect(202);
        shop.wechat.settle_refund(&ours.text("/number"), RefundStatus::Success);
        let told = || shop.wechat.refund_notification(&ours.text("/number"));
        let console = told().with("/out_refund_no", json!("console")).with("/amount/refund", json!(1));
        post_wechat(&shop.app, &console.post()).expect(204);
        post_wechat(&shop.app, &told().post()).expect(204);
        assert_eq!(wallet(&shop.app, &person), (COINS - 2, 0));
        // Eleven fen are one coin, too: the next takes none, and never gives one back.
        assert_eq!(done(1), 0);
        assert_eq!(done(588), COINS - 2);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        assert_eq!(number, id.replace('-', ""));
        ledger_holds(&shop.app);
    }

    // clause C1
    fn what_anybody_can_post_alarms_nobody(builder: Builder) {
        let mut shop = open(builder);
        let (_, id) = payer(&shop);
        let invented = shop.wechat.payment_notification(&id.replace('-', "")).signed(Form::UnknownSerial);
        let level = |answer: &Answer| shop.app.log().event("problem", answer.request_id())["level"].clone();
        let answer = post_wechat(&shop.app, &invented.post()).expect_problem(400, "signature-invalid");
        assert_eq!(level(&answer), "warning");
        let unset = [("wechat_pay_mchid", ""), ("alipay_app_id", ""), ("alipay_seller_id", ""), ("apple_bundle_id", "")];
        shop.app.restart(&unset);
        for (path, media_type) in [
            ("/v1/callbacks/wechat/payment", "application/json"),
            ("/v1/callbacks/wechat/refund", "application/json"),
            ("/v1/callbacks/alipay/payment", crate::identity::FORM),
            ("/v1/callbacks/apple", "application/json"),
        ] {
            let answer = shop.app.request("POST", path).body(media_type, "{}").send();
            let answer = answer.expect_problem(503, "payment-unavailable");
            let event = shop.app.log().event("problem", answer.request_id());
            assert_eq!(event["level"], "warning", "{path}");
        }
    }

    // clause E27
    fn nothing_of_the_payer_is_kept(builder: Builder) {
        let shop = open(builder);
        let (_, id) = payer(&shop);
        let told = shop.wechat.payment_notification(&id.replace('-', ""));
        let told = told.with("/payer/openid", json!("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
        post_wechat(&shop.app, &told.post()).expect(204);
        let kept = snapshot(&shop.app).join("\n");
        assert!(kept.contains("credited"));
        for of_the_payer in ["oUpF8uMuAJO", "openid", "bank"] {
            assert!(!kept.contains(of_the_payer), "{of_the_payer}");
        }
    }
}
