//! `/v1/callbacks/apple`, `/v1/orders/{id}/apple-transaction`: purchases in the App Store (clause V19).

use api_tests::{ADMIN, Answer, Builder, Person, on_both_engines};
use provider_stand_ins::Behaviour;
use provider_stand_ins::apple::{AppStore, Form, Notification, UntimelyRoot, Which};
use serde_json::{Value, json};

use crate::payment::{
    COINS, Shop, anomalies, buy, customer, entries, ledger_holds, open, order, read, readable,
    refund, refunds, snapshot, unreadable, wallet,
};

const PRODUCT: &str = "com.chuangrenmai.coins.60";

/// Someone who has bought what an order is for: the person, the order, the transaction.
fn purchaser(shop: &Shop) -> (Person, String, String) {
    let person = customer(&shop.app);
    let (id, transaction) = purchase(shop, &person);
    (person, id, transaction)
}

fn purchase(shop: &Shop, person: &Person) -> (String, String) {
    let ordered = order(&shop.app, person, "apple").expect(201);
    let token = ordered.text("/pay/app_account_token");
    let transaction = shop
        .apple
        .buy(&ordered.text("/pay/product_id"), Some(&token));
    (ordered.text("/id"), transaction)
}

fn submit(shop: &Shop, person: &Person, id: &str, body: &Value) -> Answer {
    shop.app
        .request("POST", &format!("/v1/orders/{id}/apple-transaction"))
        .token(&person.token)
        .json(body)
}

fn signed(shop: &Shop, transaction: &str) -> Value {
    json!({ "signed_transaction": shop.apple.signed_transaction(transaction) })
}

fn post(shop: &Shop, body: String) -> Answer {
    shop.app
        .request("POST", "/v1/callbacks/apple")
        .body("application/json", body)
        .send()
}

fn tells(shop: &Shop, notification: &Notification) {
    post(shop, notification.body()).expect(204);
}

/// Every form in which the App Store signs nothing.
fn forms() -> Vec<Form> {
    vec![
        Form::OtherRoot,
        Form::WithoutLeafMark,
        Form::WithoutIntermediateMark,
        Form::Expired(Which::Leaf),
        Form::Expired(Which::Intermediate),
        Form::Early(Which::Leaf),
        Form::Early(Which::Intermediate),
        Form::NoAuthority,
        Form::OtherIntermediate,
        Form::CriticalExtension,
        Form::Certificates(0),
        Form::Certificates(1),
        Form::Certificates(2),
        Form::Certificates(4),
        Form::Algorithm("none"),
        Form::Algorithm("HS256"),
        Form::Algorithm("RS256"),
        Form::CriticalHeader,
        Form::OtherKey,
        Form::OtherText,
        Form::DerSignature,
        Form::Padded,
        Form::Unsigned,
        Form::Truncated,
    ]
}

