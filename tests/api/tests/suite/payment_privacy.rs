//! What the payment institutions know of payers stays with them, and what must be kept for years names nobody.

use api_tests::{App, Builder, MINUTE, Person, on_both_engines};
use provider_stand_ins::wechat_pay::RefundStatus;
use serde_json::json;

use crate::payment::{
    PACKAGE, alipay_tells, anomalies, buyer, customer, hand_over, ledger_holds, number, open,
    order, payer, post, post_alipay, post_wechat, read, refund, wallet, wechat_buyer,
};
use crate::privacy::is_nowhere;

/// What must be kept for years.
const KEPT: [&str; 6] = [
    "orders",
    "refunds",
    "ledger",
    "ledger_seals",
    "payment_notifications",
    "payment_anomalies",
];

fn rows(app: &App, tables: &[&str]) -> Vec<Vec<u8>> {
    let select = |table: &&str| app.database().rows(&format!("SELECT * FROM {table}"));
    let cells = tables.iter().flat_map(select).flatten();
    cells.map(|cell| cell.bytes()).collect()
}

/// In which forms a row could name a person: the account, and what their number is looked up by.
fn names(app: &App, person: &Person) -> Vec<Vec<u8>> {
    let id = &person.account_id;
    let hash = app.database().rows(&format!(
        "SELECT phone_hash FROM accounts WHERE id = '{id}'"
    ));
    let hash = hash[0][0].bytes();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let digits = person.phone[3..].to_owned();
    [id.clone(), id.replace('-', ""), hex, digits]
        .into_iter()
        .map(String::into_bytes)
        .chain([hash])
        .collect()
}

on_both_engines! {
    // clause E27
    [stand_in] fn nothing_of_a_payer_is_in_columns_keys_files_or_logs(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let agree = || {
            shop.alipay.set_clock(app.clock().now_ms());
            shop.wechat.set_clock(app.clock().now_ms());
        };
        agree();
        // WeChat: an order in a page, its payment, a refund, and what does not fit.
        let openid = "oJSAPI8uMuAJO_M2pxb1Q9zNjWe";
        let person = customer(app);
        app.consent(&person, "wechat-page-payment", true).expect(200);
        let body = json!({ "package": PACKAGE, "channel": "wechat-jsapi", "openid": openid });
        let ordered = post(app, &person, "/v1/orders", &body).expect(201);
        shop.wechat.pay(&number(&ordered));
        let told = || shop.wechat.payment_notification(&number(&ordered));
        post_wechat(app, &told().with("/amount/total", json!(1)).post()).expect(204);
        post_wechat(app, &told().post()).expect(204);
        let (_, id, _) = wechat_buyer(&shop);
        let refunded = refund(app, &id, &json!({ "amount_fen": 100 })).expect(202).text("/number");
        for status in [RefundStatus::Abnormal, RefundStatus::Success] {
            shop.wechat.settle_refund(&refunded, status);
            post_wechat(app, &shop.wechat.refund_notification(&refunded).post()).expect(204);
        }
        let unheard = order(app, &person, "wechat-app").expect(201);
        shop.wechat.pay(&number(&unheard));
        // Alipay: the same.
        let (_, _, paid) = payer(&shop);
        let told = || shop.alipay.trade_notification(&paid);
        for (name, value) in [("total_amount", "5.99"), ("app_id", "2021999999999999"), ("seller_id", "2088000000000000")] {
            post_alipay(app, &told().with("notify_id", name).with(name, value)).expect(200);
        }
        post_alipay(app, &told().without("trade_no")).expect(400);
        alipay_tells(&shop, &paid).expect(200);
        let (_, id) = buyer(&shop);
        refund(app, &id, &json!({ "amount_fen": 100 })).expect(200);
        alipay_tells(&shop, &id.replace('-', "")).expect(200);
        let asked = order(app, &person, "alipay-app").expect(201);
        hand_over(&shop, &asked);
        shop.alipay.pay(&number(&asked)).expect("it can be paid");
        app.clock().advance(MINUTE);
        agree();
        for unheard in [&unheard, &asked] {
            assert_eq!(read(app, &person, &unheard.text("/id"))["status"], "paid");
        }
        assert_eq!(anomalies(app).len(), 6);
        for of_a_payer in [
            openid,
            "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
            "招商银行借记卡0403",
            "CMC_DEBIT",
            "2088102117955611",
            "159****5620",
            "ALIPAYACCOUNT",
        ] {
            is_nowhere(app, of_a_payer.as_bytes());
        }
    }

    // clauses E27, D2
    fn what_is_kept_for_years_names_a_pseudonym(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        let (person, id) = buyer(&shop);
        let other = customer(app);
        let tip = json!({ "to": other.account_id, "coins": 10 });
        post(app, &person, "/v1/tips", &tip).expect(201);
        refund(app, &id, &json!({ "amount_fen": 100 })).expect(200);
        let told = shop.alipay.trade_notification(&id.replace('-', ""));
        post_alipay(app, &told.with("notify_id", "n").with("total_amount", "9.00")).expect(200);
        let kept = rows(app, &KEPT);
        for person in [&person, &other] {
            for name in names(app, person) {
                for cell in &kept {
                    let is_in = cell.windows(name.len()).any(|window| window == name);
                    assert!(!is_in, "{}", String::from_utf8_lossy(cell));
                }
            }
        }
        // With the account goes what leads to it, and nothing of what must be kept.
        let account = &person.account_id;
        app.database().rows(&format!("DELETE FROM accounts WHERE id = '{account}' RETURNING id"));
        assert_eq!(rows(app, &KEPT), kept);
        let count = |table: &str| app.database().count(&format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!((count("wallets"), count("gifts")), (1, 0));
        assert_eq!(wallet(app, &other), (10, 0));
        let entries = app.get("/v1/wallet/entries", &other.token).expect(200).json;
        assert_eq!(entries["items"][0]["other"], json!(null));
        // News of the order still find it.
        alipay_tells(&shop, &id.replace('-', "")).expect(200);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM ledger WHERE kind = 'top-up'"), 1);
        ledger_holds(app);
    }
}
