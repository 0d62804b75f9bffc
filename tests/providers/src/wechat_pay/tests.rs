use serde_json::{Value, json};

use super::{
    APIV3_KEY, APPID, CERTIFICATE_SERIAL, Form, JSAPI_APPID, MCHID, Notification, PUBLIC_KEY_ID,
    RefundStatus, SERIAL, WechatPay,
};
use crate::Behaviour;
use crate::http::exchange;
use crate::keys;
use crate::rsa::Key;

/// 2021-06-24T16:37:26+08:00
const NOW_MS: i64 = 1_624_523_846_000;
const ORDER: &str = "1217752501201407";
const APP: &str = "/v3/pay/transactions/app";
const REFUNDS: &str = "/v3/refund/domestic/refunds";

fn start() -> WechatPay {
    let wechat = WechatPay::start();
    wechat.set_clock(NOW_MS);
    wechat
}

fn merchant_sign(lines: &[&str]) -> String {
    Key::from_pem(keys::APP_PRIVATE_PKCS8).sign(&format!("{}\n", lines.join("\n")))
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&start))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn is_signed_by(&self, key: &str) -> bool {
        let part = |name| self.header(name).unwrap_or_default();
        let (timestamp, nonce) = (part("wechatpay-timestamp"), part("wechatpay-nonce"));
        let text = format!("{timestamp}\n{nonce}\n{}\n", self.body);
        Key::from_pem(key).verifies(&text, part("wechatpay-signature"))
    }
}

