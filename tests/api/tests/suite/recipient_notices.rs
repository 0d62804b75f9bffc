//! Who received data of a person hears that it is to be deleted: by an interface until it acknowledges, or else by
//! an operator.

use api_tests::{App, Builder, DAY, HOUR, MINUTE, Person, REVIEWER, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::alipay::Alipay;
use provider_stand_ins::relay::{self, Relay};
use provider_stand_ins::webhook::Webhook;
use serde_json::{Value, json};
use shared::recipient::RECIPIENTS;
use shared::time::Timestamp;

use crate::faults::{Attempt, again, sweep};
use crate::identity;
use crate::operator_requests::drive;
use crate::rights_requests::{is_in_no_row, leave};

const ROWS: &str = "SELECT COUNT(*) FROM recipient_notices";

/// With the relay as the interface of `recipients`.
fn with_relay(builder: Builder, relay: &Relay, recipients: &str) -> Builder {
    builder
        .with_operators()
        .variable("deletion_grace_days", "0")
        .variable("deletion_notice_host", relay.url())
        .variable("deletion_notice_path", relay::PATH)
        .variable("deletion_notice_secret", relay::SECRET)
        .variable("deletion_notice_recipients", recipients)
}

/// Notes that something of the person was sent, behind the application's back.
fn disclosed(app: &App, person: &Person, recipient: &str, data: &str, reference: &str) {
    let id = shared::random::id(Timestamp::now(), &mut shared::random::host());
    app.database().rows(&format!(
        "INSERT INTO disclosures (id, phone_hash, recipient, purpose, data, basis, sent_at, reference) \
         SELECT '{id}', phone_hash, '{recipient}', 'payment', '{data}', 'consent', 0, '{reference}' \
         FROM accounts WHERE id = '{}' RETURNING id",
        person.account_id
    ));
}

/// Somebody whose data Alipay got has left; the order's number and the phone number.
fn somebody_left(app: &App) -> (String, String) {
    let person = app.someone();
    let reference = format!("order-{}", person.account_id);
    disclosed(
        app,
        &person,
        "alipay",
        "order number,phone number",
        &reference,
    );
    leave(app, &person);
    (reference, person.phone)
}

fn tasks(app: &App) -> Vec<Value> {
    let listed = app.get("/v1/operator/tasks", REVIEWER.token).expect(200);
    listed.json["items"].as_array().expect("items").clone()
}

/// Moves both clocks.
fn advance(app: &App, relay: &Relay, by: std::time::Duration) {
    app.clock().advance(by);
    relay.set_clock(app.clock().now_ms());
}

on_both_engines! {
    // clause R3, R5
    fn an_interface_gets_the_notice_signed_and_then_it_is_gone(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "apple, alipay").start();
        let (reference, phone) = somebody_left(&app);
        assert_eq!(app.database().count(ROWS), 1);
        // What waits is sealed.
        is_in_no_row(&app, reference.as_bytes());
        is_in_no_row(&app, &phone.as_bytes()[3..]);
        assert_eq!(tasks(&app), Vec::<Value>::new());
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        let notices = relay.notices();
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].body["type"], "personal_data.deletion");
        assert_eq!(notices[0].body["data"], json!({
            "recipient": "alipay", "purposes": ["payment"], "data": ["order number", "phone number"],
            "references": [reference], "phone": phone,
        }));
        assert_eq!(relay.refusals(), Vec::<&str>::new());
        assert_eq!(app.database().count(ROWS), 0);
        assert_eq!(drive(&app, "alerts-and-notices"), 0);
        is_in_no_row(&app, reference.as_bytes());
    }

    // clause T3, R3
    fn what_the_relay_gets_is_recorded(builder: Builder) {
        let (relay, alipay) = (Relay::start(), Alipay::start(identity::APP_ID));
        let builder = identity::with_alipay(with_relay(builder, &relay, "alipay"), &alipay);
        let app = builder.start();
        let person = identity::candidate(&app);
        identity::started(&app, &alipay, &person, &identity::id_number());
        app.request("DELETE", "/v1/account/data/verification").token(&person.token).send().expect(204);
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        // Who stays reads it.
        let told = app.all_pages(&person, "/v1/account/disclosures");
        assert_eq!(told.len(), 2);
        assert_eq!(told[0]["recipient"], "deletion-relay");
        assert_eq!(told[0]["basis"], "law");
        assert_eq!(told[0]["data"], json!(["references"]));
        assert_eq!(told[0]["reference"], relay.notices()[0].id.as_str());
        assert!(relay.notices()[0].body["data"].get("account_id").is_none());
        // Of who leaves the record names nobody.
        disclosed(&app, &person, "alipay", "phone number", "x");
        leave(&app, &person);
        let records = || app.database().rows("SELECT recipient, data, reference, phone_hash FROM disclosures");
        assert_eq!(records().len(), 0);
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        let records = records();
        assert_eq!(records.len(), 1);
        let shown: Vec<_> = records[0][..2].iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["deletion-relay", "references,phone number"]);
        let reference: uuid::Uuid = records[0][2].to_string().parse().expect("an identifier");
        assert_eq!(reference.to_string(), relay.notices()[1].id);
        assert_eq!(records[0][3].bytes(), reference.as_bytes());
        let again = app.log_in_on(&person.phone, &api_tests::Device::new("device-1"));
        assert_eq!(app.all_pages(&again, "/v1/account/disclosures"), Vec::<Value>::new());
    }

    // clause R3
    [stand_in] fn what_is_not_acknowledged_is_sent_again_later_and_later_until_it_is(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "alipay").start();
        app.clock().stop();
        somebody_left(&app);
        relay.set_clock(app.clock().now_ms());
        let answer = |status: &str| Behaviour::Raw(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").into_bytes());
        let mut wait = MINUTE;
        for misbehaviour in [
            Behaviour::Refuse(500, "broken"),
            answer("302 Found\r\nlocation: /elsewhere"),
            Behaviour::Refuse(410, "gone"),
            Behaviour::Close,
            answer("100 Continue"),
            Behaviour::Raw(b"nonsense".to_vec()),
        ] {
            relay.plan(misbehaviour);
            assert_eq!(drive(&app, "alerts-and-notices"), 1);
            assert_eq!(app.database().count(ROWS), 1);
            // Not before the half of the wait is over, and surely after the whole.
            advance(&app, &relay, wait / 2 - std::time::Duration::from_secs(1));
            assert_eq!(drive(&app, "alerts-and-notices"), 0);
            advance(&app, &relay, wait / 2 + std::time::Duration::from_secs(1));
            wait *= 2;
        }
        assert_eq!(relay.notices().len(), 0);
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        assert_eq!(relay.notices().len(), 1);
        assert_eq!(app.database().count(ROWS), 0);
    }

    // clause R3
    [stand_in] fn a_notice_that_comes_twice_is_known_by_its_identifier(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "alipay").start();
        app.clock().stop();
        somebody_left(&app);
        for misbehaviour in [Behaviour::Hang, Behaviour::Drip] {
            relay.set_clock(app.clock().now_ms());
            relay.plan(misbehaviour);
            assert_eq!(drive(&app, "alerts-and-notices"), 1);
            assert_eq!(app.database().count(ROWS), 1);
            app.clock().advance(HOUR);
        }
        relay.set_clock(app.clock().now_ms());
        drive(&app, "alerts-and-notices");
        assert_eq!(app.database().count(ROWS), 0);
        let notices = relay.notices();
        assert_eq!(notices.len(), 3);
        assert!(notices.iter().all(|notice| notice == &notices[0]));
    }

    // clause R3, R5
    fn who_has_no_interface_is_an_operators_task(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "apple").start();
        let (reference, phone) = somebody_left(&app);
        assert_eq!(drive(&app, "alerts-and-notices"), 0);
        let listed = tasks(&app);
        assert_eq!(listed.len(), 1);
        let alipay = RECIPIENTS.iter().find(|recipient| recipient.name == "alipay").expect("it is listed");
        assert_eq!(listed[0]["company"], alipay.company);
        assert_eq!(listed[0]["contact"], alipay.contact);
        assert_eq!(listed[0]["references"], json!([reference]));
        assert_eq!(listed[0]["phone"], phone.as_str());
        assert_eq!(listed[0]["tries"], 0);
        let id = listed[0]["id"].as_str().expect("an id");
        for _ in 0..2 {
            app.request("POST", &format!("/v1/operator/tasks/{id}/done")).token(REVIEWER.token).send().expect(204);
        }
        assert_eq!(tasks(&app), Vec::<Value>::new());
        assert_eq!(app.database().count(ROWS), 0);
        assert_eq!(relay.notices().len(), 0);
        is_in_no_row(&app, reference.as_bytes());
        is_in_no_row(&app, &phone.as_bytes()[3..]);
    }

    // clause R3
    [stand_in] fn after_ten_tries_people_see_to_it_too(builder: Builder) {
        let (relay, webhook) = (Relay::start(), Webhook::start());
        let app = with_relay(builder, &relay, "alipay")
            .variable("operator_webhook", webhook.url())
            .start();
        app.clock().stop();
        somebody_left(&app);
        for tries in 1..=12 {
            relay.set_clock(app.clock().now_ms());
            relay.plan(Behaviour::Refuse(503, "busy"));
            assert_eq!(drive(&app, "alerts-and-notices"), 1);
            assert_eq!(tasks(&app).len(), usize::from(tries >= 10), "{tries}");
            assert_eq!(webhook.posts().len(), usize::from(tries >= 10), "{tries}");
            app.clock().advance(DAY);
        }
        let alarm: Value = serde_json::from_slice(&webhook.posts()[0].body).expect("JSON");
        assert_eq!(alarm["event"], "recipient-notices-undelivered");
        assert_eq!(alarm["notices"][0]["recipient"], "alipay");
        assert_eq!(tasks(&app)[0]["tries"], 12);
        // The interface is still tried.
        relay.set_clock(app.clock().now_ms());
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        assert_eq!(tasks(&app), Vec::<Value>::new());
    }

    // clause R3
    fn one_that_does_not_open_hides_no_other(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "apple").start();
        for _ in 0..2 {
            somebody_left(&app);
        }
        let broken = app.database().rows(&format!(
            "UPDATE recipient_notices SET content = {} WHERE id = (SELECT MAX(id) FROM recipient_notices) RETURNING id",
            app.bytes(b"x"),
        ))[0][0].to_string();
        let listed = tasks(&app);
        assert_eq!(listed.len(), 2);
        for task in &listed {
            let is_broken = task["id"] == broken.as_str();
            assert_eq!(task["is_readable"], !is_broken);
            assert_eq!(task["references"].as_array().map(Vec::is_empty), Some(is_broken));
            assert_eq!(task["recipient"], "alipay");
        }
        app.request("POST", &format!("/v1/operator/tasks/{broken}/done")).token(REVIEWER.token).send().expect(204);
        assert_eq!(tasks(&app).len(), 1);
    }

    // clause T5
    fn without_an_agreement_the_relay_is_not_called(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "alipay")
            .variable("recipient_agreements", "alipay=2026-01-15/2026-07-01")
            .start();
        somebody_left(&app);
        assert_eq!(drive(&app, "alerts-and-notices"), 0);
        assert_eq!(relay.notices().len(), 0);
        assert_eq!(app.database().count(ROWS), 1);
        app.log().event_with("problem", "problem", "recipient-without-agreement");
    }

    // clause R3
    fn many_notices_go_a_few_at_a_time(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "alipay").start();
        for _ in 0..5 {
            somebody_left(&app);
        }
        assert_eq!(drive(&app, "alerts-and-notices"), 5);
        assert_eq!(relay.notices().len(), 5);
    }

    // clause R3
    [stand_in] fn ending_a_task_is_done_once_or_not_at_all(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "apple").start();
        sweep(
            &app,
            |app, _| {
                somebody_left(app);
                let id = tasks(app)[0]["id"].as_str().expect("an id").to_owned();
                let path = format!("/v1/operator/tasks/{id}/done");
                ((), Attempt::new("POST", path, Some(REVIEWER.token), Value::Null))
            },
            again,
            |app, (), _| assert_eq!(app.database().count(ROWS), 0),
        );
    }

    // clause R3
    [stand_in] fn a_delivery_that_is_stopped_anywhere_is_done_all_the_same(builder: Builder) {
        let relay = Relay::start();
        let app = with_relay(builder, &relay, "alipay").start();
        app.clock().stop();
        relay.set_clock(app.clock().now_ms());
        somebody_left(&app);
        app.faults().clear();
        assert_eq!(drive(&app, "alerts-and-notices"), 1);
        let calls = app.faults().calls();
        let ours: Vec<_> = (1..=calls.len()).filter(|nth| calls[nth - 1].component == "requests").collect();
        assert!(ours.len() >= 4, "{calls:?}");
        let mut delivered = relay.notices().len();
        for when in ["before", "after"] {
            for nth in &ours {
                somebody_left(&app);
                app.faults().trap(*nth, when);
                app.request("POST", "/v1/internal/sweep").token(api_tests::SCHEDULER.token).send_unchecked();
                app.faults().clear();
                advance(&app, &relay, MINUTE);
                drive(&app, "alerts-and-notices");
                assert_eq!(app.database().count(ROWS), 0, "{when} {nth}");
                let notices = relay.notices();
                let new = &notices[delivered..];
                assert!((1..=2).contains(&new.len()), "{when} {nth}");
                assert!(new.iter().all(|notice| notice == &new[0]), "{when} {nth}");
                delivered = notices.len();
            }
        }
    }
}
