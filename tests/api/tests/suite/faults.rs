//! Every write is stopped at each of its calls to the host in turn, before the call's effect and after
//! it, and then done again as a client would. Nothing may be lost or doubled.

use api_tests::{
    Answer, App, DAY, Device, MINUTE, POLICY_VERSION, Person, mobile_number, on_both_engines,
};
use serde_json::{Value, json};
use shared::consent::Purpose;

use crate::upload_faults::finish_sweeps;

/// No request of ours makes more calls.
const MOST_CALLS: usize = 100;

/// A request that can be sent again.
pub struct Attempt {
    method: &'static str,
    path: String,
    token: Option<String>,
    idempotency_key: Option<String>,
    headers: Vec<(String, String)>,
    media_type: String,
    body: Vec<u8>,
}

impl Attempt {
    /// A request with a JSON body.
    pub fn new(
        method: &'static str,
        path: impl Into<String>,
        token: Option<&str>,
        body: Value,
    ) -> Self {
        Self {
            method,
            path: path.into(),
            token: token.map(str::to_owned),
            idempotency_key: None,
            headers: Vec::new(),
            media_type: "application/json".to_owned(),
            body: body.to_string().into_bytes(),
        }
    }

    /// The same with another body.
    pub fn with_body(self, media_type: &str, body: Vec<u8>) -> Self {
        Self {
            media_type: media_type.to_owned(),
            body,
            ..self
        }
    }

    /// The same with an `Idempotency-Key`.
    pub fn with_key(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    /// The same with another header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it; `checked` holds the answer against the document.
    pub fn send(&self, app: &App, checked: bool) -> Answer {
        let mut request = app.request(self.method, &self.path);
        if let Some(token) = &self.token {
            request = request.token(token);
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(&self.media_type, self.body.clone());
        if checked {
            request.send()
        } else {
            request.send_unchecked()
        }
    }
}

/// Stops what `prepare` makes at each call in turn, lets `repeat` do it again, and asks `verify`.
///
/// It ends at the first call that the request does not make any more.
pub fn sweep<S>(
    app: &App,
    prepare: impl Fn(&App, &str) -> (S, Attempt),
    repeat: impl Fn(&App, &S, &Attempt) -> Answer,
    verify: impl Fn(&App, &S, &Answer),
) {
    app.clock().stop();
    for when in ["before", "after"] {
        let mut nth = 1;
        loop {
            assert!(nth <= MOST_CALLS, "it never came through");
            let (state, attempt) = prepare(app, &format!("{when}-{nth}"));
            app.faults().trap(nth, when);
            let stopped = attempt.send(app, false);
            let calls = app.faults().calls();
            app.faults().clear();
            let Some(struck) = calls.get(nth - 1) else {
                assert!(stopped.status < 300, "{when} {nth}: {stopped:?}");
                break;
            };
            // A component that another one asked may die without the client hearing of it.
            let is_asked_by_another = struck.component != calls[0].component;
            assert!(
                stopped.status == 500 || is_asked_by_another,
                "{when} {nth}: {stopped:?}"
            );
            let answer = repeat(app, &state, &attempt);
            assert!(
                answer.status < 300,
                "{when} call {nth}, repeated: {answer:?}"
            );
            verify(app, &state, &answer);
            invariants(app);
            nth += 1;
        }
        assert!(nth > 1, "it makes no call");
    }
}

/// The client sends the same again.
pub fn again<S>(app: &App, _: &S, attempt: &Attempt) -> Answer {
    attempt.send(app, true)
}

/// What holds whatever was stopped where.
fn invariants(app: &App) {
    for broken in [
        // clause G1
        "SELECT COUNT(*) FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM policy_consents c \
           WHERE c.account_id = a.id AND c.version = a.policy_version)",
        "SELECT COUNT(*) FROM accounts a WHERE NOT EXISTS \
           (SELECT 1 FROM profiles p WHERE p.account_id = a.id)",
        "SELECT COUNT(*) FROM (SELECT phone_hash FROM accounts GROUP BY phone_hash HAVING COUNT(*) > 1) d",
        "SELECT COUNT(*) FROM (SELECT device_id FROM sessions WHERE device_id IS NOT NULL \
           GROUP BY device_id HAVING COUNT(*) > 1) d",
        // clause G1
        "SELECT COUNT(*) FROM consents c WHERE NOT EXISTS (SELECT 1 FROM consent_events e \
           WHERE e.account_id = c.account_id AND e.purpose = c.purpose AND e.version = c.version \
             AND e.granted = 1 AND e.happened_at = c.given_at)",
    ] {
        assert_eq!(app.database().count(broken), 0, "{broken}");
    }
}

fn count(app: &App, table: &str, account_id: &str) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM {table} WHERE account_id = '{account_id}'"
    ))
}