/// Sends a request with these lines in its head beside the length.
fn send(wechat: &WechatPay, method: &str, target: &str, head: &str, body: &str) -> Answer {
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{head}\r\n{body}"
    );
    let (status, answer) = exchange(wechat.url(), request.as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn head(method: &str, target: &str, body: &str) -> String {
    let timestamp = (NOW_MS / 1000).to_string();
    let signature = merchant_sign(&[method, target, &timestamp, "nonce", body]);
    format!(
        "authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"{MCHID}\",nonce_str=\"nonce\",\
         timestamp=\"{timestamp}\",serial_no=\"{SERIAL}\",signature=\"{signature}\"\r\n\
         accept: application/json\r\nuser-agent: tests\r\nwechatpay-serial: {PUBLIC_KEY_ID}\r\n\
         content-type: application/json\r\n"
    )
}

fn call(wechat: &WechatPay, method: &str, target: &str, body: &Value) -> Answer {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let head = head(method, target, &body);
    send(wechat, method, target, &head, &body)
}

fn order(number: &str) -> Value {
    json!({
        "appid": APPID,
        "mchid": MCHID,
        "description": "人脉币",
        "out_trade_no": number,
        "time_expire": "2021-06-24T16:52:26+08:00",
        "notify_url": "https://api.example.cn/wechat/payment",
        "amount": { "total": 600, "currency": "CNY" },
    })
}

fn refund(number: &str, fen: i64) -> Value {
    json!({
        "out_trade_no": ORDER,
        "out_refund_no": number,
        "notify_url": "https://api.example.cn/wechat/refund",
        "amount": { "refund": fen, "total": 600, "currency": "CNY" },
    })
}

fn query(wechat: &WechatPay, number: &str) -> Answer {
    let target = format!("/v3/pay/transactions/out-trade-no/{number}?mchid={MCHID}");
    call(wechat, "GET", &target, &Value::Null)
}

fn close(wechat: &WechatPay, number: &str) -> Answer {
    let target = format!("/v3/pay/transactions/out-trade-no/{number}/close");
    call(wechat, "POST", &target, &json!({ "mchid": MCHID }))
}

fn code(answer: &Answer) -> (u16, String) {
    let code = answer.json()["code"].as_str().expect("a code").to_owned();
    (answer.status, code)
}

fn announced(wechat: &WechatPay) -> String {
    let answer = call(wechat, "POST", APP, &order(ORDER));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let prepay_id = answer.json()["prepay_id"].take();
    prepay_id.as_str().expect("a prepay_id").to_owned()
}

#[test]
fn an_order_is_announced_called_up_paid_and_told() {
    let wechat = start();
    let prepay_id = announced(&wechat);
    assert_eq!(query(&wechat, ORDER).json()["trade_state"], "NOTPAY");
    let sign = merchant_sign(&[APPID, "1624523846", "n", &prepay_id]);
    let mut parameters = json!({
        "appid": APPID, "partnerid": MCHID, "prepayid": prepay_id, "package": "Sign=WXPay",
        "noncestr": "n", "timestamp": "1624523846", "sign": sign,
    });
    assert_eq!(wechat.check_app_call(&parameters), Ok(ORDER.to_owned()));
    wechat.set_clock(NOW_MS + 2 * 60 * 60 * 1000 + 1);
    assert_eq!(wechat.check_app_call(&parameters), Err("prepay_id expired"));
    wechat.set_clock(NOW_MS);
    parameters["noncestr"] = json!("m");
    assert_eq!(wechat.check_app_call(&parameters), Err("sign"));

    wechat.pay(ORDER);
    let answer = query(&wechat, ORDER);
    assert!(answer.is_signed_by(keys::WECHAT_PUBLIC_KEY_PRIVATE));
    assert_eq!(answer.header("wechatpay-serial"), Some(PUBLIC_KEY_ID));
    let transaction = answer.json();
    assert_eq!(transaction["trade_state"], "SUCCESS");
    assert_eq!(transaction["amount"]["total"], 600);
    assert_eq!(transaction["success_time"], "2021-06-24T16:37:26+08:00");
    assert_eq!((wechat.calls().len(), wechat.refusals().len()), (3, 0));
    assert_eq!(code(&close(&wechat, ORDER)), (400, "ORDERPAID".to_owned()));
    let again = call(&wechat, "POST", APP, &order(ORDER));
    assert_eq!(code(&again), (400, "ORDERPAID".to_owned()));
}

#[test]
fn a_page_calls_up_an_order_of_its_payer() {
    let wechat = start();
    let mut order = order(ORDER);
    order["appid"] = json!(JSAPI_APPID);
    order["payer"] = json!({ "openid": "oUpF8" });
    let answer = call(&wechat, "POST", "/v3/pay/transactions/jsapi", &order);
    let package = format!(
        "prepay_id={}",
        answer.json()["prepay_id"].as_str().expect("an id")
    );
    let sign = merchant_sign(&[JSAPI_APPID, "1624523846", "n", &package]);
    let parameters = json!({
        "appId": JSAPI_APPID, "timeStamp": "1624523846", "nonceStr": "n", "package": package,
        "signType": "RSA", "paySign": sign,
    });
    assert_eq!(wechat.check_jsapi_call(&parameters), Ok(ORDER.to_owned()));
    assert_eq!(wechat.check_app_call(&parameters), Err("prepayid"));
    wechat.pay(ORDER);
    assert_eq!(query(&wechat, ORDER).json()["payer"]["openid"], "oUpF8");
}

#[test]
fn an_order_is_closed_once_and_not_paid_any_more() {
    let wechat = start();
    let unknown = (404, "ORDER_NOT_EXIST".to_owned());
    assert_eq!(code(&query(&wechat, ORDER)), unknown);
    assert_eq!(code(&close(&wechat, ORDER)), unknown);
    announced(&wechat);
    let closed = close(&wechat, ORDER);
    assert_eq!((closed.status, closed.body.as_str()), (204, ""));
    assert!(closed.is_signed_by(keys::WECHAT_PUBLIC_KEY_PRIVATE));
    assert_eq!(wechat.trade_state(ORDER), Some("CLOSED"));
    let refused = (400, "ORDER_CLOSED".to_owned());
    assert_eq!(code(&close(&wechat, ORDER)), refused);
    assert_eq!(code(&call(&wechat, "POST", APP, &order(ORDER))), refused);
    let paid = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wechat.pay(ORDER)));
    assert!(paid.is_err());
}

