use super::super::trade::in_china;
use super::super::{Order, SELLER_ID};
use super::*;

const QUERY: &str = "alipay.trade.query";
const CLOSE: &str = "alipay.trade.close";
const REFUND: &str = "alipay.trade.refund";
const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";
const MINUTE_MS: i64 = 60 * 1000;
const ORDER: &str = "A_1";
const PAY: &str = "alipay.trade.app.pay";

fn order() -> Value {
    json!({
        "out_trade_no": ORDER,
        "subject": "创人脉 金币",
        "total_amount": "6.00",
        "product_code": "QUICK_MSECURITY_PAY",
        "time_expire": in_china(NOW_MS + 30 * MINUTE_MS),
    })
}

fn order_parameters(content: &Value) -> BTreeMap<String, String> {
    let mut parameters = parameters(PAY, content);
    let url = "https://x.example/notify?a=1".to_owned();
    parameters.insert("notify_url".to_owned(), url);
    parameters
}

fn order_string(content: &Value) -> String {
    let mut parameters = order_parameters(content);
    sign(&mut parameters);
    encoded(&parameters)
}

fn handed_over() -> Alipay {
    let alipay = start();
    alipay.check_order_string(&order_string(&order())).unwrap();
    alipay
}

fn paid() -> Alipay {
    let alipay = handed_over();
    alipay.pay(ORDER).unwrap();
    alipay
}

fn ask(alipay: &Alipay, method: &str) -> Value {
    let content = json!({ "out_trade_no": ORDER });
    response(&call(alipay, method, &content), method)
}

fn status(alipay: &Alipay) -> Value {
    ask(alipay, QUERY)["trade_status"].clone()
}

fn refund(alipay: &Alipay, number: &str, yuan: &str) -> Value {
    let content = json!({ "out_trade_no": ORDER, "out_request_no": number, "refund_amount": yuan });
    response(&call(alipay, REFUND, &content), REFUND)
}

fn refund_query(alipay: &Alipay, number: &str) -> Value {
    let content = json!({ "out_trade_no": ORDER, "out_request_no": number });
    response(&call(alipay, REFUND_QUERY, &content), REFUND_QUERY)
}

fn notified(alipay: &Alipay) -> BTreeMap<String, String> {
    let form = alipay.trade_notification(ORDER).form();
    let parameters = by_name(form_pairs(&form).unwrap()).unwrap();
    let text = text_to_sign(&parameters, &["sign", "sign_type"]);
    assert!(is_alipays(&text, &parameters["sign"]));
    parameters
}

#[test]
fn an_order_string_is_read() {
    let read = start().check_order_string(&order_string(&order()));
    let expected = Order {
        out_trade_no: ORDER.to_owned(),
        subject: "创人脉 金币".to_owned(),
        total_fen: 600,
        expires_at_ms: NOW_MS + 30 * MINUTE_MS,
        notify_url: "https://x.example/notify?a=1".to_owned(),
        biz_content: order(),
    };
    assert_eq!(read, Ok(expected));
}

#[test]
fn an_order_string_that_is_not_in_order_is_refused() {
    let alipay = start();
    for (name, value, code) in [
        ("out_trade_no", json!("a-b"), "ACQ.INVALID_PARAMETER"),
        (
            "out_trade_no",
            json!("1".repeat(65)),
            "ACQ.INVALID_PARAMETER",
        ),
        ("subject", json!("a&b"), "ACQ.INVALID_PARAMETER"),
        ("subject", json!(""), "ACQ.INVALID_PARAMETER"),
        ("total_amount", json!("6"), "ACQ.INVALID_PARAMETER"),
        ("total_amount", json!("6.000"), "ACQ.INVALID_PARAMETER"),
        ("total_amount", json!("0.00"), "ACQ.INVALID_PARAMETER"),
        ("total_amount", json!("+6.00"), "ACQ.INVALID_PARAMETER"),
        ("total_amount", json!(6.0), "ACQ.INVALID_PARAMETER"),
        ("product_code", json!("FACE"), "ACQ.INVALID_PARAMETER"),
        ("time_expire", json!("30m"), "ACQ.INVALID_PARAMETER"),
        (
            "time_expire",
            json!(in_china(NOW_MS)),
            "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR",
        ),
    ] {
        let mut content = order();
        content[name] = value.clone();
        let refused = alipay.check_order_string(&order_string(&content));
        assert_eq!(refused, Err(code), "{name} {value}");
    }
    for (name, value, code) in [
        ("app_id", "1", "isv.invalid-app-id"),
        ("sign_type", "RSA", "isv.invalid-signature-type"),
        ("method", "alipay.trade.wap.pay", "isv.invalid-method"),
        ("notify_url", "x.example", "ACQ.INVALID_PARAMETER"),
    ] {
        let mut parameters = order_parameters(&order());
        parameters.insert(name.to_owned(), value.to_owned());
        sign(&mut parameters);
        let refused = alipay.check_order_string(&encoded(&parameters));
        assert_eq!(refused, Err(code), "{name}");
    }
}

