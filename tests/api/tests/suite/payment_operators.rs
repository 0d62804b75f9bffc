//! What operators see and do about payments: who may, and the trail that it leaves (clause C1).

use std::collections::HashSet;

use api_tests::{ACCOUNTANT, ADMIN, Answer, App, Builder, REVIEWER, on_both_engines};
use serde_json::{Value, json};

use crate::operators::new_record;
use crate::payment::{Shop, buyer, fresh_key, open, snapshot};

const UNKNOWN: &str = "0198c5a0-0000-7000-8000-00000000000f";
const AUDITED: &str = "SELECT COUNT(*) FROM operator_audit";

/// A request of an operator, and what the audit calls it and its subject.
struct Deed {
    method: &'static str,
    path: String,
    record: (&'static str, String),
}

impl Deed {
    fn send(&self, app: &App, token: Option<&str>) -> Answer {
        let request = app.request(self.method, &self.path);
        let request = token
            .into_iter()
            .fold(request, |request, token| request.token(token));
        match self.method {
            "GET" => request.send(),
            _ => request
                .header("idempotency-key", &fresh_key())
                .json(&json!({})),
        }
    }
}

/// Everything that an operator can do about payments, and about this order.
fn deeds(id: &str) -> [Deed; 4] {
    let deed = |method, path: String, action, subject: &str| Deed {
        method,
        path,
        record: (action, subject.to_owned()),
    };
    [
        deed(
            "GET",
            format!("/v1/operator/orders/{id}/refunds"),
            "order-refunds",
            id,
        ),
        deed(
            "GET",
            "/v1/operator/payment-anomalies".to_owned(),
            "payment-anomalies",
            "list",
        ),
        deed(
            "POST",
            "/v1/operator/ledger-seals".to_owned(),
            "ledger-seal",
            "ledger",
        ),
        deed(
            "POST",
            format!("/v1/operator/orders/{id}/refund"),
            "order-refund",
            id,
        ),
    ]
}

fn bought(builder: Builder) -> (Shop, String, String) {
    let shop = open(builder);
    let (person, id) = buyer(&shop);
    (shop, person.token, id)
}

on_both_engines! {
    // clause C1
    fn only_operators_come_in(builder: Builder) {
        let (shop, session, id) = bought(builder);
        let before = snapshot(&shop.app);
        for deed in deeds(&id) {
            for token in [None, Some(session.as_str()), Some(""), Some("token-of-nobody")] {
                deed.send(&shop.app, token).expect_problem(401, "unauthenticated");
            }
            deed.send(&shop.app, Some(ACCOUNTANT.token)).expect_problem(403, "operator-role");
        }
        assert_eq!(shop.app.database().count(AUDITED), 0);
        assert_eq!(snapshot(&shop.app), before);
        assert!(shop.alipay.calls("alipay.trade.refund").is_empty());
    }

    // clause C1
    fn every_look_and_deed_is_recorded_with_its_operator(builder: Builder) {
        let (shop, _, id) = bought(builder);
        let mut seen = HashSet::new();
        for subject in [UNKNOWN, id.as_str()] {
            for operator in [REVIEWER, ADMIN] {
                for deed in deeds(subject) {
                    let answer = deed.send(&shop.app, Some(operator.token));
                    assert!(matches!(answer.status, 200 | 404 | 409), "{answer:?}");
                    let (action, subject) = &deed.record;
                    assert_eq!(new_record(&shop.app, &mut seen), [operator.name, action, subject]);
                }
            }
        }
    }

    // clause C1
    [stand_in] fn without_a_record_nothing_is_shown_or_done(builder: Builder) {
        let (shop, _, id) = bought(builder);
        let database = match shop.app.database().engine() {
            api_tests::Engine::Sqlite => "sqlite",
            api_tests::Engine::Postgres => "postgres",
        };
        let before = snapshot(&shop.app);
        for deed in deeds(&id) {
            // The record is the first that is written: until then nothing is shown.
            let mut unrecorded = 0;
            for nth in 1..=3 {
                let audited = shop.app.database().count(AUDITED);
                shop.app.faults().error(database, nth);
                let answer = deed.send(&shop.app, Some(ADMIN.token));
                shop.app.faults().clear();
                if shop.app.database().count(AUDITED) == audited {
                    assert!(answer.status >= 500, "{} {nth}: {answer:?}", deed.path);
                    assert_eq!(snapshot(&shop.app), before);
                    unrecorded += 1;
                }
            }
            // Opening the database, and the record itself, at the least.
            assert!(unrecorded >= 2, "{}: {unrecorded}", deed.path);
        }
    }

    fn an_orders_refunds_are_listed(builder: Builder) {
        let (shop, _, id) = bought(builder);
        let path = format!("/v1/operator/orders/{id}/refunds");
        let list = || shop.app.get(&path, ADMIN.token).expect(200).json;
        assert_eq!(list(), json!({ "items": [] }));
        let done = crate::payment::refund(&shop.app, &id, &json!({ "amount_fen": 200 })).expect(200);
        assert_eq!(list()["items"], Value::Array(vec![done.json.clone()]));
        assert_eq!(done.text("/number"), done.text("/id").replace('-', ""));
        let unknown = format!("/v1/operator/orders/{UNKNOWN}/refunds");
        shop.app.get(&unknown, ADMIN.token).expect_problem(404, "not-found");
    }
}