#[test]
fn an_order_can_be_paid_until_it_ends_and_a_minute_at_least() {
    let wechat = start();
    let mut short = order(ORDER);
    short["time_expire"] = json!("2021-06-24T16:37:27+08:00");
    assert_eq!(call(&wechat, "POST", APP, &short).status, 200);
    wechat.set_clock(NOW_MS + 60_001);
    let pay = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wechat.pay(ORDER)));
    assert!(pay().is_err());
    wechat.set_clock(NOW_MS + 60_000);
    assert!(pay().is_ok());
}

#[test]
fn the_same_order_gives_another_prepay_id_and_another_order_none() {
    let wechat = start();
    assert_ne!(announced(&wechat), announced(&wechat));
    let mut other = order(ORDER);
    other["amount"]["total"] = json!(601);
    let answer = call(&wechat, "POST", APP, &other);
    assert_eq!(code(&answer), (403, "OUT_TRADE_NO_USED".to_owned()));
}

#[test]
fn money_goes_back_once_a_number_and_never_more_than_came() {
    let wechat = start();
    let post = |body: &Value| call(&wechat, "POST", REFUNDS, body);
    let get = |number: &str| call(&wechat, "GET", &format!("{REFUNDS}/{number}"), &Value::Null);
    let missing = (404, "RESOURCE_NOT_EXISTS".to_owned());
    let invalid = (400, "INVALID_REQUEST".to_owned());
    assert_eq!(code(&post(&refund("r1", 100))), missing);
    announced(&wechat);
    assert_eq!(code(&post(&refund("r1", 100))), missing);
    wechat.pay(ORDER);
    assert_eq!(code(&get("r1")), missing);
    for _ in 0..2 {
        let answer = post(&refund("r1", 400)).json();
        assert_eq!(
            (&answer["status"], &answer["amount"]["refund"]),
            (&json!("PROCESSING"), &json!(400))
        );
    }
    assert_eq!(wechat.trade_state(ORDER), Some("REFUND"));
    assert_eq!(code(&post(&refund("r1", 300))), invalid);
    assert_eq!(code(&post(&refund("r2", 201))), invalid);
    let mut other_total = refund("r2", 100);
    other_total["amount"]["total"] = json!(700);
    assert_eq!(code(&post(&other_total)), invalid);
    assert_eq!(post(&refund("r2", 200)).status, 200);

    wechat.settle_refund("r1", RefundStatus::Abnormal);
    assert_eq!(get("r1").json()["status"], "ABNORMAL");
    wechat.settle_refund("r1", RefundStatus::Closed);
    assert_eq!(post(&refund("r3", 400)).status, 200);
    wechat.settle_refund("r3", RefundStatus::Success);
    assert_eq!(
        get("r3").json()["success_time"],
        "2021-06-24T16:37:26+08:00"
    );
}

#[test]
fn what_is_not_signed_as_documented_is_refused() {
    let wechat = start();
    let body = order(ORDER).to_string();
    let good = head("POST", APP, &body);
    let status = |head: &str, body: &str| send(&wechat, "POST", APP, head, body).status;
    for (from, to) in [
        ("mchid=\"1900000109\"", "mchid=\"1900000108\""),
        ("serial_no=\"1", "serial_no=\"2"),
        ("nonce_str=\"nonce\"", "nonce_str=\"other\""),
        ("timestamp=\"1624523846\"", "timestamp=\"1624523845\""),
        ("WECHATPAY2-SHA256", "WECHATPAY2-SHA1"),
        ("authorization: ", "authorization: x\r\nauthorization: "),
        ("signature=\"", "signature=\"\",signature=\""),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(status(&good.replace(from, to), &body), 401, "{to}");
    }
    assert_eq!(status(&good, &body.replace("600", "601")), 401);
    wechat.set_clock(NOW_MS + 300_001);
    assert_eq!(status(&good, &body), 401);
    wechat.set_clock(NOW_MS + 300_000);
    for (from, to) in [
        ("accept: application/json", "accept: text/html"),
        ("user-agent: tests", "user-agent:"),
        ("wechatpay-serial: PUB", "wechatpay-serial: X"),
        ("content-type: application/json", "content-type: text/json"),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(status(&good.replace(from, to), &body), 400, "{to}");
    }
    assert!(wechat.calls().is_empty());
    let by_certificate = good.replace(PUBLIC_KEY_ID, CERTIFICATE_SERIAL);
    assert_eq!(status(&by_certificate, &body), 200);
}

