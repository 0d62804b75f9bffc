//! What the tests of payment share: an application that talks to the stand-ins of Alipay, WeChat Pay and Apple, and
//! people who buy coins.

use std::sync::atomic::{AtomicU32, Ordering};

use api_tests::{ADMIN, Answer, App, Builder, Person};
use provider_stand_ins::alipay::{Alipay, Message, SELLER_ID};
use provider_stand_ins::apple::AppStore;
use provider_stand_ins::wechat_pay::{Post, WechatPay};
use serde_json::{Value, json};

use crate::identity::{APP_ID, FORM, someone_who_agrees, with_alipay};

/// What a package of the manifest's default costs and holds.
pub const PACKAGE: &str = "coins-60";
pub const FEN: i64 = 600;
pub const COINS: i64 = 60;

/// An application with its institutions.
pub struct Shop {
    pub app: App,
    pub alipay: Alipay,
    pub wechat: WechatPay,
    pub apple: AppStore,
}

/// An application, and the institutions that it talks to.
pub fn open(builder: Builder) -> Shop {
    let alipay = Alipay::start(APP_ID);
    let wechat = WechatPay::start();
    let apple = AppStore::start();
    let builder = with_alipay(builder, &alipay)
        .variable("alipay_seller_id", SELLER_ID)
        .variable(
            "alipay_notify_url",
            "https://api.example.cn/v1/callbacks/alipay/payment",
        )
        .with_operators()
        .without_limits();
    let wechats = wechat.variables("https://api.example.cn/v1/callbacks/wechat/payment");
    let variables = wechats.into_iter().chain(apple.variables());
    let set = |builder: Builder, (name, value): (&str, String)| builder.variable(name, &value);
    let app = variables.fold(builder, set).start();
    Shop {
        app,
        alipay,
        wechat,
        apple,
    }
}

/// The institutions' clocks show what the application's does.
pub fn agree_on_time(shop: &Shop) {
    let now_ms = shop.app.clock().now_ms();
    shop.alipay.set_clock(now_ms);
    shop.wechat.set_clock(now_ms);
    shop.apple.set_clock(now_ms);
}

/// A key that no other call has.
pub fn fresh_key() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Someone who may buy and give.
pub fn customer(app: &App) -> Person {
    someone_who_agrees(app, &[])
}

/// Posts with a key of its own.
pub fn post(app: &App, person: &Person, path: &str, body: &Value) -> Answer {
    app.request("POST", path)
        .token(&person.token)
        .header("idempotency-key", &fresh_key())
        .json(body)
}

/// Orders a package.
pub fn order(app: &App, person: &Person, channel: &str) -> Answer {
    post(
        app,
        person,
        "/v1/orders",
        &json!({ "package": PACKAGE, "channel": channel }),
    )
}

/// The order's number at the institutions.
pub fn number(order: &Answer) -> String {
    order.text("/id").replace('-', "")
}

/// What the person has: balance and debt.
pub fn wallet(app: &App, person: &Person) -> (i64, i64) {
    let wallet = app.get("/v1/wallet", &person.token).expect(200).json;
    let number = |name: &str| wallet[name].as_i64().expect("a number");
    (number("balance"), number("debt"))
}

/// The order as its person sees it.
pub fn read(app: &App, person: &Person, id: &str) -> Value {
    let answer = app.get(&format!("/v1/orders/{id}"), &person.token);
    answer.expect(200).json
}

/// An operator gives money back.
pub fn refund(app: &App, id: &str, body: &Value) -> Answer {
    refund_with(app, id, &fresh_key(), body)
}

/// An operator gives money back, with this key.
pub fn refund_with(app: &App, id: &str, key: &str, body: &Value) -> Answer {
    app.request("POST", &format!("/v1/operator/orders/{id}/refund"))
        .token(ADMIN.token)
        .header("idempotency-key", key)
        .json(body)
}

