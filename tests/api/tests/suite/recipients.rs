//! Who gets data: the list, what each got, and nobody else (clauses T3, T5, T6, D1).

use std::collections::{BTreeMap, BTreeSet};

use api_tests::{App, Builder, MINUTE, mobile_number, on_both_engines};
use provider_stand_ins::aliyun_sms::AliyunSms;
use provider_stand_ins::webhook::Webhook;
use serde_json::json;
use shared::recipient::{ALIPAY, ALIYUN_MAIL, Named, RECIPIENTS, Region, Role};
use toml::Table;

use crate::identity::{ask, candidate, id_number, started};
use crate::payment::{Shop, agree_on_time, buyer, customer, number, open, order, read, refund};
use crate::uploads_oss;

fn manifest() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml");
    let text = std::fs::read_to_string(path).expect("the manifest is there");
    text.parse().expect("TOML")
}

/// The hosts that components may reach and nobody is named for; and the recipients' that the manifest has not.
fn strangers(manifest: &Table) -> Vec<String> {
    let variables = manifest["variables"].as_table().expect("variables");
    let known: BTreeSet<&str> = RECIPIENTS
        .iter()
        .flat_map(|recipient| recipient.hosts)
        .copied()
        .chain(["database_host"])
        .collect();
    let components = manifest["component"].as_table().expect("components");
    let mut strange = BTreeSet::new();
    for component in components.values() {
        let hosts = component.get("allowed_outbound_hosts");
        for host in hosts.and_then(toml::Value::as_array).into_iter().flatten() {
            let host = host.as_str().expect("a text");
            let variable = host
                .strip_prefix("{{ ")
                .and_then(|host| host.strip_suffix(" }}"));
            let ours = host
                .strip_prefix("http://")
                .and_then(|host| host.strip_suffix(".spin.internal"));
            let is_ours = ours.is_some_and(|component| components.contains_key(component));
            if !is_ours && !variable.is_some_and(|variable| known.contains(variable)) {
                strange.insert(host.to_owned());
            }
        }
    }
    let missing = known
        .iter()
        .filter(|variable| !variables.contains_key(**variable));
    strange.extend(missing.map(|variable| format!("no variable {variable}")));
    strange.into_iter().collect()
}

// clause D1
#[test]
fn components_reach_nobody_who_is_not_on_the_list() {
    assert_eq!(strangers(&manifest()), Vec::<String>::new());
}

// clause D1
#[test]
fn a_host_that_is_not_on_the_list_is_noticed() {
    for stranger in [
        "https://tracker.example.com",
        "{{ tracker_host }}",
        "*",
        "https://*",
        "*://*:*",
        "http://evil.spin.internal.example.com",
        "http://evil.example.com/.spin.internal",
        "https://{{ oss_host }}",
        "{{ oss_host }}.example.com",
    ] {
        let mut manifest = manifest();
        let wallet =
            manifest["component"].as_table_mut().expect("components")["wallet"].as_table_mut();
        let hosts = wallet.expect("a component")["allowed_outbound_hosts"].as_array_mut();
        hosts.expect("hosts").push(stranger.into());
        assert_eq!(strangers(&manifest), [stranger]);
    }
    let mut manifest = manifest();
    manifest["variables"]
        .as_table_mut()
        .expect("variables")
        .remove("oss_host");
    assert_eq!(strangers(&manifest), ["no variable oss_host"]);
}

// clause D1
#[test]
fn only_one_is_outside_the_mainland_and_gets_nothing_of_a_person() {
    let abroad: Vec<_> = RECIPIENTS
        .iter()
        .filter(|recipient| recipient.region == Region::Abroad)
        .collect();
    assert_eq!(abroad.len(), 1);
    assert_eq!(abroad[0].name, "apple");
    assert!(abroad[0].exception.is_some());
}

// clause T6
#[test]
fn whoever_the_policy_does_not_name_works_for_us_alone() {
    for recipient in RECIPIENTS {
        let is_named = recipient.named == Named::InPolicy;
        assert!(
            is_named || recipient.role == Role::Processor,
            "{}",
            recipient.name
        );
    }
}

/// A host for one of them needs the consent `push-notifications` before anything is sent to it.
// clause R4
#[test]
fn whoever_agrees_to_push_nobody_who_pushes_gets_anything_of_us_yet() {
    let pushing: Vec<_> = RECIPIENTS
        .iter()
        .filter(|recipient| recipient.purpose.contains("推送"))
        .collect();
    assert_eq!(pushing.len(), 6);
    for recipient in pushing {
        assert!(recipient.hosts.is_empty(), "{}", recipient.name);
    }
}

