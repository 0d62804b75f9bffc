//! The form by which a file is sent: where to, and the fields that come before it. Both stores take the same
//! shape, OSS's PostObject
//! (<https://help.aliyun.com/zh/oss/developer-reference/postobject>): a policy that fixes key, media type and
//! size, and a signature over it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use shared::time::Timestamp;
use subtle::{Choice, ConstantTimeEq as _};

use crate::multipart::Part;

/// How long a form can be sent.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The name of the field that holds the file. It comes last: what follows it is not read by OSS.
pub const FILE_FIELD: &str = "file";

/// What the form's answer is when the file has arrived.
const SUCCESS_STATUS: &str = "204";

/// What is sent by a form.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The object's key.
    pub key: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its exact size in bytes.
    pub size: i64,
    /// When the form was made.
    pub made_at: Timestamp,
}

/// A form that is ready to be filled with the file.
#[derive(Debug)]
pub struct Form {
    /// Where it is posted.
    pub url: String,
    /// The fields before the file, in their order.
    pub fields: Fields,
    /// When it can no longer be sent.
    pub expires_at: Timestamp,
}

/// Names and values, written as one JSON object in their order.
#[derive(Debug)]
pub struct Fields(Vec<(&'static str, String)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Form {
    /// The form of `sending` to `url`. `named` are the fields that the store's signature needs, `bound` the
    /// policy's further conditions, and `sign` gives the signature's field for the policy in its text form.
    ///
    /// On the policy: <https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend>.
    pub fn new(
        url: String,
        sending: &Sending,
        named: Vec<(&'static str, String)>,
        bound: Vec<Value>,
        sign: impl FnOnce(&str) -> (&'static str, String),
    ) -> Self {
        let expires_at = sending.made_at.plus(LIFETIME);
        let mut conditions = bound;
        conditions.extend([
            json!(["eq", "$key", sending.key]),
            json!(["eq", "$content-type", sending.content_type]),
            json!(["eq", "$success_action_status", SUCCESS_STATUS]),
            json!(["content-length-range", sending.size, sending.size]),
        ]);
        conditions.extend(named.iter().map(|(name, value)| json!({ *name: value })));
        let policy = json!({ "expiration": expires_at, "conditions": conditions });
        let policy = STANDARD.encode(policy.to_string());
        let signature = sign(&policy);
        let mut fields = vec![
            ("key", sending.key.clone()),
            ("Content-Type", sending.content_type.to_owned()),
            ("success_action_status", SUCCESS_STATUS.to_owned()),
        ];
        fields.extend(named);
        fields.extend([("policy", policy), signature]);
        Self {
            url,
            fields: Fields(fields),
            expires_at,
        }
    }

    /// The file, if `parts` are exactly this form's fields with the file behind them. Everything is compared
    /// to its end, so that the time it takes says nothing about a signature.
    pub fn file<'a>(&self, parts: &[Part<'a>]) -> Option<&'a [u8]> {
        let (file, fields) = parts.split_last()?;
        let mut right = Choice::from(u8::from(
            file.name == FILE_FIELD && fields.len() == self.fields.0.len(),
        ));
        for (name, value) in &self.fields.0 {
            let given = fields.iter().find(|part| part.name == *name)?;
            right &= given.content.ct_eq(value.as_bytes());
        }
        bool::from(right).then_some(file.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let sending = Sending {
            key: "uploads/1".into(),
            content_type: "image/png",
            size: 7,
            made_at: Timestamp(0),
        };
        let named = vec![("x-named", "n".to_owned())];
        let bound = vec![json!({ "bucket": "b" })];
        Form::new(
            "https://b.example.com".into(),
            &sending,
            named,
            bound,
            |policy| ("signature", format!("signed {}", policy.len())),
        )
    }

    #[test]
    fn the_policy_fixes_everything() {
        let form = form();
        let (_, policy) = &form.fields.0[4];
        let policy: Value = serde_json::from_slice(&STANDARD.decode(policy).unwrap()).unwrap();
        assert_eq!(
            policy,
            json!({
                "expiration": "1970-01-01T00:10:00.000Z",
                "conditions": [
                    { "bucket": "b" },
                    ["eq", "$key", "uploads/1"],
                    ["eq", "$content-type", "image/png"],
                    ["eq", "$success_action_status", "204"],
                    ["content-length-range", 7, 7],
                    { "x-named": "n" },
                ],
            })
        );
        assert_eq!(form.expires_at, Timestamp(600_000));
    }

    #[test]
    fn fields_are_written_in_their_order() {
        let text = serde_json::to_string(&form().fields).unwrap();
        let names = [
            "key",
            "Content-Type",
            "success_action_status",
            "x-named",
            "policy",
            "signature",
        ];
        let places: Vec<_> = names
            .iter()
            .map(|name| text.find(&format!("\"{name}\":")).unwrap())
            .collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn the_file_comes_only_behind_exactly_these_fields() {
        let form = form();
        let sent = || {
            let part =
                |(name, value): &'_ (&'static str, String)| (name.to_string(), value.clone());
            let mut fields: Vec<_> = form.fields.0.iter().map(part).collect();
            fields.push((FILE_FIELD.into(), "content".into()));
            fields
        };
        let file = |fields: &[(String, String)]| {
            let parts: Vec<_> = fields
                .iter()
                .map(|(name, value)| Part {
                    name: name.clone(),
                    content: value.as_bytes(),
                })
                .collect();
            form.file(&parts).map(<[u8]>::to_vec)
        };
        assert_eq!(file(&sent()), Some(b"content".to_vec()));
        for at in 0..sent().len() {
            let mut without = sent();
            without.remove(at);
            assert_eq!(file(&without), None);
        }
        for at in 0..sent().len() - 1 {
            let mut changed = sent();
            changed[at].1.push('x');
            assert_eq!(file(&changed), None);
            let mut doubled = sent();
            doubled.insert(0, doubled[at].clone());
            assert_eq!(file(&doubled), None);
        }
        let mut file_first = sent();
        file_first.rotate_right(1);
        assert_eq!(file(&file_first), None);
        assert_eq!(form.file(&[]), None);
    }
}
