//! `scripts/ledger-check` finds what is wrong, and nothing else.

use api_tests::{ADMIN, App, Builder, DAY, Database, MINUTE, on_both_engines};
use serde_json::json;

use crate::payment::{COINS, Shop, agree_on_time, buyer, customer, open, order, post, refund};

/// A ledger with an entry of every kind, its first day sealed.
fn lived_in(builder: Builder) -> Shop {
    let shop = open(builder);
    // Noon in China, so that its first day is one.
    let now_ms = shop.app.clock().now_ms();
    shop.app
        .clock()
        .set(now_ms - now_ms % 86_400_000 + 4 * 3_600_000);
    agree_on_time(&shop);
    let (person, id) = buyer(&shop);
    let other = customer(&shop.app);
    let to = &other.account_id;
    post(
        &shop.app,
        &person,
        "/v1/tips",
        &json!({ "to": to, "coins": COINS - 10 }),
    )
    .expect(201);
    post(
        &shop.app,
        &person,
        "/v1/gifts",
        &json!({ "to": to, "gift": "flower" }),
    )
    .expect(201);
    refund(&shop.app, &id, &json!({ "amount_fen": 200 })).expect(200);
    let ordered = order(&shop.app, &person, "apple").expect(201);
    let product = ordered.text("/pay/product_id");
    let transaction = shop.apple.buy(&product, Some(&ordered.text("/id")));
    shop.apple.refund(&transaction);
    let refunded = shop.apple.notification("REFUND", &transaction).body();
    shop.apple.reverse_refund(&transaction);
    let reversed = shop
        .apple
        .notification("REFUND_REVERSED", &transaction)
        .body();
    for body in [refunded, reversed] {
        let told = shop.app.request("POST", "/v1/callbacks/apple");
        told.body("application/json", body).send().expect(204);
    }
    shop.app.clock().advance(DAY * 2);
    let seals = shop.app.request("POST", "/v1/operator/ledger-seals");
    let sealed = seals.token(ADMIN.token).json(&json!({})).expect(200);
    assert_eq!(sealed.json["days"].as_array().expect("days").len(), 1);
    shop
}

/// Does what the triggers forbid, as somebody who owns the database.
fn tamper(app: &App, statement: &str) {
    let unlock: &[&str] = match app.database() {
        Database::Sqlite(_) => &[
            "DROP TRIGGER ledger_keeps",
            "DROP TRIGGER ledger_stays",
            "DROP TRIGGER ledger_seals_keep",
        ],
        Database::Postgres { .. } => &[
            "DROP TRIGGER ledger_keeps ON ledger",
            "DROP TRIGGER ledger_seals_keep ON ledger_seals",
        ],
    };
    for statement in unlock.iter().chain([&statement]) {
        app.database().rows(statement);
    }
}

/// The application's time, as `date` reads it.
fn now(app: &App) -> String {
    format!("@{}", app.clock().now_ms() / 1000)
}

fn finds(builder: Builder, statement: &str, what: &[&str]) {
    let shop = lived_in(builder);
    tamper(&shop.app, statement);
    let (is_content, said) = shop.app.ledger_check_at(&now(&shop.app));
    assert!(!is_content, "{said}");
    for what in what {
        assert!(said.contains(&format!("WRONG    {what}")), "{what}: {said}");
    }
}

