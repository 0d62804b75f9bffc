//! After a busy scenario no phone number lies anywhere in the clear.

use api_tests::{App, Device, mobile_number, on_both_engines};
use serde_json::json;

/// The number in each form in which it could have been stored.
pub fn forms(phone: &str) -> Vec<Vec<u8>> {
    let national = &phone[3..];
    let (a, b, c) = (&national[..3], &national[3..7], &national[7..]);
    let full_width: String = national
        .chars()
        .map(|digit| char::from_u32(digit as u32 + 0xfee0).expect("a full-width digit"))
        .collect();
    let number: u64 = national.parse().expect("digits");
    [
        national.to_owned(),
        format!("{a} {b} {c}"),
        format!("{a}-{b}-{c}"),
        full_width,
        format!("{a}%20{b}"),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([number.to_be_bytes().to_vec(), number.to_le_bytes().to_vec()])
    .collect()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Looks for `wanted` in every column, key, file and line of the log.
pub fn is_nowhere(app: &App, wanted: &[u8]) {
    is_in_no_row(app, wanted);
    is_in_no_file(app, wanted);
}

/// Looks for `wanted` in every column, key and line of the log.
pub fn is_in_no_row(app: &App, wanted: &[u8]) {
    for (table, _) in app.database().schema() {
        let rows = app.database().rows(&format!("SELECT * FROM {table}"));
        for cell in rows.iter().flatten() {
            assert!(!contains(&cell.bytes(), wanted), "{table}: {cell:?}");
        }
    }
    for (key, value) in app.key_value() {
        assert!(
            !contains(key.as_bytes(), wanted) && !contains(&value, wanted),
            "{key}"
        );
    }
    for line in app.log().lines() {
        assert!(!contains(line.as_bytes(), wanted), "{line}");
    }
}

/// Looks for `wanted` in every file of the state directory, as it lies there.
pub fn is_in_no_file(app: &App, wanted: &[u8]) {
    for entry in std::fs::read_dir(app.state()).expect("the state directory") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a readable file");
            assert!(!contains(&bytes, wanted), "{}", path.display());
        }
    }
}

on_both_engines! {
    // clause C1
    fn no_phone_number_in_columns_keys_files_or_logs(app: App) {
        let mut phones = Vec::new();
        for typed in [
            |phone: &str| phone.to_owned(),
            |phone: &str| phone[3..].to_owned(),
            |phone: &str| format!("{} {}-{}", &phone[3..6], &phone[6..10], &phone[10..]),
        ] {
            let phone = mobile_number();
            let asked = app.post("/v1/auth/sms-codes", &json!({ "phone": typed(&phone), "purpose": "login" }));
            let code = app.code_in_log(&asked.expect(202));
            let wrong = json!({ "phone": typed(&phone), "code": "wrong", "policy_version": "x" });
            app.post("/v1/auth/sessions", &wrong).expect(401);
            let wrong = json!({ "phone": typed(&phone), "password": "wrong password" });
            app.post("/v1/auth/sessions", &wrong).expect(401);
            let login = App::login(&typed(&phone), &code, &Device::new("a"));
            let session = app.request("POST", "/v1/auth/sessions")
                .header("idempotency-key", &phone)
                .json(&login)
                .expect(201);
            let token = session.text("/token");
            app.get("/v1/auth/sessions/current", &token).expect(200);
            app.request("GET", &format!("/v1/auth/sessions?cursor={}", &phone[3..]))
                .token(&token)
                .send()
                .expect(422);
            app.post("/v1/auth/sms-codes", &json!({ "phone": typed(&phone), "purpose": "login" })).expect(429);
            phones.push(phone);
        }
        for wanted in phones.iter().flat_map(|phone| forms(phone)) {
            is_nowhere(&app, &wanted);
        }
    }
}