#[test]
fn what_is_not_documented_is_refused() {
    let wechat = start();
    let long = |length| json!("创".repeat(length));
    for (pointer, value) in [
        ("/appid", json!(JSAPI_APPID)),
        ("/mchid", json!("1")),
        ("/description", json!("")),
        ("/description", long(128)),
        ("/out_trade_no", json!("12345")),
        ("/out_trade_no", json!("1".repeat(33))),
        ("/out_trade_no", json!("123456.")),
        ("/time_expire", json!("2021-06-24 16:52:26")),
        ("/time_expire", json!("2021-06-24T08:52:26Z")),
        ("/time_expire", json!("2021-02-30T16:52:26+08:00")),
        ("/notify_url", json!("http://api.example.cn/x")),
        ("/notify_url", json!("https://api.example.cn/x?y=z")),
        ("/amount/total", json!(0)),
        ("/amount/total", json!(1.5)),
        ("/amount/currency", json!("USD")),
        ("/amount", json!({ "total": 600 })),
    ] {
        let mut body = order(ORDER);
        *body.pointer_mut(pointer).expect("a member") = value;
        assert_eq!(call(&wechat, "POST", APP, &body).status, 400, "{body}");
    }
    let mut more = order(ORDER);
    more["attach"] = json!("somebody");
    assert_eq!(call(&wechat, "POST", APP, &more).status, 400);
    let page = call(&wechat, "POST", "/v3/pay/transactions/jsapi", &order(ORDER));
    assert_eq!(page.status, 400);
    let other = format!("/v3/pay/transactions/out-trade-no/{ORDER}?mchid=1");
    assert_eq!(call(&wechat, "GET", &other, &Value::Null).status, 400);
    let nowhere = call(&wechat, "GET", "/v3/pay/transactions/native", &Value::Null);
    assert_eq!(code(&nowhere), (404, "NOT_FOUND".to_owned()));
    assert_eq!(wechat.trade_state(ORDER), None);
}

#[test]
fn answers_are_forged_on_order() {
    let wechat = start();
    announced(&wechat);
    let key = keys::WECHAT_PUBLIC_KEY_PRIVATE;
    for form in [
        Form::Unsigned,
        Form::Without("wechatpay-nonce"),
        Form::OtherKey,
        Form::UnknownSerial,
        Form::OtherText,
        Form::SignTest,
        Form::Garbled,
    ] {
        wechat.plan_form(form);
        assert!(!query(&wechat, ORDER).is_signed_by(key), "{form:?}");
        assert!(query(&wechat, ORDER).is_signed_by(key), "{form:?}");
    }
    wechat.plan_form(Form::Certificate);
    let answer = query(&wechat, ORDER);
    assert!(answer.is_signed_by(keys::WECHAT_CERTIFICATE_PRIVATE));
    assert_eq!(answer.header("wechatpay-serial"), Some(CERTIFICATE_SERIAL));
    wechat.plan_form(Form::Stale);
    let answer = query(&wechat, ORDER);
    assert!(answer.is_signed_by(key));
    assert_eq!(answer.header("wechatpay-timestamp"), Some("1624523486"));
    wechat.plan_form(Form::Doubled("wechatpay-serial"));
    let head = query(&wechat, ORDER).head;
    assert_eq!(head.matches("wechatpay-serial: ").count(), 2);
    wechat.plan_form(Form::Unsigned);
    let refused = query(&wechat, "unknown");
    assert_eq!(
        (refused.status, refused.header("wechatpay-nonce")),
        (404, None)
    );
}

#[test]
fn a_planned_refusal_has_no_effect() {
    let wechat = start();
    wechat.plan(Behaviour::Refuse(500, "SYSTEM_ERROR"));
    let answer = call(&wechat, "POST", APP, &order(ORDER));
    assert_eq!(code(&answer), (500, "SYSTEM_ERROR".to_owned()));
    assert!(answer.is_signed_by(keys::WECHAT_PUBLIC_KEY_PRIVATE));
    assert_eq!(wechat.trade_state(ORDER), None);
}