#[test]
fn an_order_string_is_taken_as_it_was_signed() {
    let alipay = start();
    let text = order_string(&order());
    let cheaper = text.replace("6.00", "0.01");
    let refused = alipay.check_order_string(&cheaper);
    assert_eq!(refused, Err("isv.invalid-signature"));
    let raw = text.replace("%22", "\"");
    let refused = alipay.check_order_string(&raw);
    assert_eq!(refused, Err("order-string-not-encoded"));
    let twice = format!("{text}&version=1.0");
    let refused = alipay.check_order_string(&twice);
    assert_eq!(refused, Err("isv.invalid-parameter"));
    assert!(alipay.check_order_string(&text).is_ok());
    let mut other = order();
    other["total_amount"] = json!("7.00");
    let refused = alipay.check_order_string(&order_string(&other));
    assert_eq!(refused, Err("ACQ.CONTEXT_INCONSISTENT"));
}

#[test]
fn the_trade_comes_to_be_when_its_payer_acts() {
    let alipay = handed_over();
    for method in [QUERY, CLOSE] {
        assert_eq!(ask(&alipay, method)["sub_code"], "ACQ.TRADE_NOT_EXIST");
    }
    alipay.open(ORDER).unwrap();
    assert_eq!(status(&alipay), "WAIT_BUYER_PAY");
    alipay.pay(ORDER).unwrap();
    assert_eq!(status(&alipay), "TRADE_SUCCESS");
    assert_eq!(ask(&alipay, QUERY)["total_amount"], "6.00");
    assert_eq!(ask(&alipay, QUERY)["trade_no"], alipay.trade_no(ORDER));
    assert_eq!(alipay.pay(ORDER), Err("ACQ.TRADE_HAS_SUCCESS"));
    assert!(alipay.refusals().is_empty(), "saying no is no fault");
}

#[test]
fn nobody_pays_late() {
    let alipay = handed_over();
    alipay.set_clock(NOW_MS + 30 * MINUTE_MS);
    let late = Err("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR");
    assert_eq!(alipay.pay(ORDER), late);
    alipay.set_clock(NOW_MS + 30 * MINUTE_MS - 1);
    alipay.open(ORDER).unwrap();
    alipay.set_clock(NOW_MS + 30 * MINUTE_MS);
    assert_eq!(status(&alipay), "TRADE_CLOSED");
    assert_eq!(alipay.pay(ORDER), Err("ACQ.TRADE_HAS_CLOSE"));
    let notified = notified(&alipay);
    assert_eq!(notified["trade_status"], "TRADE_CLOSED");
    assert_eq!(notified["refund_fee"], "0.00");
    assert!(!notified.contains_key("gmt_refund") && notified.contains_key("gmt_close"));
}

#[test]
fn only_a_waiting_trade_is_closed() {
    let alipay = handed_over();
    alipay.open(ORDER).unwrap();
    assert_eq!(ask(&alipay, CLOSE)["code"], "10000");
    let again = ask(&alipay, CLOSE);
    assert_eq!(again["sub_code"], "ACQ.REASON_TRADE_STATUS_INVALID");
    assert_eq!(alipay.pay(ORDER), Err("ACQ.TRADE_HAS_CLOSE"));
    let refused = ask(&paid(), CLOSE);
    assert_eq!(refused["sub_code"], "ACQ.TRADE_STATUS_ERROR");
}