fn empty(app: &App) {
    for table in [
        "disclosures",
        "rate_limits",
        "sms_codes",
        "sessions",
        "devices",
        "profiles",
        "accounts",
        "idempotency_keys",
    ] {
        let column = match table {
            "rate_limits" => "bucket",
            "sms_codes" => "phone_hash",
            "profiles" => "account_id",
            _ => "id",
        };
        app.database().rows(&format!(
            "DELETE FROM {table} WHERE {column} IS NOT NULL RETURNING {column}"
        ));
    }
}

on_both_engines! {
    // clause L1
    [stand_in] fn asking_for_a_code(app: App) {
        sweep(
            &app,
            |_, _| {
                let phone = mobile_number();
                let body = json!({ "phone": phone, "purpose": "login" });
                (phone, Attempt::new("POST", "/v1/auth/sms-codes", None, body))
            },
            |app, _, attempt| {
                // The stopped one may have been counted: then the client is told to wait.
                let answer = attempt.send(app, true);
                if answer.status != 429 {
                    return answer;
                }
                app.clock().advance(MINUTE);
                app.database().rows("DELETE FROM rate_limits WHERE allowed > 20 RETURNING taken");
                attempt.send(app, true)
            },
            |app, phone, answer| {
                let login = App::login(phone, &app.code_in_log(answer), &Device::new("a"));
                app.post("/v1/auth/sessions", &login).expect(201);
                // So that the address stays below its limit.
                empty(app);
            },
        );
    }

    // clause L1
    [stand_in] fn opening_an_account(app: App) {
        sweep(
            &app,
            |app, _| {
                let phone = mobile_number();
                let login = App::login(&phone, &app.sms_code(&phone, "login"), &Device::new("a"));
                (phone, Attempt::new("POST", "/v1/auth/sessions", None, login))
            },
            again,
            |app, phone, answer| {
                let person = Person::of(phone, answer);
                app.get("/v1/profile", &person.token).expect(200);
                app.get("/v1/auth/sessions/current", &person.token).expect(200);
                for table in ["sessions", "devices", "profiles", "policy_consents"] {
                    assert_eq!(count(app, table, &person.account_id), 1, "{table}");
                }
                let opened = format!("SELECT COUNT(*) FROM accounts WHERE id = '{}'", person.account_id);
                assert_eq!(app.database().count(&opened), 1);
                empty(app);
            },
        );
    }

    // clause L1
    [stand_in] fn logging_in_by_code_on_a_known_device(app: App) {
        let phone = mobile_number();
        sweep(
            &app,
            |app, _| {
                let person = app.log_in_on(&phone, &Device::new("a"));
                app.get("/v1/profile", &person.token).expect(200);
                let login = App::login(&phone, &app.sms_code(&phone, "login"), &Device::new("a"));
                (person, Attempt::new("POST", "/v1/auth/sessions", None, login))
            },
            again,
            |app, before, answer| {
                let person = Person::of(&phone, answer);
                assert_eq!(person.account_id, before.account_id);
                app.get("/v1/profile", &person.token).expect(200);
                assert_eq!(count(app, "sessions", &person.account_id), 1);
                app.get("/v1/profile", &before.token).expect_problem(401, "unauthenticated");
            },
        );
    }

    // clause L1
    [stand_in] fn logging_in_by_password(app: App) {
        let person = app.someone();
        app.set_password(&person, "长风破浪会有时1").expect(204);
        sweep(
            &app,
            |_, _| {
                let body = json!({
                    "phone": person.phone,
                    "password": "长风破浪会有时1",
                    "device": Device::new("b").json(),
                });
                ((), Attempt::new("POST", "/v1/auth/sessions", None, body))
            },
            again,
            |app, (), answer| {
                app.get("/v1/profile", &answer.text("/token")).expect(200);
                // One of the device of before, one of this.
                assert_eq!(count(app, "sessions", &person.account_id), 2);
                assert_eq!(count(app, "devices", &person.account_id), 2);
                app.database().rows("DELETE FROM rate_limits WHERE taken >= 0 RETURNING taken");
            },
        );
    }

    [stand_in] fn logging_in_with_an_idempotency_key(app: App) {
        sweep(
            &app,
            |app, name| {
                let phone = mobile_number();
                let login = App::login(&phone, &app.sms_code(&phone, "login"), &Device::new("a"));
                (phone, Attempt::new("POST", "/v1/auth/sessions", None, login).with_key(name))
            },
            |app, _, attempt| {
                let answer = attempt.send(app, true);
                if answer.status != 409 {
                    return answer;
                }
                // The stopped one still holds the key, until it counts as abandoned. The code can be repeated
                // for longer than that.
                app.clock().advance(MINUTE / 2);
                attempt.send(app, true)
            },
            |app, phone, answer| {
                let person = Person::of(phone, answer);
                app.get("/v1/profile", &person.token).expect(200);
                assert_eq!(count(app, "sessions", &person.account_id), 1);
                empty(app);
            },
        );
    }

    [stand_in] fn logging_out(app: App) {
        sweep(
            &app,
            |app, _| {
                let person = app.someone();
                app.get("/v1/profile", &person.token).expect(200);
                let attempt = Attempt::new("DELETE", "/v1/auth/sessions/current", Some(&person.token), Value::Null);
                (person, attempt)
            },
            |app, person, attempt| {
                let answer = attempt.send(app, true);
                if answer.status == 401 {
                    // It had ended already: that is what the client wanted to hear.
                    return app.request("GET", "/v1/policy").send();
                }
                assert_eq!(count(app, "sessions", &person.account_id), 0);
                answer
            },
            |app, person, _| {
                app.get("/v1/profile", &person.token).expect_problem(401, "unauthenticated");
                assert_eq!(count(app, "sessions", &person.account_id), 0);
            },
        );
    }

    [stand_in] fn ending_the_other_sessions(app: App) {
        sweep(
            &app,
            |app, _| {
                let phone = mobile_number();
                let people = ["a", "b"].map(|id| app.log_in_on(&phone, &Device::new(id)));
                for person in &people {
                    app.get("/v1/profile", &person.token).expect(200);
                }
                let attempt = Attempt::new("DELETE", "/v1/auth/sessions", Some(&people[0].token), Value::Null);
                (people, attempt)
            },
            again,
            |app, [asking, other], _| {
                assert_eq!(count(app, "sessions", &asking.account_id), 1);
                app.get("/v1/profile", &asking.token).expect(200);
                app.get("/v1/profile", &other.token).expect_problem(401, "unauthenticated");
            },
        );
    }

    // clause L1
    [stand_in] fn setting_a_password(app: App) {
        sweep(
            &app,
            |app, name| {
                let person = app.someone();
                let body = json!({
                    "password": format!("长风破浪-{name}"),
                    "code": app.sms_code(&person.phone, "password"),
                });
                let attempt = Attempt::new("PUT", "/v1/auth/password", Some(&person.token), body.clone());
                ((person, body), attempt)
            },
            again,
            |app, (person, body), _| {
                let login = json!({ "phone": person.phone, "password": body["password"] });
                app.post("/v1/auth/sessions", &login).expect(201);
            },
        );
    }

    // clause N1
    [stand_in] fn consenting(app: App) {
        sweep(
            &app,
            |app, _| {
                let person = app.someone();
                app.database().rows(&format!(
                    "INSERT INTO policy_consents (account_id, version, given_at) \
                     VALUES ('{}', '2020-01-01', 0) RETURNING version", person.account_id
                ));
                app.database().rows(&format!(
                    "UPDATE accounts SET policy_version = '2020-01-01' WHERE id = '{}' RETURNING id",
                    person.account_id
                ));
                app.clock().advance(MINUTE);
                app.get("/v1/profile", &person.token).expect_problem(403, "policy-consent-required");
                let body = json!({ "version": POLICY_VERSION });
                let attempt = Attempt::new("POST", "/v1/policy/consents", Some(&person.token), body);
                (person, attempt)
            },
            again,
            |app, person, _| {
                app.get("/v1/profile", &person.token).expect(200);
                assert_eq!(count(app, "policy_consents", &person.account_id), 2);
            },
        );
    }

    // clause G1
    [stand_in] fn giving_a_consent(app: App) {
        sweep(
            &app,
            |app, _| {
                let person = app.someone();
                let body = json!({ "granted": true, "version": Purpose::Location.terms().version });
                let attempt = Attempt::new("PUT", "/v1/consents/location", Some(&person.token), body);
                (person, attempt)
            },
            again,
            |app, person, answer| {
                assert_eq!(answer.json["granted"], true);
                assert_eq!(count(app, "consents", &person.account_id), 1);
                // A proof whose consent did not come is followed by another.
                assert!((1..=2).contains(&count(app, "consent_events", &person.account_id)));
            },
        );
    }

    // clause R4
    [stand_in] fn withdrawing_a_consent(app: App) {
        sweep(
            &app,
            |app, _| {
                let person = app.someone();
                app.consent(&person, "document-review", true).expect(200);
                let account_id = &person.account_id;
                app.database().rows(&format!(
                    "INSERT INTO verification_claims \
                       (id, account_id, kind, purpose, status, asked_at, summary) \
                     VALUES ('{account_id}', '{account_id}', 'real-name', 'document-review', \
                             'in_review', 0, 'sealed') RETURNING id"
                ));
                // Made so long ago that no form can bring its bytes any more.
                app.database().rows(&format!(
                    "INSERT INTO uploads (id, account_id, purpose, kind, content_type, size, created_at) \
                     VALUES ('{account_id}', '{account_id}', 'document-review', 'appeal', 'image/png', \
                             5, 0) RETURNING id"
                ));
                let body = json!({ "granted": false });
                let path = "/v1/consents/document-review";
                let attempt = Attempt::new("PUT", path, Some(&person.token), body);
                (person, attempt)
            },
            again,
            |app, person, answer| {
                assert_eq!(answer.json["granted"], false);
                assert_eq!(count(app, "consents", &person.account_id), 0);
                assert_eq!(count(app, "verification_claims", &person.account_id), 0);
                assert_eq!(count(app, "uploads", &person.account_id), 0);
                finish_sweeps(app);
                crate::upload_faults::finish_sweeps(app);
                let theirs = format!("SELECT COUNT(*) FROM uploads WHERE id = '{}'", person.account_id);
                assert_eq!(app.database().count(&theirs), 0);
                let withdrawn = format!(
                    "SELECT COUNT(*) FROM consent_events WHERE account_id = '{}' AND granted = 0",
                    person.account_id
                );
                assert!((1..=2).contains(&app.database().count(&withdrawn)));
            },
        );
    }

    // clause S1
    [stand_in] fn changing_the_profile(app: App) {
        let person = app.someone();
        sweep(
            &app,
            |_, name| {
                let body = json!({ "motto": name, "hobbies": ["围棋", name] });
                (body.clone(), Attempt::new("PATCH", "/v1/profile", Some(&person.token), body))
            },
            again,
            |app, body, answer| {
                let profile = app.get("/v1/profile", &person.token).expect(200).json;
                assert_eq!(profile, answer.json);
                assert_eq!((&profile["motto"], &profile["hobbies"]), (&body["motto"], &body["hobbies"]));
            },
        );
    }

    [stand_in] fn changing_the_profile_once_with_an_idempotency_key(app: App) {
        let person = app.someone();
        let version = |app: &App| app.database().count("SELECT version FROM profiles");
        sweep(
            &app,
            |app, name| {
                let attempt =
                    Attempt::new("PATCH", "/v1/profile", Some(&person.token), json!({ "motto": name }));
                ((name.to_owned(), version(app)), attempt.with_key(name))
            },
            |app, _, attempt| {
                let answer = attempt.send(app, true);
                if answer.status != 409 {
                    return answer;
                }
                app.clock().advance(MINUTE);
                attempt.send(app, true)
            },
            |app, (name, before), answer| {
                assert_eq!(answer.json["motto"], *name);
                // Stopped after the change and before its answer was kept, the merge patch runs again,
                // with the same result.
                assert!((1..=2).contains(&(version(app) - before)));
                app.clock().advance(DAY / 24);
            },
        );
    }
}
