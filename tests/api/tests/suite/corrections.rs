//! Whatever a person gave can be corrected (clause R2).

use api_tests::{App, Engine};
use shared::data_map::TABLES;

/// What a person gives, and by which call it is given anew. A profile's fields are one call's.
const GIVEN: [(&str, &str, &str); 31] = [
    ("accounts.phone", "POST", "/v1/auth/sessions"),
    ("accounts.policy_version", "POST", "/v1/policy/consents"),
    ("devices.model", "POST", "/v1/auth/sessions"),
    ("devices.os", "POST", "/v1/auth/sessions"),
    ("devices.app_version", "POST", "/v1/auth/sessions"),
    ("profiles.hidden", "PATCH", "/v1/profile"),
    ("profiles.avatar", "PATCH", "/v1/profile"),
    ("profiles.gender", "PATCH", "/v1/profile"),
    ("profiles.real_name", "PATCH", "/v1/profile"),
    ("profiles.company", "PATCH", "/v1/profile"),
    ("profiles.job_title", "PATCH", "/v1/profile"),
    ("profiles.motto", "PATCH", "/v1/profile"),
    ("profiles.about", "PATCH", "/v1/profile"),
    ("profiles.offers", "PATCH", "/v1/profile"),
    ("profiles.needs", "PATCH", "/v1/profile"),
    ("profiles.birthday", "PATCH", "/v1/profile"),
    ("profiles.hometown", "PATCH", "/v1/profile"),
    ("profiles.city", "PATCH", "/v1/profile"),
    ("profiles.hobbies", "PATCH", "/v1/profile"),
    ("profiles.industries", "PATCH", "/v1/profile"),
    ("profiles.education", "PATCH", "/v1/profile"),
    ("consents.version", "PUT", "/v1/consents/{purpose}"),
    (
        "verification_claims.real_name",
        "POST",
        "/v1/verifications/real-name",
    ),
    (
        "verification_claims.summary",
        "POST",
        "/v1/verifications/enterprise",
    ),
    (
        "verification_photos.upload_id",
        "POST",
        "/v1/verifications/{id}/appeal",
    ),
    ("blocks.blocked_id", "DELETE", "/v1/blocks/{id}"),
    ("locations.cell", "PUT", "/v1/location"),
    ("locations.hidden", "PUT", "/v1/location"),
    ("gifts.note", "DELETE", "/v1/account/data/{category}"),
    ("uploads.kind", "DELETE", "/v1/uploads/{id}"),
    ("exports.email", "POST", "/v1/account/exports"),
];

/// What the application makes or notes itself, in whatever table: identifiers, times, states, what was done.
const MADE: [&str; 14] = [
    "id",
    "account_id",
    "upload_id",
    "verification_id",
    "announcement_id",
    "order_id",
    "holder",
    "reference",
    "status",
    "reason",
    "kind",
    "purpose",
    "number",
    "policy_version",
];

/// The same in single tables: proof of what was said or done stands as it was said, and a new one can follow; what was
/// paid is corrected by paying back.
const PROOF: [&str; 12] = [
    "policy_consents",
    "consent_events",
    "disclosures",
    "orders",
    "refunds",
    "ledger",
    "wallets",
    "requests",
    "notices",
    "gifts",
    "exports",
    "uploads",
];

/// A column that is new is either given by the person, and then a call corrects it, or it is not.
// clause R2
#[test]
fn whatever_a_person_gave_has_a_call_that_corrects_it() {
    let app = App::prepare(Engine::Sqlite);
    let document = app.document();
    let mut given = GIVEN.to_vec();
    for table in TABLES {
        for column in table.copied() {
            let name = format!("{}.{}", table.name, column.name);
            let entry = given.iter().position(|(known, _, _)| *known == name);
            if let Some(at) = entry {
                let (_, method, path) = given.remove(at);
                let operation = &document["paths"][path][method.to_lowercase()];
                assert!(operation.is_object(), "{name}: there is no {method} {path}");
                continue;
            }
            let is_time = column.name.ends_with("_at") || column.name.ends_with("_on");
            let is_made = MADE.contains(&column.name) || PROOF.contains(&table.name);
            assert!(
                is_time || is_made,
                "{name}: is it given? Then by which call is it corrected?"
            );
        }
    }
    assert!(given.is_empty(), "no such columns: {given:?}");
}
