//! The policy of a form: until when it may be used, and what its fields may say
//! (<https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend>,
//! <https://www.alibabacloud.com/help/doc-detail/31988.htm>).
//!
//! A field that no condition names may say anything: the official Go SDK's sample (`sample/post_object.go`)
//! leaves even `key` open. Whoever holds a form may therefore add fields, such as `x-oss-object-acl`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::form::Form;
use super::signature::{ALGORITHM, Credentials, LONGEST_LIFE_MS, TOLERANCE_MS, day, milliseconds};
use crate::stand_in::Refusal;

/// The fields that carry the signature and that the policy must name too.
const SIGNED: [&str; 3] = ["x-oss-signature-version", "x-oss-credential", "x-oss-date"];
const DENIED: Refusal = (403, "AccessDenied");
const INVALID: Refusal = (400, "InvalidArgument");
const INVALID_POLICY: Refusal = (400, "InvalidPolicyDocument");

/// Checks a form's signature and its policy.
pub fn check(
    form: &Form,
    credentials: &Credentials,
    bucket: &str,
    now_ms: i64,
) -> Result<(), Refusal> {
    let field = |name: &str| form.field(name).ok_or(INVALID);
    let encoded = form.field("policy").ok_or(DENIED)?;
    if field("x-oss-signature-version")? != ALGORITHM {
        return Err(INVALID);
    }
    let date = field("x-oss-date")?;
    let age_ms = now_ms - milliseconds(date).ok_or(INVALID)?;
    if !(-TOLERANCE_MS..=LONGEST_LIFE_MS).contains(&age_ms) {
        return Err(DENIED);
    }
    credentials.check_scope(field("x-oss-credential")?, date)?;
    if field("x-oss-signature")? != credentials.sign(day(date), encoded) {
        return Err((403, "SignatureDoesNotMatch"));
    }
    let policy = STANDARD.decode(encoded).map_err(|_| INVALID_POLICY)?;
    let policy: Value = serde_json::from_slice(&policy).map_err(|_| INVALID_POLICY)?;
    check_expiration(&policy, now_ms)?;
    let conditions = policy["conditions"].as_array().ok_or(INVALID_POLICY)?;
    let conditions: Option<Vec<_>> = conditions.iter().map(Condition::read).collect();
    let conditions = conditions.ok_or(INVALID_POLICY)?;
    let names_signed = |signed: &&str| conditions.iter().any(|condition| condition.names(signed));
    if !SIGNED.iter().all(names_signed) {
        return Err(INVALID_POLICY);
    }
    for condition in &conditions {
        condition.check(form, bucket)?;
    }
    Ok(())
}

fn check_expiration(policy: &Value, now_ms: i64) -> Result<(), Refusal> {
    let expiration = policy["expiration"].as_str();
    let expiration = expiration.filter(|text| text.ends_with('Z'));
    let expiration: Option<jiff::Timestamp> = expiration.and_then(|text| text.parse().ok());
    let expiration = expiration.ok_or(INVALID_POLICY)?;
    if now_ms >= expiration.as_millisecond() {
        return Err(DENIED);
    }
    Ok(())
}

enum Condition<'a> {
    Length(u64, u64),
    Equal(String, &'a str),
    StartsWith(String, &'a str),
    In(String, &'a [Value]),
    NotIn(String, &'a [Value]),
}

impl<'a> Condition<'a> {
    /// `None` where it is none.
    fn read(condition: &'a Value) -> Option<Self> {
        if let Some(pair) = condition.as_object() {
            let (name, value) = pair.iter().next().filter(|_| pair.len() == 1)?;
            return Some(Self::Equal(name.to_lowercase(), value.as_str()?));
        }
        let [operator, name, value] = &condition.as_array()?[..] else {
            return None;
        };
        let operator = operator.as_str()?;
        if operator == "content-length-range" {
            return Some(Self::Length(name.as_u64()?, value.as_u64()?));
        }
        let name = name.as_str()?.strip_prefix('$')?.to_lowercase();
        match operator {
            "eq" => Some(Self::Equal(name, value.as_str()?)),
            "starts-with" => Some(Self::StartsWith(name, value.as_str()?)),
            "in" => Some(Self::In(name, value.as_array()?)),
            "not-in" => Some(Self::NotIn(name, value.as_array()?)),
            _ => None,
        }
    }

    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::Length(..) => false,
            Self::Equal(name, _)
            | Self::StartsWith(name, _)
            | Self::In(name, _)
            | Self::NotIn(name, _) => name == wanted,
        }
    }

    fn check(&self, form: &Form, bucket: &str) -> Result<(), Refusal> {
        let field = |name: &str| {
            let is_bucket = name == "bucket";
            if is_bucket {
                Some(bucket)
            } else {
                form.field(name)
            }
        };
        let is_met = match self {
            Self::Length(least, most) => return check_length(form.file.len(), *least, *most),
            Self::Equal(name, value) => field(name) == Some(value),
            Self::StartsWith(name, start) => {
                field(name).is_some_and(|value| value.starts_with(start))
            }
            Self::In(name, values) => {
                field(name).is_some_and(|value| values.iter().any(|known| known == value))
            }
            Self::NotIn(name, values) => {
                field(name).is_none_or(|value| values.iter().all(|known| known != value))
            }
        };
        if is_met { Ok(()) } else { Err(DENIED) }
    }
}

fn check_length(length: usize, least: u64, most: u64) -> Result<(), Refusal> {
    let length = length as u64;
    if length < least {
        return Err((400, "EntityTooSmall"));
    }
    if length > most {
        return Err((400, "EntityTooLarge"));
    }
    Ok(())
}