/// The order's refunds as an operator sees them: how much, in fen, and how they stand.
pub fn refunds(app: &App, id: &str) -> Vec<(i64, String)> {
    let path = format!("/v1/operator/orders/{id}/refunds");
    let listed = app.get(&path, ADMIN.token).expect(200).json;
    let items = listed["items"].as_array().expect("items");
    let read = |item: &Value| {
        let fen = item["amount_fen"].as_i64().expect("a number");
        let status = item["status"].as_str().expect("a text");
        (fen, status.to_owned())
    };
    items.iter().map(read).collect()
}

/// The kinds of a person's entries, the oldest first.
pub fn entries(app: &App, person: &Person) -> Vec<String> {
    let path = "/v1/wallet/entries?limit=100";
    let listed = app.get(path, &person.token).expect(200).json;
    let items = listed["items"].as_array().expect("items");
    let kind = |item: &Value| item["kind"].as_str().expect("a text").to_owned();
    items.iter().rev().map(kind).collect()
}

/// The reasons of what does not fit, the newest first.
pub fn anomalies(app: &App) -> Vec<String> {
    let answer = app.get("/v1/operator/payment-anomalies", ADMIN.token);
    let listed = answer.expect(200).json;
    let items = listed["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| item["reason"].as_str().expect("a text").to_owned())
        .collect()
}

/// Everything that is stored about money, to see that nothing has changed.
pub fn snapshot(app: &App) -> Vec<String> {
    [
        "SELECT * FROM orders ORDER BY id",
        // When it is looked at next is no money.
        "SELECT id, order_id, ordinal, number, fen, coins, status, happened_at, created_at FROM refunds ORDER BY id",
        "SELECT * FROM ledger ORDER BY reference, kind",
        "SELECT * FROM payment_notifications ORDER BY channel, notification_id",
        "SELECT * FROM payment_anomalies ORDER BY id",
    ]
    .iter()
    .flat_map(|statement| app.database().rows(statement))
    .map(|row| format!("{row:?}"))
    .collect()
}

/// What holds of the ledger, whatever happened.
pub fn ledger_holds(app: &App) {
    for broken in [
        // The numbers have no gaps.
        "SELECT COUNT(*) FROM (SELECT account FROM ledger WHERE number IS NOT NULL \
           GROUP BY account HAVING MAX(number) <> COUNT(*) OR MIN(number) <> 1) d",
        // The balance is the sum of the amounts.
        "SELECT COUNT(*) FROM ledger l WHERE l.number IS NOT NULL AND l.balance - l.debt <> \
           (SELECT SUM(e.amount) FROM ledger e WHERE e.account = l.account AND e.number <= l.number)",
        // Every posting has two sides.
        "SELECT COUNT(*) FROM (SELECT reference, created_at FROM ledger GROUP BY reference, created_at \
           HAVING SUM(amount) <> 0) d",
        // Every paid order is credited, and every credit is paid.
        "SELECT COUNT(*) FROM orders o WHERE o.status = 'paid' AND NOT EXISTS \
           (SELECT 1 FROM ledger l WHERE l.reference = o.id AND l.kind = 'top-up' AND l.amount = o.coins)",
        "SELECT COUNT(*) FROM ledger l WHERE l.kind = 'top-up' AND NOT EXISTS \
           (SELECT 1 FROM orders o WHERE o.id = l.reference AND o.provider_id IS NOT NULL)",
        // Every refund that happened was taken, and nothing else was.
        "SELECT COUNT(*) FROM refunds r WHERE r.status = 'succeeded' AND r.coins > 0 AND NOT EXISTS \
           (SELECT 1 FROM ledger l WHERE l.reference = r.id AND l.kind = 'refund' AND l.amount = -r.coins)",
        "SELECT COUNT(*) FROM ledger l WHERE l.kind = 'refund' AND NOT EXISTS \
           (SELECT 1 FROM refunds r WHERE r.id = l.reference AND r.status = 'succeeded')",
    ] {
        assert_eq!(app.database().count(broken), 0, "{broken}");
    }
}

/// The same without what is kept of notifications that nobody can read.
pub fn readable(app: &App) -> Vec<String> {
    let mut rows = snapshot(app);
    rows.retain(|row| !row.contains("\"unreadable\""));
    rows
}

/// How many notifications were kept that an institution signed and nobody can read.
pub fn unreadable(app: &App) -> usize {
    let notifications = "SELECT COUNT(*) FROM payment_notifications WHERE verdict = 'unreadable'";
    let kept = usize::try_from(app.database().count(notifications)).expect("a count");
    let reported = anomalies(app);
    let reported = reported.iter().filter(|reason| *reason == "unreadable");
    assert_eq!(reported.count(), kept, "each is reported once");
    kept
}

/// Posts a notification as Alipay does. `success` is what Alipay takes for an answer, and nothing else that is
/// answered may be taken for it.
pub fn post_alipay(app: &App, message: &Message) -> Answer {
    let answer = app
        .request("POST", "/v1/callbacks/alipay/payment")
        .body(FORM, message.form())
        .send();
    assert_eq!(
        answer.body == b"success",
        answer.status == 200,
        "{answer:?}"
    );
    answer
}

/// Alipay says how a trade stands.
pub fn alipay_tells(shop: &Shop, number: &str) -> Answer {
    post_alipay(&shop.app, &shop.alipay.trade_notification(number))
}

/// Posts a notification as WeChat does.
pub fn post_wechat(app: &App, post: &Post) -> Answer {
    let path = post
        .url
        .strip_prefix("https://api.example.cn")
        .unwrap_or(&post.url);
    let mut request = app.request("POST", path);
    let mut media_type = "application/json";
    for (name, value) in &post.headers {
        match *name {
            "content-type" => media_type = value,
            name => request = request.header(name, value),
        }
    }
    request.body(media_type, post.body.clone()).send()
}

/// Someone who has paid an order of which Alipay has not told: the person, the order's id and its number.
pub fn payer(shop: &Shop) -> (Person, String, String) {
    let person = customer(&shop.app);
    let ordered = order(&shop.app, &person, "alipay-app").expect(201);
    let number = number(&ordered);
    hand_over(shop, &ordered);
    shop.alipay.pay(&number).expect("it can be paid");
    (person, ordered.text("/id"), number)
}

/// The app hands an order to Alipay's.
pub fn hand_over(shop: &Shop, ordered: &Answer) {
    shop.alipay
        .check_order_string(&ordered.text("/pay/order_string"))
        .expect("an order string that Alipay takes");
}

/// Someone who has bought a package through WeChat: the person, the order's id and its number.
pub fn wechat_buyer(shop: &Shop) -> (Person, String, String) {
    let person = customer(&shop.app);
    let ordered = order(&shop.app, &person, "wechat-app").expect(201);
    let number = number(&ordered);
    shop.wechat.pay(&number);
    let told = shop.wechat.payment_notification(&number).post();
    post_wechat(&shop.app, &told).expect(204);
    (person, ordered.text("/id"), number)
}

/// Someone who has bought a package through Alipay: the person and the order's id.
pub fn buyer(shop: &Shop) -> (Person, String) {
    let person = customer(&shop.app);
    let id = buy(shop, &person);
    (person, id)
}

/// Buys a package through Alipay.
pub fn buy(shop: &Shop, person: &Person) -> String {
    let ordered = order(&shop.app, person, "alipay-app").expect(201);
    let number = number(&ordered);
    shop.alipay
        .check_order_string(&ordered.text("/pay/order_string"))
        .expect("an order string that Alipay takes");
    shop.alipay.pay(&number).expect("it can be paid");
    alipay_tells(shop, &number).expect(200);
    ordered.text("/id")
}