#[test]
fn refunds_go_back_once_and_no_further_than_the_amount() {
    let alipay = paid();
    let first = refund(&alipay, "R1", "2.50");
    assert_eq!(
        (&first["fund_change"], &first["refund_fee"]),
        (&json!("Y"), &json!("2.50"))
    );
    let again = refund(&alipay, "R1", "2.50");
    assert_eq!(
        (&again["fund_change"], &again["refund_fee"]),
        (&json!("N"), &json!("2.50"))
    );
    for (number, yuan, code) in [
        ("R1", "2.51", "ACQ.DISCORDANT_REPEAT_REQUEST"),
        ("R2", "3.51", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
    ] {
        assert_eq!(refund(&alipay, number, yuan)["sub_code"], code);
    }
    assert_eq!(refund_query(&alipay, "R1")["refund_amount"], "2.50");
    assert_eq!(refund_query(&alipay, "R2").get("refund_status"), None);
    assert_eq!(notified(&alipay)["trade_status"], "TRADE_SUCCESS");
    assert_eq!(refund(&alipay, "R2", "3.50")["refund_fee"], "6.00");
    assert_eq!(status(&alipay), "TRADE_CLOSED");
    let notified = notified(&alipay);
    assert_eq!(notified["trade_status"], "TRADE_CLOSED");
    assert_eq!(
        (&*notified["refund_fee"], &*notified["out_biz_no"]),
        ("6.00", "R2")
    );
    let refused = refund(&alipay, "R3", "0.01");
    assert_eq!(refused["sub_code"], "ACQ.TRADE_STATUS_ERROR");
}

#[test]
fn a_slow_refund_is_done_when_it_is_settled() {
    let alipay = paid();
    alipay.plan_slow_refund();
    assert_eq!(refund(&alipay, "R1", "6.00")["fund_change"], "N");
    assert_eq!(refund_query(&alipay, "R1").get("refund_status"), None);
    assert_eq!(notified(&alipay)["refund_fee"], "0.00");
    assert!(!notified(&alipay).contains_key("gmt_refund"));
    alipay.settle_refunds(ORDER);
    assert_eq!(
        refund_query(&alipay, "R1")["refund_status"],
        "REFUND_SUCCESS"
    );
    assert_eq!(status(&alipay), "TRADE_CLOSED");
}

#[test]
fn a_finished_trade_is_not_refunded() {
    let alipay = paid();
    alipay.finish(ORDER);
    assert_eq!(notified(&alipay)["trade_status"], "TRADE_FINISHED");
    let refused = refund(&alipay, "R1", "6.00");
    assert_eq!(refused["sub_code"], "ACQ.TRADE_HAS_FINISHED");
}

#[test]
fn a_notification_is_alipay_s_and_tells_of_the_payer() {
    let alipay = paid();
    let first = notified(&alipay);
    for (name, value) in [
        ("app_id", APP),
        ("seller_id", SELLER_ID),
        ("out_trade_no", ORDER),
        ("total_amount", "6.00"),
        ("trade_status", "TRADE_SUCCESS"),
        ("gmt_payment", "2018-09-25 22:47:33"),
        ("body", ""),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    assert!(first.contains_key("buyer_logon_id") && first.contains_key("fund_bill_list"));
    assert_ne!(first["notify_id"], notified(&alipay)["notify_id"]);
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let alipay = paid();
    for (method, content) in [
        (QUERY, json!({})),
        (CLOSE, json!({ "out_trade_no": "a-b" })),
        (
            REFUND,
            json!({ "out_trade_no": ORDER, "refund_amount": "1.00" }),
        ),
        (
            REFUND,
            json!({ "out_trade_no": ORDER, "out_request_no": "R", "refund_amount": "1" }),
        ),
        (REFUND_QUERY, json!({ "out_trade_no": ORDER })),
    ] {
        let refused = response(&call(&alipay, method, &content), method);
        assert_eq!(refused["sub_code"], "ACQ.INVALID_PARAMETER", "{method}");
    }
    assert_eq!(alipay.refusals(), ["ACQ.INVALID_PARAMETER"; 5]);
}

#[test]
fn a_forged_answer_is_of_another_method_than_the_one_asked() {
    let alipay = paid();
    alipay.plan_form(Form::OtherMethod);
    assert_eq!(ask(&alipay, QUERY), Value::Null);
    assert_eq!(ask(&alipay, QUERY)["trade_status"], "TRADE_SUCCESS");
}
