//! What the tests of verification share: an application that talks to a stand-in for Alipay, and people who
//! are ready to be verified.

use std::sync::atomic::{AtomicU32, Ordering};

use api_tests::{Answer, App, Builder, Person, REAL_NAME};
use provider_stand_ins::alipay::Alipay;
use provider_stand_ins::keys;
use serde_json::{Value, json};

pub const APP_ID: &str = "2021000000000000";
pub const COMPLETED: &str = "alipay.user.certify.open.notify.completed";
pub const QUERY: &str = "alipay.user.certify.open.query";
pub const INITIALIZE: &str = "alipay.user.certify.open.initialize";
pub const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The application's variables for this Alipay.
pub fn with_alipay(builder: Builder, alipay: &Alipay) -> Builder {
    builder
        .variable("alipay_gateway_host", alipay.url())
        .variable("alipay_app_id", APP_ID)
        .variable("alipay_app_private_key", keys::APP_PRIVATE_PKCS8)
        .variable("alipay_public_key", keys::ALIPAY_PUBLIC)
        .variable("real_name_starts_per_day", "1000")
        .variable("reviews_per_day", "1000")
}

/// An application, and the Alipay that it talks to.
pub fn start(builder: Builder) -> (App, Alipay) {
    let alipay = Alipay::start(APP_ID);
    (with_alipay(builder, &alipay).start(), alipay)
}

/// An identity number that no other call has given: of an adult, with a right check character (GB 11643).
pub fn id_number() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let nth = NEXT.fetch_add(1, Ordering::Relaxed);
    let digits = format!("350203{}0307{:03}", 1950 + nth / 1000 % 50, nth % 1000);
    let sum: u32 = digits
        .chars()
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit.to_digit(10).expect("a digit") * weight)
        .sum();
    let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum as usize % 11];
    digits + check
}

/// Someone whose profile is complete, and who agrees to these purposes.
pub fn someone_who_agrees(app: &App, purposes: &[&str]) -> Person {
    let person = app.someone();
    app.complete_profile(&person);
    for purpose in purposes {
        app.consent(&person, purpose, true).expect(200);
    }
    person
}

/// Someone who agrees to be verified by Alipay.
pub fn candidate(app: &App) -> Person {
    someone_who_agrees(app, &["real-name-verification"])
}

/// The body of a start.
pub fn start_body(number: &str) -> Value {
    json!({
        "name": REAL_NAME,
        "id_number": number,
        "return_url": "chuangrenmai://verification?from=test",
    })
}

/// Asks to be verified.
pub fn ask(app: &App, person: &Person, number: &str) -> Answer {
    app.request("POST", "/v1/verifications/real-name")
        .token(&person.token)
        .json(&start_body(number))
}

/// A verification that waits: its id, and Alipay's for it.
pub fn started(app: &App, alipay: &Alipay, person: &Person, number: &str) -> (String, String) {
    let answer = ask(app, person, number).expect(201);
    let certify_id = alipay
        .check_link(&answer.text("/certify_url"))
        .expect("a link that Alipay takes");
    (answer.text("/id"), certify_id)
}

/// Posts a message as Alipay does.
pub fn post_message(app: &App, form: String) -> Answer {
    app.request("POST", "/v1/callbacks/alipay/messages")
        .body(FORM, form)
        .send()
}

/// Alipay says that the person has finished.
pub fn completed(app: &App, alipay: &Alipay, certify_id: &str) -> Answer {
    let content = json!({ "certify_id": certify_id });
    post_message(app, alipay.message(COMPLETED, &content).form())
}

/// The verification as its person sees it.
pub fn read(app: &App, person: &Person, id: &str) -> Value {
    app.get(&format!("/v1/verifications/{id}"), &person.token)
        .expect(200)
        .json
}

/// The app asks how it stands.
pub fn refresh(app: &App, person: &Person, id: &str) -> Answer {
    app.request("POST", &format!("/v1/verifications/{id}/refresh"))
        .token(&person.token)
        .send()
}

/// Everything that is stored about verifications, to see that nothing has changed.
pub fn snapshot(app: &App) -> Vec<String> {
    [
        "SELECT * FROM verification_claims ORDER BY id",
        "SELECT * FROM verifications ORDER BY id",
        "SELECT * FROM verification_photos ORDER BY upload_id",
    ]
    .iter()
    .flat_map(|statement| app.database().rows(statement))
    .map(|row| format!("{row:?}"))
    .collect()
}

/// How many claims have this status.
pub fn claims(app: &App, status: &str) -> i64 {
    app.database().count(&format!(
        "SELECT COUNT(*) FROM verification_claims WHERE status = '{status}'"
    ))
}