on_both_engines! {
    // clause V19
    fn whoever_brings_a_transaction_first_credits_it_once(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        for _ in 0..2 {
            let answer = submit(&shop, &person, &id, &signed(&shop, &transaction)).expect(200);
            assert_eq!(answer.text("/status"), "paid");
        }
        tells(&shop, &shop.apple.notification("ONE_TIME_CHARGE", &transaction));
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        let (id, transaction) = purchase(&shop, &person);
        tells(&shop, &shop.apple.notification("ONE_TIME_CHARGE", &transaction));
        submit(&shop, &person, &id, &signed(&shop, &transaction)).expect(200);
        assert_eq!(wallet(&shop.app, &person), (2 * COINS, 0));
        assert!(anomalies(&shop.app).is_empty());
        ledger_holds(&shop.app);
    }

    // clause V19
    fn a_number_is_asked_about_at_apple(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        let number = json!({ "transaction_id": transaction });
        shop.apple.plan(Behaviour::Refuse(500, "5000001"));
        submit(&shop, &person, &id, &number).expect_problem(503, "payment-unavailable");
        shop.apple.plan(Behaviour::Refuse(429, "4290000"));
        submit(&shop, &person, &id, &number).expect_problem(503, "payment-unavailable");
        shop.apple.plan(Behaviour::Close);
        submit(&shop, &person, &id, &number).expect_problem(503, "payment-unavailable");
        assert_eq!(submit(&shop, &person, &id, &number).expect(200).text("/status"), "paid");
        let unknown = json!({ "transaction_id": "2000000999999999" });
        submit(&shop, &person, &id, &unknown).expect_problem(422, "transaction-invalid");
        for (body, violation) in [
            (json!({ "transaction_id": "../x" }), "transaction_id:invalid"),
            (json!({}), "signed_transaction:missing"),
            (json!({ "transaction_id": "1", "signed_transaction": "x" }), "transaction_id:unknown"),
        ] {
            submit(&shop, &person, &id, &body).expect(422).expect_violations(&[violation]);
        }
        assert!(shop.apple.refusals().is_empty());
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
    }

    // clause V19
    fn a_transaction_for_something_else_credits_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        let (other, _, others) = purchaser(&shop);
        let mismatch = |body: &Value, reason: &str| {
            let answer = submit(&shop, &person, &id, body).expect_problem(409, "transaction-mismatch");
            assert_eq!(answer.json["reason"], reason);
        };
        mismatch(&signed(&shop, &others), "other-order");
        assert!(anomalies(&shop.app).is_empty(), "it leads to the other order");
        // Bought, and for no order: an operator must see each, once.
        let nobody = "0198c5a0-0000-7000-8000-00000000000f";
        for token in [None, Some(nobody)] {
            let untold = shop.apple.buy(PRODUCT, token);
            for _ in 0..2 {
                mismatch(&signed(&shop, &untold), "other-order");
            }
        }
        assert_eq!(anomalies(&shop.app), ["unknown-order", "unknown-order"]);
        let with = |name: &str, value: Value| {
            let mut changed = shop.apple.transaction(&transaction);
            changed[name] = value;
            json!({ "signed_transaction": shop.apple.sign(&changed, None) })
        };
        mismatch(&with("productId", json!("com.chuangrenmai.coins.1280")), "wrong-product");
        mismatch(&with("type", json!("Non-Consumable")), "wrong-product");
        mismatch(&with("quantity", json!(2)), "wrong-quantity");
        for (name, value) in [
            ("bundleId", json!("com.example.other")),
            ("environment", json!("Sandbox")),
            ("environment", json!("Xcode")),
            ("transactionId", json!("x")),
        ] {
            let body = with(name, value);
            submit(&shop, &person, &id, &body).expect_problem(422, "transaction-invalid");
        }
        submit(&shop, &other, &id, &signed(&shop, &transaction)).expect_problem(404, "not-found");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        submit(&shop, &person, &id, &signed(&shop, &transaction)).expect(200);
        let second = shop.apple.buy(PRODUCT, Some(&id));
        mismatch(&signed(&shop, &second), "second-payment");
        assert_eq!(anomalies(&shop.app)[0], "second-payment");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        ledger_holds(&shop.app);
    }

    // clause V19
    fn forged_and_broken_ones_change_nothing(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        let before = snapshot(&shop.app);
        let told = || shop.apple.notification("ONE_TIME_CHARGE", &transaction);
        for form in forms() {
            let body = json!({
                "signed_transaction": shop.apple.sign(&shop.apple.transaction(&transaction), Some(form)),
            });
            let answer = submit(&shop, &person, &id, &body);
            assert_eq!(answer.problem(), Some("transaction-invalid"), "{form:?}");
            for notification in [told().signed(form), told().with_transaction_signed(form)] {
                let answer = post(&shop, notification.body());
                assert_eq!((answer.status, answer.problem()), (400, Some("signature-invalid")), "{form:?}");
            }
        }
        let broken = [
            told().without_transaction(),
            told().with("/notificationUUID", json!("x")),
            told().with("/signedDate", json!("today")),
            told().with_transaction("quantity", json!("1")),
            told().with_transaction("transactionId", json!(1)),
            told().with_transaction("appAccountToken", json!("me")),
            told().with_transaction("revocationPercentage", json!(100_001)),
        ];
        for broken in &broken {
            // Apple signed it: a person must look, and Apple shall send it again.
            for _ in 0..2 {
                let answer = post(&shop, broken.body()).expect_problem(503, "payment-unavailable");
                let event = shop.app.log().event("problem", answer.request_id());
                assert_eq!(event["level"], "alarm");
            }
        }
        assert_eq!(unreadable(&shop.app), broken.len());
        let body = told().body();
        for broken in ["", "{}", "[]", "null", r#"{"signedPayload":[]}"#, &body[..body.len() - 2]] {
            post(&shop, broken.to_owned()).expect_problem(400, "notification-malformed");
        }
        let oversized = format!("{body}{}", " ".repeat(70_000));
        assert_eq!(post(&shop, oversized).status, 413);
        assert_eq!(readable(&shop.app), before);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
    }

    // clause V19
    fn what_was_ordered_counts_when_the_catalogue_has_changed(builder: Builder) {
        let mut shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        tells(&shop, &shop.apple.notification("ONE_TIME_CHARGE", &transaction));
        let (late, late_transaction) = purchase(&shop, &person);
        let wrong = order(&shop.app, &person, "apple").expect(201).text("/id");
        // One package is gone, and another has its name.
        let package = |id: &str, coins: i64, product: &str| json!({
            "id": id, "coins": coins, "amount_fen": 100, "apple_product_id": product,
        });
        for packages in [
            json!([package("coins-10", 10, "com.chuangrenmai.coins.10")]),
            json!([package("coins-60", 10, "com.chuangrenmai.coins.10")]),
        ] {
            shop.app.restart(&[("coin_packages", &packages.to_string())]);
            let cheap = shop.apple.buy("com.chuangrenmai.coins.10", Some(&wrong));
            let answer = submit(&shop, &person, &wrong, &signed(&shop, &cheap));
            assert_eq!(answer.expect_problem(409, "transaction-mismatch").json["reason"], "wrong-product");
        }
        submit(&shop, &person, &late, &signed(&shop, &late_transaction)).expect(200);
        assert_eq!(wallet(&shop.app, &person), (2 * COINS, 0));
        shop.apple.refund(&transaction);
        tells(&shop, &shop.apple.notification("REFUND", &transaction));
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 600);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        assert_eq!(anomalies(&shop.app), ["wrong-product", "wrong-product"]);
        ledger_holds(&shop.app);
    }

    // clause V19
    fn a_sandbox_takes_what_is_bought_there_alone(builder: Builder) {
        let mut shop = open(builder);
        shop.app.restart(&[("apple_environment", "Sandbox"), ("apple_app_apple_id", "")]);
        let (person, id, transaction) = purchaser(&shop);
        let paid_for = shop.apple.notification("ONE_TIME_CHARGE", &transaction);
        tells(&shop, &paid_for);
        assert_eq!(anomalies(&shop.app), ["other-merchant"]);
        // Anybody can bring that about, so it alarms nobody.
        let kept = shop.app.log().event_with("payment-anomaly", "reason", "other-merchant");
        assert_eq!(kept["level"], "warning");
        submit(&shop, &person, &id, &signed(&shop, &transaction)).expect_problem(422, "transaction-invalid");
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        let in_sandbox = shop
            .apple
            .notification("ONE_TIME_CHARGE", &transaction)
            .with("/data/environment", json!("Sandbox"))
            .without("/data", "appAppleId")
            .with_transaction("environment", json!("Sandbox"));
        tells(&shop, &in_sandbox);
        assert_eq!(read(&shop.app, &person, &id)["status"], "paid");
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        ledger_holds(&shop.app);
    }

    // clause E27
    fn nothing_of_the_payer_is_kept(builder: Builder) {
        let shop = open(builder);
        let (person, _, transaction) = purchaser(&shop);
        let told = || {
            let mut told = shop.apple.notification("ONE_TIME_CHARGE", &transaction);
            for (name, value) in [
                ("originalTransactionId", "2000000777777777"),
                ("webOrderLineItemId", "2000000666666666"),
                ("appTransactionId", "704897469903357045"),
                ("storefront", "CHN-payer"),
            ] {
                told = told.with_transaction(name, json!(value));
            }
            told
        };
        // One that fits, one that does not, one that nobody can read.
        tells(&shop, &told());
        tells(&shop, &told().with_transaction("quantity", json!(2)));
        post(&shop, told().with_transaction("quantity", json!("1")).body()).expect(503);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        let kept = snapshot(&shop.app).join("\n");
        assert!(kept.contains(&transaction));
        for of_the_payer in ["2000000777777777", "2000000666666666", "704897469903357045", "CHN-payer"] {
            assert!(!kept.contains(of_the_payer), "{of_the_payer}");
        }
    }

    // clause E15, V19
    fn spent_coins_become_a_debt(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        submit(&shop, &person, &id, &signed(&shop, &transaction)).expect(200);
        let other = customer(&shop.app);
        let tip = |coins: i64| {
            crate::payment::post(&shop.app, &person, "/v1/tips", &json!({ "to": other.account_id, "coins": coins }))
        };
        tip(COINS - 5).expect(201);
        shop.apple.refund(&transaction);
        tells(&shop, &shop.apple.notification("REFUND", &transaction));
        assert_eq!(wallet(&shop.app, &person), (0, COINS - 5));
        tip(1).expect_problem(409, "coins-insufficient");
        buy(&shop, &person);
        assert_eq!(wallet(&shop.app, &person), (5, 0));
        ledger_holds(&shop.app);
    }

    // clause V19
    fn a_prorated_refund_takes_its_share(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        tells(&shop, &shop.apple.notification("ONE_TIME_CHARGE", &transaction));
        shop.apple.refund(&transaction);
        let told = |milliunits: i64| shop
            .apple
            .notification("REFUND", &transaction)
            .with_transaction("revocationType", json!("REFUND_PRORATED"))
            .with_transaction("revocationPercentage", json!(milliunits));
        tells(&shop, &told(0));
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        for _ in 0..2 {
            tells(&shop, &told(33_333));
            assert_eq!(wallet(&shop.app, &person), (COINS - 20, 0));
        }
        tells(&shop, &told(100_000));
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 600);
        assert!(anomalies(&shop.app).is_empty());
        ledger_holds(&shop.app);
    }

    // clause V19
    fn submitting_has_a_limit(builder: Builder) {
        let mut shop = open(builder);
        shop.app.restart(&[("orders_per_hour", "3")]);
        let (person, id, transaction) = purchaser(&shop);
        let garbage = json!({ "signed_transaction": "x" });
        for _ in 0..3 {
            submit(&shop, &person, &id, &garbage).expect_problem(422, "transaction-invalid");
        }
        let limited = submit(&shop, &person, &id, &signed(&shop, &transaction));
        assert!(limited.expect_problem(429, "rate-limited").retry_after() > 0);
        // Apple's own word has none.
        tells(&shop, &shop.apple.notification("ONE_TIME_CHARGE", &transaction));
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
    }

    // clause V19
    fn a_root_must_be_valid_when_something_is_signed(builder: Builder) {
        let mut shop = open(builder);
        let person = customer(&shop.app);
        for untimely in [UntimelyRoot::Expired, UntimelyRoot::Early] {
            let store = AppStore::with_untimely_root(untimely);
            let variables = store.variables();
            let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            shop.app.restart(&variables);
            shop.apple = store;
            let (id, transaction) = purchase(&shop, &person);
            let answer = submit(&shop, &person, &id, &signed(&shop, &transaction));
            answer.expect_problem(422, "transaction-invalid");
            let told = shop.apple.notification("ONE_TIME_CHARGE", &transaction);
            post(&shop, told.body()).expect_problem(400, "signature-invalid");
        }
        assert_eq!(wallet(&shop.app, &person), (0, 0));
    }

    fn what_is_true_and_does_not_fit_is_kept(builder: Builder) {
        let shop = open(builder);
        let (person, _, transaction) = purchaser(&shop);
        let told = || shop.apple.notification("ONE_TIME_CHARGE", &transaction);
        let elsewhere = order(&shop.app, &person, "alipay-app").expect(201).text("/id");
        let foreign = told().with("/data/bundleId", json!("com.example.foreign"));
        tells(&shop, &foreign);
        let kept = shop.app.get("/v1/operator/payment-anomalies", ADMIN.token).expect(200);
        let content = &kept.json["items"][0]["content"];
        assert_eq!((&content["bundle_id"], &content["environment"]), (&json!("com.example.foreign"), &json!("Production")));
        for (notification, reason) in [
            (told().with("/data/bundleId", json!("com.example.other")), "other-merchant"),
            (told().with("/data/appAppleId", json!(1)), "other-merchant"),
            (told().with("/data/appAppleId", Value::Null), "other-merchant"),
            (told().without("/data", "appAppleId"), "other-merchant"),
            (told().with("/data/environment", json!("Sandbox")), "other-merchant"),
            (told().with_transaction("bundleId", json!("com.example.other")), "other-merchant"),
            (told().with_transaction("environment", json!("Sandbox")), "other-merchant"),
            (told().with_transaction("appAccountToken", Value::Null), "unknown-order"),
            (told().with_transaction("appAccountToken", json!("0198c5a0-0000-7000-8000-000000000000")), "unknown-order"),
            (told().with_transaction("appAccountToken", json!(elsewhere)), "wrong-channel"),
            (told().with_transaction("productId", json!("com.chuangrenmai.coins.680")), "wrong-product"),
            (told().with_transaction("quantity", json!(10)), "wrong-quantity"),
        ] {
            tells(&shop, &notification);
            assert_eq!(anomalies(&shop.app)[0], reason);
        }
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        for ignored in ["TEST", "CONSUMPTION_REQUEST", "REFUND_DECLINED", "PRICE_INCREASE"] {
            tells(&shop, &shop.apple.notification(ignored, &transaction));
        }
        assert_eq!(anomalies(&shop.app).len(), 13);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
    }

    // clause V19
    fn refunds_and_their_reversals_may_come_in_any_order(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        submit(&shop, &person, &id, &signed(&shop, &transaction)).expect(200);
        shop.apple.refund(&transaction);
        let refunded = shop.apple.notification("REFUND", &transaction);
        for _ in 0..2 {
            tells(&shop, &refunded);
            assert_eq!(wallet(&shop.app, &person), (0, 0));
        }
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 600);
        // The app brings the refunded transaction again: no coins.
        submit(&shop, &person, &id, &signed(&shop, &transaction)).expect(200);
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        shop.apple.reverse_refund(&transaction);
        let reversed = shop.apple.notification("REFUND_REVERSED", &transaction);
        for told in [&reversed, &refunded, &reversed, &refunded] {
            tells(&shop, told);
            assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        }
        assert_eq!(entries(&shop.app, &person), ["top-up", "refund", "refund-reversal"]);
        assert_eq!(refunds(&shop.app, &id), [(600, "succeeded".to_owned())]);
        assert_eq!(read(&shop.app, &person, &id)["refunded_fen"], 0);
        // Another one, of which the reversal comes first.
        let (other, _, transaction) = purchaser(&shop);
        shop.apple.refund(&transaction);
        let refunded = shop.apple.notification("REFUND", &transaction);
        shop.apple.reverse_refund(&transaction);
        let reversed = shop.apple.notification("REFUND_REVERSED", &transaction);
        tells(&shop, &reversed);
        tells(&shop, &refunded);
        assert_eq!(wallet(&shop.app, &other), (COINS, 0));
        ledger_holds(&shop.app);
        assert!(anomalies(&shop.app).is_empty());
    }

    // clause V19
    fn a_revocation_takes_the_coins_and_only_apple_refunds(builder: Builder) {
        let shop = open(builder);
        let (person, id, transaction) = purchaser(&shop);
        submit(&shop, &person, &id, &signed(&shop, &transaction)).expect(200);
        refund(&shop.app, &id, &json!({})).expect_problem(409, "refund-by-apple");
        shop.apple.refund(&transaction);
        tells(&shop, &shop.apple.notification("REVOKE", &transaction));
        assert_eq!(wallet(&shop.app, &person), (0, 0));
        buy(&shop, &person);
        assert_eq!(wallet(&shop.app, &person), (COINS, 0));
        ledger_holds(&shop.app);
    }
}