/// What the merchant reads from a notification; `None` if it does not verify or decrypt.
fn read(notification: &Notification) -> Option<(Value, Value)> {
    use base64::Engine as _;
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let post = notification.post();
    let header = |name: &str| {
        let found = post.headers.iter().find(|(header, _)| *header == name);
        found.map(|(_, value)| value.as_str())
    };
    let (timestamp, nonce) = (header("wechatpay-timestamp")?, header("wechatpay-nonce")?);
    let text = format!("{timestamp}\n{nonce}\n{}\n", post.body);
    let key = Key::from_pem(keys::WECHAT_PUBLIC_KEY_PRIVATE);
    if !key.verifies(&text, header("wechatpay-signature")?) {
        return None;
    }
    let body: Value = serde_json::from_str(&post.body).ok()?;
    let part = |name: &str| body["resource"][name].as_str().unwrap_or_default();
    let ciphertext = base64::engine::general_purpose::STANDARD.decode(part("ciphertext"));
    let mut bytes = ciphertext.ok()?;
    let key = UnboundKey::new(&AES_256_GCM, APIV3_KEY.as_bytes()).ok()?;
    let plain = LessSafeKey::new(key).open_in_place(
        Nonce::try_assume_unique_for_key(part("nonce").as_bytes()).ok()?,
        Aad::from(part("associated_data")),
        &mut bytes,
    );
    let content = serde_json::from_slice(plain.ok()?).ok()?;
    Some((body, content))
}

#[test]
fn payments_and_refunds_are_notified() {
    let wechat = start();
    announced(&wechat);
    wechat.pay(ORDER);
    let notification = wechat.payment_notification(ORDER);
    assert_eq!(
        notification.post().url,
        "https://api.example.cn/wechat/payment"
    );
    let (body, content) = read(&notification).expect("it is WeChat's");
    assert_eq!(body["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(body["resource"]["original_type"], "transaction");
    assert_eq!(content["out_trade_no"], ORDER);
    assert!(content["payer"]["openid"].is_string());
    let (again, _) = read(&wechat.payment_notification(ORDER)).expect("it is WeChat's");
    assert_eq!(again["id"], body["id"]);

    call(&wechat, "POST", REFUNDS, &refund("r1", 400));
    for (status, event_type) in [
        (RefundStatus::Abnormal, "REFUND.ABNORMAL"),
        (RefundStatus::Success, "REFUND.SUCCESS"),
    ] {
        wechat.settle_refund("r1", status);
        let notification = wechat.refund_notification("r1");
        assert_eq!(
            notification.post().url,
            "https://api.example.cn/wechat/refund"
        );
        let (body, content) = read(&notification).expect("it is WeChat's");
        assert_eq!(body["event_type"], event_type);
        assert_eq!(content["refund_status"], &event_type[7..]);
        assert_eq!(content["amount"]["refund"], 400);
        assert_eq!(
            (&content["mchid"], content.get("status")),
            (&json!(MCHID), None)
        );
    }
}

#[test]
fn notifications_can_be_changed_and_forged() {
    let wechat = start();
    announced(&wechat);
    wechat.pay(ORDER);
    let paid = || wechat.payment_notification(ORDER);
    let (body, content) = read(
        &paid()
            .with("/amount/total", json!(1))
            .as_event("REFUND.SUCCESS")
            .as_original_type("refund")
            .with_associated_data(None),
    )
    .expect("it is WeChat's");
    assert_eq!(content["amount"]["total"], 1);
    assert_eq!(body["event_type"], "REFUND.SUCCESS");
    assert_eq!(body["resource"]["original_type"], "refund");
    assert!(read(&paid().with_associated_data(Some(""))).is_some());
    assert!(read(&paid().under_key(&"k".repeat(32))).is_none());
    assert!(read(&paid().signed(Form::OtherKey)).is_none());
    assert!(read(&paid().signed(Form::Unsigned)).is_none());
}
