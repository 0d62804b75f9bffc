//! People at places, one by one through the door or many at once into the database.

use serde_json::{Value, json};

use crate::{Answer, App, Database, Engine, Person};

impl App {
    /// Gives a person's location in WGS-84.
    pub fn locate(&self, person: &Person, lat: f64, lng: f64) -> Answer {
        let body =
            json!({ "lat": lat, "lng": lng, "accuracy_m": 10, "coordinate_system": "wgs84" });
        self.request("PUT", "/v1/location")
            .token(&person.token)
            .json(&body)
    }

    /// Forgets a person's location.
    pub fn forget_location(&self, person: &Person) {
        self.request("DELETE", "/v1/location")
            .token(&person.token)
            .send()
            .expect(204);
    }

    /// Someone new whose profile is complete and who agrees to the use of locations.
    pub fn someone_locatable(&self) -> Person {
        let person = self.someone();
        self.complete_profile(&person);
        self.consent(&person, "location", true).expect(200);
        person
    }

    /// Someone new at this place.
    pub fn someone_at(&self, lat: f64, lng: f64) -> Person {
        let person = self.someone_locatable();
        self.locate(&person, lat, lng).expect(200);
        person
    }

    /// The first page of the people nearby; `query` begins with `?` unless it is empty.
    pub fn nearby(&self, person: &Person, query: &str) -> Answer {
        self.get(&format!("/v1/nearby/people{query}"), &person.token)
    }

    /// Every page of a list, to the last.
    pub fn all_pages(&self, person: &Person, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let next = match cursor.as_str() {
                "" => path.to_owned(),
                cursor => format!("{path}{mark}cursor={cursor}"),
            };
            let page = self.get(&next, &person.token).expect(200);
            items.extend(
                page.json["items"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .cloned(),
            );
            match page.json["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return items,
            }
        }
    }
}

impl Database {
    /// Puts rows into a table; each is the text of its values in parentheses.
    pub fn insert(&self, table: &str, rows: &[String]) {
        for rows in rows.chunks(500) {
            let rows = rows.join(", ");
            self.rows(&format!("INSERT INTO {table} VALUES {rows} RETURNING 'x'"));
        }
    }

    /// Puts accounts into the database: just enough of them to be referred to.
    pub fn insert_accounts(&self, ids: &[String]) {
        let bytes = |id: &str| {
            let hex = id.replace('-', "");
            match self.engine() {
                Engine::Sqlite => format!("X'{hex}'"),
                Engine::Postgres => format!("'\\x{hex}'::BYTEA"),
            }
        };
        let consents = ids.iter().map(|id| format!("('{id}', 'p', 0)"));
        self.insert("policy_consents", &consents.collect::<Vec<_>>());
        let accounts = ids
            .iter()
            .map(|id| format!("('{id}', {0}, {0}, '{id}', NULL, 'p', 0)", bytes(id)));
        let columns =
            "id, phone_hash, phone, person_key_id, password_hash, policy_version, created_at";
        self.insert(
            &format!("accounts ({columns})"),
            &accounts.collect::<Vec<_>>(),
        );
    }
}
