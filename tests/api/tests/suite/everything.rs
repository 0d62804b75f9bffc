//! A person of whom everything is held: a value in every column that a copy has.

use api_tests::{Cell, Device, Person, mobile_number};
use serde_json::{Map, Value, json};
use shared::data_map::{Holding, TABLES};
use shared::sql::Parameter;
use shared::time::Timestamp;

use crate::identity::id_number;
use crate::payment::{Shop, buy, post};
use crate::pictures::png;
use crate::reviews::{photo, submit_documents};

/// What is sealed of the person, in the clear.
pub struct Planted {
    pub person: Person,
    /// Whom the person blocked and gave to.
    pub other: Person,
    /// The pixels of the avatar.
    pub avatar: &'static str,
    pub avatar_id: String,
    /// Texts that only sealed columns hold.
    pub sealed: Vec<String>,
}

/// Plants it: through the API where it has a door, else behind the application's back.
pub fn plant(shop: &Shop) -> Planted {
    let app = &shop.app;
    let person = app.log_in_on(&mobile_number(), &Device::new("planted-device"));
    let other = app.someone();
    app.complete_profile(&other);
    let avatar_id = app.upload(&person, "avatar", "image/png", &png("planted-avatar"));
    fill_profile(shop, &person, &avatar_id);
    app.set_password(&person, "planted-password-1").expect(204);
    for purpose in shared::consent::Purpose::ALL {
        let terms = purpose.terms();
        if terms.kind != shared::consent::Kind::Basic {
            app.consent(&person, terms.name, true).expect(200);
        }
    }
    app.locate(&person, 24.4798, 118.0894).expect(200);
    let block = format!("/v1/blocks/{}", other.account_id);
    app.upload(&person, "image", "image/png", &png("planted-image"));
    let photos = [photo(app, &person, "appeal")];
    submit_documents(app, &person, &id_number(), &photos).expect(201);
    let order = buy(shop, &person);
    let gift = json!({ "to": other.account_id, "gift": "flower", "note": "planted-note" });
    post(app, &person, "/v1/gifts", &gift).expect(201);
    let tip = json!({ "to": other.account_id, "coins": 1, "target": other.account_id });
    post(app, &person, "/v1/tips", &tip).expect(201);
    app.request("PUT", &block)
        .token(&person.token)
        .send()
        .expect(204);
    let sealed = plant_behind(shop, &person, &other, &order);
    Planted {
        person,
        other,
        avatar: "planted-avatar",
        avatar_id,
        sealed,
    }
}

fn fill_profile(shop: &Shop, person: &Person, avatar_id: &str) {
    let profile = json!({
        "avatar": format!("upload:{avatar_id}"), "gender": "female", "real_name": api_tests::REAL_NAME,
        "company": "planted-company", "job_title": "planted-title", "motto": "planted-motto",
        "about": "planted-about", "offers": "planted-offers", "needs": "planted-needs",
        "birthday": "1990-05-17", "hometown": "350203", "city": "350200", "hobbies": ["planted-hobby"],
        "industries": ["planted-industry"], "education": "planted-education",
    });
    shop.app
        .request("PATCH", "/v1/profile")
        .token(&person.token)
        .body("application/merge-patch+json", profile.to_string())
        .send()
        .expect(200);
}