on_both_engines! {
    [stand_in] fn a_right_ledger_is_right(builder: Builder) {
        let shop = lived_in(builder);
        let (is_content, said) = shop.app.ledger_check_at(&now(&shop.app));
        assert!(is_content, "{said}");
        assert!(said.contains("ok       the seals of 1 days"), "{said}");
    }

    [stand_in] fn a_changed_amount_is_found(builder: Builder) {
        finds(
            builder,
            "UPDATE ledger SET amount = amount + 1 WHERE kind = 'top-up'",
            &["each entry's balance", "every posting", "every paid order", "every credit", "the seal of"],
        );
    }

    [stand_in] fn a_change_that_fits_is_found_by_its_seal(builder: Builder) {
        finds(
            builder,
            "UPDATE ledger SET created_at = created_at + 1 WHERE kind = 'top-up'",
            &["the seal of"],
        );
    }

    [stand_in] fn a_seal_made_up_is_found(builder: Builder) {
        finds(
            builder,
            "UPDATE ledger_seals SET seal = digest WHERE entries > 0",
            &["the seal of"],
        );
    }

    [stand_in] fn a_deleted_posting_is_found(builder: Builder) {
        finds(
            builder,
            "DELETE FROM ledger WHERE kind IN ('tip-given', 'tip-received')",
            &["each account's entries", "the seal of"],
        );
    }

    [stand_in] fn a_credit_that_nobody_paid_is_found(builder: Builder) {
        finds(
            builder,
            "UPDATE orders SET provider_id = NULL WHERE status = 'paid'",
            &["every credit is paid"],
        );
    }

    [stand_in] fn a_credit_that_is_not_its_orders_is_found(builder: Builder) {
        finds(
            builder,
            "UPDATE orders SET status = 'closed', coins = coins - 1 WHERE channel = 'alipay-app'",
            &["every credit is paid, and what its order says"],
        );
    }

    [stand_in] fn a_credit_of_somebody_elses_order_is_found(builder: Builder) {
        finds(
            builder,
            "UPDATE orders SET status = 'closed', holder = '0198c5a0-0000-4000-8000-000000000000' \
             WHERE channel = 'apple'",
            &["every credit is paid, and what its order says", "every refund took its coins"],
        );
    }

    [stand_in] fn a_refund_that_did_not_stand_and_was_not_reversed_is_found(builder: Builder) {
        finds(
            builder,
            "DELETE FROM ledger WHERE kind LIKE '%refund-reversal'",
            &["every refund that did not stand was reversed", "the seal of"],
        );
    }

    // While it serves, a refund is written a moment before its entry.
    [stand_in] fn a_refund_of_this_minute_may_be_on_its_way_into_the_ledger(builder: Builder) {
        let shop = open(builder);
        let (_, id) = buyer(&shop);
        refund(&shop.app, &id, &json!({ "amount_fen": 200 })).expect(200);
        tamper(&shop.app, "DELETE FROM ledger WHERE kind LIKE '%refund'");
        // It is still to be looked at, and happened yesterday, as institutions can say.
        shop.app.database().rows(
            "UPDATE refunds SET look_at = happened_at + 60000, happened_at = happened_at - 86400000 RETURNING id",
        );
        let (is_content, said) = shop.app.ledger_check_at(&now(&shop.app));
        assert!(is_content, "{said}");
        shop.app.clock().advance(MINUTE * 3);
        let (is_content, said) = shop.app.ledger_check_at(&now(&shop.app));
        assert!(!is_content && said.contains("WRONG    every refund took its coins"), "{said}");
    }

    [stand_in] fn a_reversal_of_a_refund_that_stood_is_found(builder: Builder) {
        finds(
            builder,
            "UPDATE orders SET refund_reversed_at = NULL",
            &["only refunds that did not stand were reversed"],
        );
    }

    [stand_in] fn more_given_back_than_was_paid_is_found(builder: Builder) {
        finds(
            builder,
            "UPDATE refunds SET fen = 601 WHERE fen = 200",
            &["no order gave back more than its price"],
        );
    }

    // clause D2
    [stand_in] fn after_three_years_the_ledger_stands_alone(builder: Builder) {
        let shop = lived_in(builder);
        shop.app.database().rows("DELETE FROM refunds");
        shop.app.database().rows("DELETE FROM orders");
        for (time, is_right) in [("now", false), ("1000 days", false), ("4 years", true)] {
            let (is_content, said) = shop.app.ledger_check_at(time);
            assert_eq!(is_content, is_right, "{time}: {said}");
            for what in ["every credit is paid", "no coins were taken without a refund"] {
                assert_eq!(said.contains(&format!("WRONG    {what}")), !is_right, "{time}: {said}");
            }
        }
    }
}
