//! JSON bodies.

use http::{StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Context, FromContext, Problem};

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Violation {
    /// Where it stands: member names and list positions, joined by dots.
    pub field: String,
    /// What is wrong: `missing`, `unknown`, `invalid`, or a code that the endpoint documents.
    pub code: &'static str,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, code: &'static str) -> Self {
        Self {
            field: field.into(),
            code,
        }
    }
}

/// The body, read as `T`.
///
/// Answers 415 for another media type, 400 for what is no JSON, 422 for JSON of another shape.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromContext for Json<T> {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let value = body(cx, &["application/json"])?;
        serde_path_to_error::deserialize(value)
            .map(Self)
            .map_err(|error| Problem::invalid_fields(&[violation(&error)]))
    }
}

/// The body as a JSON object of one of the `accepted` media types, for a reader that names every
/// violation at once.
///
/// # Errors
/// As [`Json`].
pub fn object(cx: &Context, accepted: &[&str]) -> Result<serde_json::Map<String, Value>, Problem> {
    match body(cx, accepted)? {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::invalid_fields(&[Violation::new("", "invalid")])),
    }
}

fn body(cx: &Context, accepted: &[&str]) -> Result<Value, Problem> {
    let media_type = cx
        .header(header::CONTENT_TYPE.as_str())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    if !media_type.is_some_and(|media_type| accepted.contains(&media_type.as_str())) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "不支持的内容类型",
        )
        .with("accepted", accepted));
    }
    serde_json::from_slice(cx.request().body()).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-json",
            "请求内容不是有效的 JSON",
        )
        .with("line", error.line())
        .with("column", error.column())
    })
}

/// Where serde stopped and why. Its text can hold the value, so only the field's name is taken from it:
/// the name that it quotes for a missing or an unknown field.
fn violation(error: &serde_path_to_error::Error<serde_json::Error>) -> Violation {
    let path = error.path().to_string();
    let path = if path == "." { "" } else { &path };
    let text = error.inner().to_string();
    let quoted = || text.split('`').nth(1).unwrap_or_default();
    if text.starts_with("missing field `") {
        return Violation::new(join(path, quoted()), "missing");
    }
    if text.starts_with("unknown field `") {
        let field = if path.ends_with(quoted()) {
            path.to_owned()
        } else {
            join(path, quoted())
        };
        return Violation::new(field, "unknown");
    }
    Violation::new(path, "invalid")
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its shape matters here")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its shape matters here")]
        number: u8,
    }

    fn violation_of(text: &str) -> Violation {
        let value: Value = serde_json::from_str(text).unwrap();
        violation(&serde_path_to_error::deserialize::<_, Outer>(value).unwrap_err())
    }

    #[test]
    fn each_shape_error_names_its_field_and_never_its_value() {
        for (text, field, code) in [
            (r#"{}"#, "inner", "missing"),
            (r#"{"inner":{}}"#, "inner.number", "missing"),
            (r#"{"inner":{"number":1},"x":2}"#, "x", "unknown"),
            (r#"{"inner":{"number":1,"x":2}}"#, "inner.x", "unknown"),
            (
                r#"{"inner":{"number":"13800138000"}}"#,
                "inner.number",
                "invalid",
            ),
            (r#"{"inner":{"number":300}}"#, "inner.number", "invalid"),
        ] {
            assert_eq!(violation_of(text), Violation::new(field, code), "{text}");
        }
    }
}