on_both_engines! {
    // clause T5
    fn the_list_says_who_they_are_and_what_binds_them(builder: Builder) {
        let app = builder.variable("recipient_agreements", "alipay=2026-01-15/2026-07-01").start();
        let answer = app.request("GET", "/v1/policy/recipients").send().expect(200);
        let listed = answer.json["recipients"].as_array().expect("recipients");
        assert_eq!(listed.len(), RECIPIENTS.len());
        for (item, recipient) in listed.iter().zip(RECIPIENTS) {
            assert_eq!(item["name"], recipient.name);
            for member in ["company", "purpose", "data", "contact", "policy_url", "region"] {
                assert!(item[member].as_str().is_some_and(|text| !text.is_empty()), "{item}");
            }
            assert_eq!(item["role"], json!(recipient.role));
            assert_eq!(item["in_policy"], recipient.named == Named::InPolicy);
            assert_eq!(item["named_from"].is_null(), recipient.named == Named::InPolicy);
            assert_eq!(item["exception"].is_string(), recipient.region == Region::Abroad);
            let bound = json!({ "agreed_on": "2026-01-15", "reviewed_on": "2026-07-01" });
            let expected = if recipient.name == ALIPAY.name { bound } else { json!(null) };
            assert_eq!(item["agreement"], expected);
        }
        let added = listed.iter().find(|item| item["name"] == ALIYUN_MAIL.name).expect("it is listed");
        assert_eq!(added["in_policy"], false);
    }

    // clause V20, V21
    fn whom_only_the_app_talks_to_is_listed_too(app: App) {
        let answer = app.request("GET", "/v1/policy/recipients").send().expect(200);
        let listed = answer.json["recipients"].as_array().expect("recipients");
        for (name, words) in [("oaid", "uni-app"), ("carriers", "中国电信")] {
            let item = listed.iter().find(|item| item["name"] == name).expect("it is listed");
            assert!(item.to_string().contains(words), "{item}");
            assert_eq!(item["in_policy"], true);
        }
    }

    // clause T3, X1
    fn who_got_what_is_told_to_the_person_alone(builder: Builder) {
        let shop = open(builder);
        let (person, order) = buyer(&shop);
        let (other, _) = buyer(&shop);
        shop.app.consent(&person, "real-name-verification", true).expect(200);
        let (verification, _) = started(&shop.app, &shop.alipay, &person, &id_number());
        let items = shop.app.all_pages(&person, "/v1/account/disclosures?limit=1");
        let told: Vec<_> = items.iter()
            .map(|item| (item["purpose"].as_str().expect("a text"), item["basis"].as_str().expect("a text")))
            .collect();
        assert_eq!(told, [("real-name verification", "separate-consent"), ("payment", "consent")]);
        for item in &items {
            assert_eq!(item["recipient"], "alipay");
            assert_eq!(item["company"], ALIPAY.company);
            assert!(item["sent_at"].is_string());
        }
        assert_eq!(items[0]["data"], json!(["name", "identity number"]));
        assert_eq!(items[1]["data"], json!(["order number", "amount"]));
        assert_eq!(items[1]["reference"], json!(order.replace('-', "")));
        assert!(items[0]["reference"].as_str().expect("a number").contains(&verification.replace('-', "")));
        let theirs = shop.app.all_pages(&other, "/v1/account/disclosures");
        assert_eq!(theirs.len(), 1);
        assert_ne!(theirs[0]["reference"], items[1]["reference"]);
        shop.app.request("GET", "/v1/account/disclosures").send().expect_problem(401, "unauthenticated");
    }

    // clause T5
    fn no_message_leaves_without_an_agreement(builder: Builder) {
        let sms = AliyunSms::start("id", "secret");
        let app = builder
            .variable("recipient_agreements", "")
            .variable("sms_provider", "aliyun")
            .variable("aliyun_sms_endpoint", sms.url())
            .variable("aliyun_access_key_id", "id")
            .variable("aliyun_access_key_secret", "secret")
            .variable("aliyun_sms_sign_name", "创人脉")
            .variable("aliyun_sms_template_code", "SMS_1")
            .start();
        let body = json!({ "phone": mobile_number(), "purpose": "login" });
        let refused = app.post("/v1/auth/sms-codes", &body).expect_problem(503, "recipient-without-agreement");
        assert_eq!(refused.json["recipient"], "aliyun-sms");
        assert!(sms.messages().is_empty() && sms.refusals().is_empty());
        is_not_disclosed(&app);
    }

    // clause T5
    fn no_identity_leaves_without_an_agreement(builder: Builder) {
        let alipay = provider_stand_ins::alipay::Alipay::start(crate::identity::APP_ID);
        let app = crate::identity::with_alipay(builder, &alipay).variable("recipient_agreements", "").start();
        let person = candidate(&app);
        let refused = ask(&app, &person, &id_number()).expect_problem(503, "recipient-without-agreement");
        assert_eq!(refused.json["recipient"], "alipay");
        assert!(alipay.calls(crate::identity::INITIALIZE).is_empty() && alipay.refusals().is_empty());
        is_not_disclosed(&app);
    }

    // clause T5
    fn no_order_leaves_without_an_agreement(builder: Builder) {
        let shop = open(builder.variable("recipient_agreements", ""));
        let person = customer(&shop.app);
        for (channel, recipient) in [("alipay-app", "alipay"), ("wechat-app", "wechat-pay")] {
            let refused = order(&shop.app, &person, channel).expect_problem(503, "recipient-without-agreement");
            assert_eq!(refused.json["recipient"], recipient);
        }
        assert!(shop.alipay.refusals().is_empty() && shop.wechat.refusals().is_empty());
        is_not_disclosed(&shop.app);
    }

    // clause T5
    fn no_file_leaves_without_an_agreement(builder: Builder) {
        let (app, oss) = uploads_oss::start(builder.variable("recipient_agreements", ""));
        let person = app.someone();
        let refused = app.ask_for_form(&person, "image", "image/png", 10)
            .expect_problem(503, "recipient-without-agreement");
        assert_eq!(refused.json["recipient"], "aliyun-oss");
        assert!(oss.refusals().is_empty());
    }

    // clause T5
    fn no_alert_leaves_without_an_agreement(builder: Builder) {
        let webhook = Webhook::start();
        let app = builder
            .variable("recipient_agreements", "")
            .variable("operator_webhook", webhook.url())
            .variable("operator_webhook_path", "/robot")
            .start();
        let person = app.someone();
        app.request("POST", "/v1/account/leak-reports").token(&person.token).send().expect(204);
        app.log().event_with("account-leaked", "level", "alarm");
        assert!(webhook.posts().is_empty());
    }

    // clause T5
    [stand_in] fn when_an_agreement_ends_so_does_every_call(builder: Builder) {
        let mut shop = open(builder);
        let (_, bought) = buyer(&shop);
        let person = customer(&shop.app);
        let [alipay, wechat, apple] = ["alipay-app", "wechat-app", "apple"]
            .map(|channel| order(&shop.app, &person, channel).expect(201));
        shop.wechat.pay(&number(&wechat));
        let transaction = shop.apple.buy(&apple.text("/pay/product_id"), Some(&apple.text("/id")));
        shop.app.restart(&[("recipient_agreements", "")]);
        let called = |shop: &Shop| {
            let methods = ["query", "close", "refund", "fastpay.refund.query"];
            let alipay = methods.map(|method| shop.alipay.calls(&format!("alipay.trade.{method}")).len());
            (alipay, shop.wechat.calls().len(), shop.apple.calls())
        };
        let before = called(&shop);
        shop.app.clock().advance(MINUTE);
        for ordered in [&alipay, &wechat] {
            let id = ordered.text("/id");
            assert_eq!(read(&shop.app, &person, &id)["status"], "pending");
            shop.app.request("POST", &format!("/v1/orders/{id}/close")).token(&person.token).send()
                .expect_problem(503, "payment-unavailable");
        }
        let submit = |shop: &Shop| shop.app
            .request("POST", &format!("/v1/orders/{}/apple-transaction", apple.text("/id")))
            .token(&person.token)
            .json(&json!({ "transaction_id": transaction }));
        submit(&shop).expect_problem(503, "payment-unavailable");
        refund(&shop.app, &bought, &json!({})).expect_problem(503, "payment-unavailable");
        assert_eq!(called(&shop), before);
        // Nothing is lost meanwhile.
        shop.app.restart(&[("recipient_agreements", "wechat-pay=2026-01-15/2026-07-01,apple=2026-01-15/2026-07-01")]);
        shop.app.clock().advance(MINUTE * 2);
        agree_on_time(&shop);
        assert_eq!(read(&shop.app, &person, &wechat.text("/id"))["status"], "paid");
        submit(&shop).expect(200);
    }
}

fn is_not_disclosed(app: &App) {
    assert_eq!(app.database().count("SELECT COUNT(*) FROM disclosures"), 0);
}

/// Each recipient that components reach has a variable of its own.
#[test]
fn a_host_is_one_recipients() {
    let mut owners = BTreeMap::new();
    for recipient in RECIPIENTS {
        for host in recipient.hosts {
            assert_eq!(owners.insert(host, recipient.name), None, "{host}");
        }
    }
}