fn plant_behind(shop: &Shop, person: &Person, other: &Person, order: &str) -> Vec<String> {
    let app = &shop.app;
    let (account, database) = (&person.account_id, app.database());
    let id = |nth: u8| format!("0198c5a0-0000-7000-8000-0000000000{nth:02}");
    let sealed = |table: &str, column: &str, nth: u8, text: &str| {
        app.sealed(person, &format!("{table}.{column}:{}", id(nth)), text)
    };
    let far = 4_000_000_000_000_i64;
    for statement in [
        format!(
            "INSERT INTO refunds VALUES ('{}', '{order}', 1, 'planted-refund', 100, 1, 'succeeded', 1, 2, NULL) \
             RETURNING id",
            id(1)
        ),
        format!(
            "UPDATE orders SET refund_reversed_at = 3, product = 'planted-product' WHERE id = '{order}' RETURNING id"
        ),
        format!(
            "UPDATE verification_claims SET reason = 'planted-reason', expires_at = {far}, decided_at = 4 \
             WHERE account_id = '{account}' RETURNING id"
        ),
        format!(
            "INSERT INTO requests (id, account_id, kind, reason, subject, text, status, identity, received_at, \
               due_at, calendar, closed_at, refusal, answer, fee_fen, fee_reason) \
             VALUES ('{}', '{account}', 'report', 'planted-reason', '{}', {}, 'refused', 'session', 5, 6, \
               'planted-calendar', 7, 'planted-refusal', {}, 8, {}) RETURNING id",
            id(2),
            other.account_id,
            sealed("requests", "text", 2, "planted-request"),
            sealed("requests", "answer", 2, "planted-answer"),
            sealed("requests", "fee_reason", 2, "planted-fee"),
        ),
        format!(
            "INSERT INTO announcements (id, cause, kind, content, is_public, audience, step, created_at, delivered_at) \
             VALUES ('{}', 'planted-cause', 'breach', '{{}}', 0, '{{}}', '', 9, 10) RETURNING id",
            id(3)
        ),
        format!(
            "INSERT INTO notices VALUES ('{account}', '{}', 11, 12, 'planted-status', 13) RETURNING account_id",
            id(3)
        ),
        format!(
            "INSERT INTO exports VALUES ('{}', '{account}', {}, 'ready', '', 0, NULL, 14, 14, 15, 16, {far}) RETURNING id",
            id(4),
            sealed("exports", "email", 4, "planted@example.cn"),
        ),
    ] {
        database.rows(&statement);
    }
    [
        "planted-request",
        "planted-answer",
        "planted-fee",
        "planted@example.cn",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([person.phone.clone()])
    .collect()
}

/// The columns in which nothing stands while an account is neither closing nor frozen.
pub const EMPTY: [&str; 2] = ["accounts.closes_at", "accounts.frozen_at"];

/// The tables that a copy has.
pub fn copied() -> impl Iterator<Item = &'static Holding> {
    TABLES.iter().filter(|table| table.copy.is_some())
}

/// The statement that finds a person's rows of a table, with its values; `None` for a table without one.
pub fn copy_of(person: &Person, table: &Holding) -> Option<String> {
    let copy = table.copy.as_ref()?;
    let account_id = person.account_id.parse().expect("an identifier");
    let mut statement = copy.statement().sqlite().to_owned();
    let parameters = copy.page(account_id, "", 100_000);
    for (number, parameter) in parameters.iter().enumerate().rev() {
        let text = match parameter {
            Parameter::Text(text) => format!("'{text}'"),
            Parameter::Integer(integer) => integer.to_string(),
            other => panic!("{other:?}"),
        };
        statement = statement.replace(&format!("${}", number + 1), &text);
    }
    Some(statement)
}

/// A person's rows of a table as the database has them: the copy's columns, in the form of a copy. What is sealed is
/// left out.
pub fn rows(shop: &Shop, person: &Person, table: &Holding) -> Vec<Map<String, Value>> {
    let statement = copy_of(person, table).expect("it has a copy");
    let columns: Vec<_> = table.copied().map(|column| column.name).collect();
    let listed: Vec<_> = columns.iter().map(|name| format!("t.{name}")).collect();
    let rest = format!(" FROM {} t WHERE ", table.name);
    let (_, conditions) = statement
        .split_once(&rest)
        .expect("it selects from the table");
    let statement = format!("SELECT {}{rest}{conditions}", listed.join(", "));
    let rows = shop.app.database().rows(&statement);
    let shown = |row: Vec<Cell>| {
        let cells = columns.iter().zip(row);
        let cells = cells.filter(|(_, cell)| !matches!(cell, Cell::Blob(_)));
        cells
            .map(|(name, cell)| ((*name).to_owned(), shown(name, cell)))
            .collect()
    };
    rows.into_iter().map(shown).collect()
}

fn shown(column: &str, cell: Cell) -> Value {
    match cell {
        Cell::Integer(millis) if column.ends_with("_at") || column.ends_with("_on") => {
            Timestamp(millis).to_string().into()
        }
        Cell::Integer(integer) => integer.into(),
        Cell::Text(text) => text.into(),
        Cell::Null | Cell::Blob(_) => Value::Null,
    }
}

/// Whether `shown` has what the database has, in every column that a copy has, and no other column.
pub fn agree(table: &Holding, stored: &[Map<String, Value>], shown: &[Value]) {
    assert_eq!(stored.len(), shown.len(), "{}", table.name);
    for (stored, shown) in stored.iter().zip(shown) {
        let shown = shown.as_object().expect("an object");
        let columns: Vec<_> = table.copied().map(|column| column.name).collect();
        assert_eq!(shown.len(), columns.len(), "{}: {shown:?}", table.name);
        for column in columns {
            assert!(shown.contains_key(column), "{}.{column}", table.name);
        }
        for (column, value) in stored {
            assert_eq!(&shown[column], value, "{}.{column}", table.name);
        }
    }
}
