//! Makes the OpenAPI document from the functions' own descriptions.

use std::path::Path;
use std::{env, fs};

use shared::http::ProblemBody;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "创人脉",
        description = "The backend of 创人脉. Errors are problems (RFC 9457) whose `type` never changes. \
                       Times are in RFC 3339. Every answer carries `x-request-id`. Unsafe calls accept \
                       `Idempotency-Key`: the same call sent again within 24 hours gets the first answer.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(openapi, policy_text),
    components(schemas(ProblemBody)),
    modifiers(&Bearers),
)]
struct Document;

/// Read this document
#[utoipa::path(get, path = "/v1/openapi.json", tag = "service",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
#[expect(dead_code, reason = "it only carries the documentation")]
fn openapi() {}

/// Read the policy's text
#[utoipa::path(get, path = "/v1/policy/text", tag = "policy",
    responses((status = 200, description = "the text of the first version, in Chinese",
        content_type = "text/plain", body = String)))]
#[expect(dead_code, reason = "it only carries the documentation")]
fn policy_text() {}

/// The bearer tokens: a session's, which logging in answers, and an operator's.
struct Bearers;

impl Modify for Bearers {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        if let Some(components) = &mut document.components {
            for name in ["session", "operator"] {
                components.add_security_scheme(name, SecurityScheme::Http(scheme.clone()));
            }
        }
    }
}

/// What every call can answer besides what it names itself.
fn add_problems(document: &mut OpenApi) {
    let problem = ResponseBuilder::new()
        .description("a problem")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        )
        .build();
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            operation
                .responses
                .responses
                .insert("default".into(), problem.clone().into());
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

/// Merging keeps the first of two schemas of one name, and the second's answers would be documented wrongly.
fn check_names(document: &OpenApi, part: &OpenApi) {
    let schemas = |document: &OpenApi| {
        let components = document.components.as_ref();
        components.map_or_else(Default::default, |components| components.schemas.clone())
    };
    let known = schemas(document);
    for (name, schema) in schemas(part) {
        if let Some(other) = known.get(&name) {
            assert!(*other == schema, "two different schemas are named {name}");
        }
    }
}

fn main() {
    let mut document = Document::openapi();
    for part in [
        sms_login::document(),
        profile::document(),
        consents::document(),
        nearby::document(),
        blocks::document(),
        id_verification::document(),
        payment::document(),
        wallet::document(),
        uploads::document(),
        account_deletion::document(),
        rights::document(),
        requests::document(),
        notices::document(),
        retention::document(),
        health::document(),
    ] {
        check_names(&document, &part);
        document.merge(part);
    }
    add_problems(&mut document);
    let json = document.to_json().expect("a document of plain data");
    let folder = env::var("OUT_DIR").expect("set by cargo");
    fs::write(Path::new(&folder).join("openapi.json"), json).expect("cargo's folder is writable");
}
