//! What is left of somebody who has left: nothing in the database, the key-value store, the uploads, the logs and the
//! raw files; nothing readable in a backup from before; and nothing that links what the law keeps.

use std::collections::BTreeSet;

use api_tests::{
    ADMIN, App, Builder, Cell, DAY, Device, POLICY_VERSION, Person, REVIEWER, SECOND,
    mobile_number, on_both_engines,
};
use serde_json::{Value, json};
use shared::data_map::{Holding, OnDeletion, TABLES};

use crate::deletion::{ask, exists, log_in_again, replay, rows_of, take_back};
use crate::everything::{self, plant};
use crate::identity::{completed, id_number};
use crate::payment::{COINS, Shop, buy, buyer, ledger_holds, open, order, post, refund, wallet};
use crate::pictures::png;
use crate::privacy::{forms, is_in_no_file, is_in_no_row};
use crate::retention::sweep_all;
use crate::uploads::slots;

/// What must not be found anywhere afterwards.
type Markers = Vec<(&'static str, Vec<u8>)>;

const PROFILE: &[(&str, &str)] = &[
    ("real_name", "欧阳独一"),
    ("company", "独一无二信息公司"),
    ("job_title", "首席标记官"),
    ("motto", "标记座右铭"),
    ("about", "标记自我介绍"),
    ("offers", "标记可提供"),
    ("needs", "标记需求"),
    ("birthday", "1987-06-05"),
    ("education", "标记大学"),
];
const HOBBIES: [&str; 2] = ["标记爱好甲", "标记爱好乙"];
const PASSWORD: &str = "marker-password-4711";
const COMPANY: &str = "厦门标记科技有限公司";
const USCC: &str = "91350100M000100Y43";
const NOTES: [&str; 2] = ["标记赠言去", "标记赠言来"];

/// The body of a login on a device that is a marker itself.
fn login(phone: &str, code: &str, nth: u8) -> Value {
    let named = |what: &str| format!("marker-{what}-{nth}");
    json!({
        "phone": phone, "code": code, "policy_version": POLICY_VERSION,
        "device": {
            "id": named("device"), "model": named("model"), "os": named("os"), "app_version": named("version"),
        },
    })
}

fn log_in(app: &App, phone: &str, nth: u8, markers: &mut Markers) -> Person {
    let code = app.sms_code(phone, "login");
    let answer = app.post("/v1/auth/sessions", &login(phone, &code, nth));
    for what in ["device", "model", "os", "version"] {
        markers.push(("device", format!("marker-{what}-{nth}").into_bytes()));
    }
    let person = Person::of(phone, &answer.expect(201));
    markers.push(("token", person.token.clone().into_bytes()));
    person
}

/// The one value that a statement answers.
fn value(app: &App, statement: &str) -> Cell {
    let rows = app.database().rows(statement);
    assert_eq!(rows.len(), 1, "{statement}");
    rows[0][0].clone()
}

fn fill_in_profile(app: &App, person: &Person, avatar: &str, markers: &mut Markers) {
    let mut profile = json!({
        "avatar": format!("upload:{avatar}"), "gender": "female", "hometown": "350203", "city": "350200",
        "hobbies": HOBBIES, "industries": ["人工智能"],
    });
    for (field, value) in PROFILE {
        profile[field] = (*value).into();
        markers.push(("profile", value.as_bytes().to_vec()));
    }
    markers.extend(HOBBIES.map(|hobby| ("profile", hobby.as_bytes().to_vec())));
    let patch = app.request("PATCH", "/v1/profile").token(&person.token);
    patch
        .body("application/merge-patch+json", profile.to_string())
        .send()
        .expect(200);
}

fn upload(app: &App, person: &Person, kind: &str, markers: &mut Markers) -> String {
    let pixels = format!("marker pixels of {kind}");
    let id = app.upload(person, kind, "image/png", &png(&pixels));
    markers.push(("pixels", pixels.into_bytes()));
    markers.push(("upload", id.clone().into_bytes()));
    id
}

fn verify(shop: &Shop, person: &Person, markers: &mut Markers) {
    let app = &shop.app;
    let number = id_number();
    let body = json!({
        "name": PROFILE[0].1, "id_number": number, "return_url": "chuangrenmai://verification",
    });
    let asked = app.request("POST", "/v1/verifications/real-name");
    let answer = asked.token(&person.token).json(&body).expect(201);
    let link = answer.text("/certify_url");
    let certify_id = shop.alipay.check_link(&link).expect("a link");
    shop.alipay.pass(&certify_id);
    completed(app, &shop.alipay, &certify_id).expect(200);
    let body = json!({
        "company_name": COMPANY, "uscc": USCC,
        "business_card": upload(app, person, "business-card", markers),
        "licence": upload(app, person, "licence", markers),
    });
    let asked = app.request("POST", "/v1/verifications/enterprise");
    let review = asked
        .token(&person.token)
        .json(&body)
        .expect(201)
        .text("/id");
    app.get(&format!("/v1/operator/reviews/{review}"), REVIEWER.token)
        .expect(200);
    for text in [number.as_str(), &certify_id, COMPANY, USCC] {
        markers.push(("verification", text.as_bytes().to_vec()));
    }
}

/// Gifts and tips both ways, orders that were paid, paid back, and that wait.
fn spend(shop: &Shop, person: &Person, other: &Person, markers: &mut Markers) {
    let app = &shop.app;
    buy(shop, person);
    let returned = buy(shop, person);
    refund(app, &returned, &json!({ "amount_fen": 200 })).expect(200);
    order(app, person, "wechat-app").expect(201);
    for ((from, to), note) in [(person, other), (other, person)].into_iter().zip(NOTES) {
        let gift = json!({ "to": to.account_id, "gift": "flower", "note": note });
        post(app, from, "/v1/gifts", &gift).expect(201);
        let tip = json!({ "to": to.account_id, "coins": 1, "target": person.account_id });
        post(app, from, "/v1/tips", &tip).expect(201);
        markers.push(("note", note.as_bytes().to_vec()));
    }
}

/// A request, a copy, a notice; the other's report of the person.
fn ask_and_be_told(app: &App, person: &Person, other: &Person, markers: &mut Markers) {
    let ask = |asking: &Person, path: &str, body: Value| {
        let request = app.request("POST", path).token(&asking.token);
        assert!(request.json(&body).status < 300, "{path}");
    };
    let complaint = json!({ "kind": "complaint", "text": "标记投诉内容" });
    ask(person, "/v1/requests", complaint);
    let report = json!({
        "kind": "report", "reason": "minor", "subject": person.account_id, "text": "标记举报内容",
    });
    ask(other, "/v1/requests", report);
    ask(
        person,
        "/v1/account/exports",
        json!({ "email": "marker-export@example.cn" }),
    );
    let breach = json!({
        "what_happened": "日志被未授权访问", "possible_effects": "可能收到诈骗短信",
        "measures": "已停用该服务器", "advice": "建议重设密码", "remedies": "免费的安全检查",
        "contact": "jsdclub@163.com", "is_public": false,
        "affected": { "accounts": [person.account_id] },
    });
    let issue = app.request("POST", "/v1/operator/breach-notices");
    let issue = issue.token(ADMIN.token).header("idempotency-key", "breach");
    issue.json(&breach).expect(201);
    sweep_all(app);
    for text in ["标记投诉内容", "marker-export@example.cn"] {
        markers.push(("words", text.as_bytes().to_vec()));
    }
    for sealed in [
        "SELECT email FROM exports",
        "SELECT token_hash FROM exports",
        "SELECT content FROM export_parts WHERE ordinal = 0",
    ] {
        markers.push(("export", value(app, sealed).bytes()));
    }
}

/// Someone with something in every table and every store.
fn someone_with_everything(shop: &Shop, other: &Person) -> (Person, Markers) {
    let app = &shop.app;
    let mut markers = Markers::new();
    let phone = mobile_number();
    log_in(app, &phone, 1, &mut markers);
    let person = log_in(app, &phone, 2, &mut markers);
    app.set_password(&person, PASSWORD).expect(204);
    let avatar = upload(app, &person, "avatar", &mut markers);
    upload(app, &person, "image", &mut markers);
    fill_in_profile(app, &person, &avatar, &mut markers);
    for purpose in [
        "real-name-verification",
        "enterprise-verification",
        "location",
    ] {
        app.consent(&person, purpose, true).expect(200);
    }
    app.locate(&person, 24.4798, 118.0894).expect(200);
    verify(shop, &person, &mut markers);
    spend(shop, &person, other, &mut markers);
    ask_and_be_told(app, &person, other, &mut markers);
    for (blocker, blocked) in [(&person, other), (other, &person)] {
        let block = format!("/v1/blocks/{}", blocked.account_id);
        let request = app.request("PUT", &block).token(&blocker.token);
        request.send().expect(204);
    }
    let id = &person.account_id;
    let read = |statement: String| value(app, &statement).bytes();
    markers.push(("account", id.clone().into_bytes()));
    let raw: uuid::Uuid = id.parse().expect("an identifier");
    markers.push(("account", raw.as_bytes().to_vec()));
    markers.push((
        "phone hash",
        read(format!("SELECT phone_hash FROM accounts WHERE id = '{id}'")),
    ));
    markers.push((
        "sealed phone",
        read(format!("SELECT phone FROM accounts WHERE id = '{id}'")),
    ));
    markers.push((
        "token hash",
        read(format!(
            "SELECT token_hash FROM sessions WHERE account_id = '{id}' ORDER BY id DESC LIMIT 1"
        )),
    ));
    let key = format!(
        "person-key:{}",
        value(
            app,
            &format!("SELECT person_key_id FROM accounts WHERE id = '{id}'")
        )
    );
    let (_, wrapped) = app
        .key_value()
        .into_iter()
        .find(|(name, _)| *name == key)
        .expect("the key");
    markers.push(("key", wrapped));
    markers.push(("password", PASSWORD.as_bytes().to_vec()));
    markers.extend(forms(&phone).into_iter().map(|form| ("phone", form)));
    (person, markers)
}

/// Every table in which the person must have something, to see that nothing was forgotten.
fn has_everything(app: &App, person: &Person) {
    for table in [
        "accounts",
        "policy_consents",
        "devices",
        "sessions",
        "sms_codes",
        "disclosures",
        "profiles",
        "consents",
        "consent_events",
        "uploads",
        "verification_claims",
        "verifications",
        "verification_photos",
        "operator_audit",
        "blocks",
        "locations",
        "wallets",
        "refunds",
        "orders",
        "ledger",
        "gifts",
        "payment_notifications",
        "exports",
        "export_parts",
        "requests",
        "notices",
        "rate_limits",
        "idempotency_keys",
    ] {
        assert!(
            app.database()
                .count(&format!("SELECT COUNT(*) FROM {table}"))
                > 0,
            "{table}"
        );
    }
    for table in [
        "policy_consents",
        "devices",
        "sessions",
        "profiles",
        "consents",
        "consent_events",
        "uploads",
        "verification_claims",
        "verifications",
        "blocks",
        "locations",
        "wallets",
        "exports",
        "requests",
        "notices",
    ] {
        assert!(rows_of(app, table, &person.account_id) > 0, "{table}");
    }
    assert!(slots(app) >= 4);
}

/// The tables in which a text stands.
fn tables_with(app: &App, text: &str) -> Vec<String> {
    let tables = app.database().schema().into_iter().map(|(table, _)| table);
    let holds = |table: &String| {
        let rows = app.database().rows(&format!("SELECT * FROM {table}"));
        rows.iter()
            .flatten()
            .any(|cell| cell.to_string().contains(text))
    };
    tables.filter(holds).collect()
}

/// Every row of a table, whole.
fn all_rows(app: &App, table: &str) -> Vec<Vec<Cell>> {
    app.database().rows(&format!("SELECT * FROM {table}"))
}

/// A person's rows of a table, whole, as the map finds them.
fn rows_by_map(app: &App, person: &Person, table: &Holding) -> Vec<Vec<Cell>> {
    app.database()
        .rows(&everything::copy_of(person, table).expect("it has a copy"))
}

/// The moments in a row: its times, and those that its identifiers begin with.
fn moments(row: &[Cell]) -> BTreeSet<i64> {
    let moment = |cell: &Cell| match cell {
        Cell::Integer(millis) if *millis > 1_000_000_000_000 => Some(*millis),
        Cell::Text(text) => {
            let id: uuid::Uuid = text.parse().ok()?;
            let millis = i64::try_from(id.as_u128() >> 80).ok()?;
            (id.get_version_num() == 7).then_some(millis)
        }
        _ => None,
    };
    row.iter().filter_map(moment).collect()
}

/// What stands in the rows that have this text in a cell, over all tables.
fn rows_with(app: &App, text: &str) -> Vec<Vec<Cell>> {
    let tables = app.database().schema().into_iter();
    let rows = tables.flat_map(|(table, _)| all_rows(app, &table));
    rows.filter(|row| row.iter().any(|cell| cell.to_string() == text))
        .collect()
}

on_both_engines! {
    // clause R5, L5
    fn each_table_does_on_deletion_what_the_map_says(builder: Builder) {
        let shop = open(builder.variable("deletion_grace_days", "0"));
        let planted = plant(&shop);
        let (app, person) = (&shop.app, &planted.person);
        let id = &person.account_id;
        let read = |column: &str| value(app, &format!("SELECT {column} FROM accounts WHERE id = '{id}'"));
        let leads = [Cell::Text(id.clone()), read("phone_hash"), read("phone"), read("person_key_id")];
        let holder = value(app, &format!("SELECT holder FROM wallets WHERE account_id = '{id}'"));
        let before: Vec<_> = everything::copied().map(|table| {
            let rows = rows_by_map(app, person, table);
            assert!(!rows.is_empty(), "{}: nothing is planted", table.name);
            (table, rows, all_rows(app, table.name).len())
        }).collect();
        ask(app, person, true).expect(202);
        for (table, rows, count) in &before {
            let left = all_rows(app, table.name);
            match table.on_deletion {
                OnDeletion::Deleted | OnDeletion::Expires => {
                    assert!(rows.iter().all(|row| !left.contains(row)), "{}", table.name);
                    assert!(left.len() + rows.len() <= *count, "{}: they have others' names", table.name);
                }
                OnDeletion::Kept => assert_eq!(left.len(), *count, "{}", table.name),
            }
        }
        for table in TABLES {
            for cell in all_rows(app, table.name).iter().flatten() {
                // By the key's name a restored backup is known to be one of before: it opens nothing.
                let is_keys_name = ["deletions", "erasures"].contains(&table.name) && *cell == leads[3];
                assert!(is_keys_name || !leads.contains(cell), "{}: {cell:?}", table.name);
                assert!(*cell != holder || table.on_deletion == OnDeletion::Kept, "{}", table.name);
            }
        }
    }

    // clause R5, L5
    [stand_in] fn what_is_kept_of_money_and_of_consents_has_no_moment_in_common(builder: Builder) {
        let shop = open(builder);
        let app = &shop.app;
        app.clock().stop();
        let then = || app.clock().advance(SECOND);
        let person = app.someone();
        then();
        app.complete_profile(&person);
        then();
        app.consent(&person, "location", true).expect(200);
        then();
        buy(&shop, &person);
        then();
        let returned = buy(&shop, &person);
        then();
        refund(app, &returned, &json!({ "amount_fen": 200 })).expect(200);
        then();
        app.consent(&person, "location", false).expect(200);
        then();
        let other = app.someone();
        app.complete_profile(&other);
        then();
        post(app, &person, "/v1/tips", &json!({ "to": other.account_id, "coins": 1 })).expect(201);
        then();
        order(app, &person, "wechat-app").expect(201);
        let holder = value(app, &format!(
            "SELECT holder FROM wallets WHERE account_id = '{}'", person.account_id)).to_string();
        then();
        ask(app, &person, true).expect(202);
        then();
        let again = log_in_again(app, &person);
        take_back(app, &again).expect(204);
        then();
        ask(app, &again, true).expect(202);
        app.clock().advance(8 * DAY);
        sweep_all(app);
        assert!(!exists(app, &person.account_id));
        let pseudonym = value(app, "SELECT pseudonym FROM deletions").to_string();
        let [of_money, of_consents] = [holder, pseudonym].map(|name| rows_with(app, &name));
        assert!(of_money.len() >= 6 && of_consents.len() >= 4, "{of_money:?} {of_consents:?}");
        let moments = |rows: &[Vec<Cell>]| rows.iter().flat_map(|row| moments(row)).collect::<BTreeSet<_>>();
        let [of_money, of_consents] = [moments(&of_money), moments(&of_consents)];
        assert!(of_money.len() >= 4 && of_consents.len() >= 3, "{of_money:?} {of_consents:?}");
        assert!(of_money.is_disjoint(&of_consents), "{of_money:?} {of_consents:?}");
    }

    // clause R5, C1, L5
    fn nothing_is_left_of_who_has_left(builder: Builder) {
        let mut shop = open(builder.variable("deletion_grace_days", "0"));
        let (other, _) = buyer(&shop);
        let (person, markers) = someone_with_everything(&shop, &other);
        assert!(markers.len() >= 40, "{}", markers.len());
        has_everything(&shop.app, &person);
        let holder = value(&shop.app, &format!(
            "SELECT holder FROM wallets WHERE account_id = '{}'", person.account_id)).to_string();
        ask(&shop.app, &person, true).expect(202);

        for (name, marker) in &markers {
            println!("{name}");
            is_in_no_row(&shop.app, marker);
        }
        assert_eq!(slots(&shop.app), 0);
        assert_eq!(shop.app.database().count("SELECT COUNT(*) FROM uploads"), 0);
        // What the law keeps of money has a holder, who leads to nobody.
        assert_eq!(tables_with(&shop.app, &holder), ["ledger", "orders"]);
        let requests = |whose: &str| {
            shop.app.database().count(&format!("SELECT COUNT(*) FROM requests WHERE subject IS NULL AND {whose}"))
        };
        assert_eq!((requests("account_id IS NULL"), requests("account_id IS NOT NULL")), (1, 1));
        // What it keeps of consents has another pseudonym, which stands beside nothing else.
        let pseudonym = value(&shop.app, "SELECT pseudonym FROM deletions").to_string();
        assert_eq!(tables_with(&shop.app, &pseudonym), ["consent_events", "deletions", "policy_consents"]);
        assert_ne!(pseudonym, holder);
        ledger_holds(&shop.app);
        let recipients = shop.app.database().rows("SELECT recipient FROM recipient_notices ORDER BY recipient");
        let recipients: Vec<_> = recipients.iter().map(|row| row[0].to_string()).collect();
        assert_eq!(recipients, ["alipay", "wechat-pay"]);
        // The other keeps what is the other's.
        assert!(wallet(&shop.app, &other).0 > 0);

        shop.app.stop();
        let (is_content, said) = shop.app.compact();
        assert!(is_content, "{said}");
        for (name, marker) in &markers {
            println!("{name} in files");
            is_in_no_file(&shop.app, marker);
        }
        shop.app.restart(&[]);
        let new = log_in_again(&shop.app, &person);
        assert_ne!(new.account_id, person.account_id);
        assert_eq!(wallet(&shop.app, &new), (0, 0));
        assert_eq!(shop.app.get("/v1/auth/sessions/current", &new.token).expect(200).json["new_devices"], json!([]));
    }

    // clause R5, C1
    [stand_in] fn sessions_that_ended_long_ago_are_in_no_key(builder: Builder) {
        let app = builder.variable("deletion_grace_days", "0").with_operators().start();
        app.clock().stop();
        let person = app.someone();
        app.get("/v1/profile", &person.token).expect(200);
        let session = app.database().rows("SELECT id, token_hash FROM sessions")[0].clone();
        let raw = |id: &str| id.parse::<uuid::Uuid>().expect("an identifier").as_bytes().to_vec();
        let markers = [raw(&person.account_id), raw(&session[0].to_string()), session[1].bytes()];
        let is_cached = || app.key_value().iter().filter(|(key, _)| key.starts_with("session:")).count();
        assert_eq!(is_cached(), 1);
        app.clock().advance(31 * DAY);
        sweep_all(&app);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM sessions"), 0);
        let again = app.log_in_on(&person.phone, &Device::new("device-2"));
        assert_eq!(again.account_id, person.account_id);
        ask(&app, &again, false).expect(202);
        for marker in &markers {
            is_in_no_row(&app, marker);
        }
        assert_eq!(is_cached(), 0);
    }

    // clause R5, R8, C1
    fn a_backup_from_before_is_unreadable_and_the_deletion_is_replayed(builder: Builder) {
        let mut shop = open(builder.variable("deletion_grace_days", "0"));
        let (other, _) = buyer(&shop);
        let (person, _) = someone_with_everything(&shop, &other);
        let claim = format!(
            "SELECT id FROM verification_claims WHERE account_id = '{}' ORDER BY id LIMIT 1", person.account_id);
        let claim = value(&shop.app, &claim).to_string();
        let verification = format!("/v1/verifications/{claim}");
        shop.app.get(&verification, &person.token).expect(200);
        shop.app.stop();
        let backup = shop.app.database().back_up();
        shop.app.restart(&[]);
        ask(&shop.app, &person, true).expect(202);
        let later = shop.app.someone();
        shop.app.stop();
        shop.app.database().restore(&backup);
        shop.app.restart(&[]);
        let app = &shop.app;
        // Everything is back, with the application's key; what is sensitive does not open.
        assert!(exists(app, &person.account_id));
        app.get("/v1/profile", &person.token).expect(200);
        app.get("/v1/auth/sessions/current", &person.token).expect_problem(404, "not-found");
        app.get(&verification, &person.token).expect_problem(404, "not-found");
        assert!(!exists(app, &later.account_id));

        let (is_content, said) = app.replay_deletions(ADMIN.token);
        assert!(is_content && said.contains("deleted again: 1"), "{said}");
        assert!(!exists(app, &person.account_id));
        for table in ["sessions", "profiles", "policy_consents", "consent_events"] {
            assert_eq!(rows_of(app, table, &person.account_id), 0, "{table}");
        }
        app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
        assert_eq!(wallet(app, &other).0, COINS);
        assert_eq!(replay(app), (0, 0));
        ledger_holds(app);
        let (is_content, said) = app.replay_deletions("nobody");
        assert!(!is_content && said.contains("unauthenticated"), "{said}");
    }

    // clause R8
    fn many_deletions_are_replayed_page_by_page(builder: Builder) {
        let builder = builder.variable("deletion_grace_days", "0").with_operators();
        let mut app = builder.start();
        let people: Vec<_> = (0..12).map(|_| app.someone()).collect();
        let stays = app.someone();
        app.stop();
        let backup = app.database().back_up();
        app.restart(&[]);
        for person in &people {
            ask(&app, person, false).expect(202);
        }
        app.stop();
        app.database().restore(&backup);
        app.restart(&[]);
        assert_eq!(replay(&app), (12, 0));
        assert_eq!(app.database().count("SELECT COUNT(*) FROM accounts"), 1);
        app.get("/v1/profile", &stays.token).expect(200);
    }

    // clause R8
    fn a_key_that_is_merely_missing_deletes_nobody(builder: Builder) {
        let app = builder.variable("person_key_store", "sql").with_operators().start();
        let person = app.someone();
        app.database().rows("DELETE FROM person_keys WHERE id IS NOT NULL RETURNING id");
        assert_eq!(replay(&app), (0, 1));
        assert!(exists(&app, &person.account_id));
        let (is_content, said) = app.replay_deletions(ADMIN.token);
        assert!(is_content && said.contains("keys are missing, and that stay: 1"), "{said}");
    }
}
