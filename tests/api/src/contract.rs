//! The OpenAPI document, against which every answer is held.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::request::Wire;

/// The served document, and the schemas that were needed so far.
pub struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

impl Contract {
    /// The document as the application serves it. It is in the components, so it is fetched once.
    pub fn of(wire: &Wire) -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let answer = wire.request("GET", "/v1/openapi.json").send_unchecked();
            Self {
                document: answer.expect(200).json,
                validators: Mutex::default(),
            }
        })
    }

    /// Holds an answer against the document.
    ///
    /// # Panics
    /// If the document does not describe it. What is answered about unknown paths and methods, the
    /// document cannot describe.
    pub fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap_or_default();
        let Some((template, operation)) = self.operation(method, path) else {
            assert!(
                matches!(answer.status, 404 | 405),
                "{method} {path} is not documented: {answer:?}"
            );
            return;
        };
        let responses = &operation["responses"];
        let status = answer.status.to_string();
        let response = responses.get(&status).or_else(|| responses.get("default"));
        let response =
            response.unwrap_or_else(|| panic!("{method} {path} {status} is not documented"));
        assert!(
            answer.status >= 400 || responses.get(&status).is_some(),
            "{method} {path}: success {status} is not documented"
        );
        let Some(content) = response.get("content") else {
            assert!(
                answer.body.is_empty(),
                "{method} {path} {status} has a body: {answer:?}"
            );
            return;
        };
        let media_type = answer.media_type().unwrap_or_default();
        let content = content.get(media_type);
        let content = content.unwrap_or_else(|| {
            panic!("{method} {path} {status}: {media_type:?} is not documented")
        });
        if let (Some(schema), true) = (content.get("schema"), media_type.ends_with("json")) {
            self.validate(
                &format!("{method} {template} {status}"),
                schema,
                &answer.json,
            );
        }
    }

    fn operation(&self, method: &Method, path: &str) -> Option<(&str, &Value)> {
        let method = method.as_str().to_lowercase();
        let paths = self.document["paths"].as_object()?;
        paths.iter().find_map(|(template, item)| {
            let operation = item.get(&method)?;
            matches(template, path).then_some((template.as_str(), operation))
        })
    }

    fn validate(&self, name: &str, schema: &Value, value: &Value) {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let validator = *validators
            .entry(name.to_owned())
            // As many as the document has answers, for the whole run.
            .or_insert_with(|| Box::leak(Box::new(self.validator(schema))));
        drop(validators);
        let errors: Vec<_> = validator
            .iter_errors(value)
            .map(|error| error.to_string())
            .collect();
        assert!(
            errors.is_empty(),
            "{name} is not as documented: {errors:?} in {value}"
        );
    }

    fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({ "allOf": [schema], "components": self.document["components"] });
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&whole)
            .expect("the document's schemas are valid")
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(expected, segment)| {
            expected == segment || (expected.starts_with('{') && !segment.is_empty())
        })
}
