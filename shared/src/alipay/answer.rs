//! Answers of the gateway.
//!
//! An answer is `{"<method>_response": {…}, "sign": "…"}`, and the signature is over the text of the first
//! member's value exactly as it came (<https://opendocs.alipay.com/common/02mse7>). So that text is taken by
//! a parser that keeps it, never searched for by name: a value may hold the same names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::App;
use crate::variables::Misconfigured;

/// The code of an answer that did what was asked (<https://opendocs.alipay.com/common/02km9f>).
const SUCCESS: &str = "10000";

/// Why an answer gives nothing to act upon.
#[derive(Debug)]
pub enum AnswerError {
    /// Not an answer to this method, or one whose signed content does not read as expected.
    Malformed,
    /// The signature is missing from a success, or is not Alipay's over this text.
    BadSignature,
    /// Alipay said no, and signed that.
    Refused(Refusal),
    /// A refusal that nobody signed, or that is not bound to the method (`error_response`): the gateway
    /// could not make sense of the request, or someone else answered. It proves nothing: change nothing
    /// because of it.
    Gateway(Refusal),
    /// Alipay's public key cannot be used.
    Misconfigured(Misconfigured),
}

impl From<Misconfigured> for AnswerError {
    fn from(misconfigured: Misconfigured) -> Self {
        Self::Misconfigured(misconfigured)
    }
}

/// What went wrong in Alipay's words. The words for people (`msg`, `sub_msg`) are left out: they may repeat
/// the request.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// The gateway's code, such as `40004`.
    pub code: String,
    /// The method's own, such as `ACQ.TRADE_NOT_EXIST`.
    pub sub_code: Option<String>,
}

impl App {
    /// Reads the answer to `method` once its signature holds.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn answer<T: DeserializeOwned>(&self, method: &str, body: &[u8]) -> Result<T, AnswerError> {
        let Members(members) = read(body)?;
        let name = format!("{}_response", method.replace('.', "_"));
        let content = match (members.get(&*name), members.get("error_response")) {
            (Some(content), None) => content.get(),
            (None, Some(error)) => return Err(unproven(error.get(), AnswerError::Malformed)),
            _ => return Err(AnswerError::Malformed),
        };
        let Some(sign) = members.get("sign") else {
            return Err(unproven(content, AnswerError::BadSignature));
        };
        let sign: String = read(sign.get().as_bytes())?;
        let content = self.verified(content, &sign)?;
        match refusal(&content)? {
            Some(refusal) => Err(AnswerError::Refused(refusal)),
            None => read(content.as_bytes()),
        }
    }

    /// The text that was signed: `content`, or `content` with its slashes unescaped. Alipay's Java SDK
    /// tries both, since the gateway is known to sign `/` and send `\/`. Only the returned text may be
    /// read.
    fn verified<'a>(&self, content: &'a str, sign: &str) -> Result<Cow<'a, str>, AnswerError> {
        let key = self.alipay_public_key.get()?;
        let signature = STANDARD
            .decode(sign)
            .map_err(|_| AnswerError::BadSignature)?;
        if key.verify(content.as_bytes(), &signature).is_ok() {
            return Ok(Cow::Borrowed(content));
        }
        let unescaped = content.replace(r"\/", "/");
        if unescaped != content && key.verify(unescaped.as_bytes(), &signature).is_ok() {
            return Ok(Cow::Owned(unescaped));
        }
        Err(AnswerError::BadSignature)
    }
}

/// What an answer without a proof amounts to: a refusal, or `otherwise` where it claims success.
fn unproven(content: &str, otherwise: AnswerError) -> AnswerError {
    match refusal(content) {
        Ok(Some(refusal)) => AnswerError::Gateway(refusal),
        Ok(None) => otherwise,
        Err(error) => error,
    }
}

/// `None` if what was asked was done.
fn refusal(content: &str) -> Result<Option<Refusal>, AnswerError> {
    let outcome: Refusal = read(content.as_bytes())?;
    Ok((outcome.code != SUCCESS).then_some(outcome))
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, AnswerError> {
    serde_json::from_slice(json).map_err(|_| AnswerError::Malformed)
}

/// The members of a JSON object, their values as they came. A name that comes twice is refused: one of
/// the two would be verified and the other perhaps read.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose members' names differ")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a name twice"));
            }
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::ALIPAY_PUBLIC_KEY;
    use super::super::tests::{app, signed_by_alipay};
    use super::*;
    use crate::crypto::rsa::LazyKey;

    const METHOD: &str = "alipay.user.certify.open.query";
    const NAME: &str = "alipay_user_certify_open_query_response";

    fn answer(body: &str) -> Result<Value, AnswerError> {
        app().answer(METHOD, body.as_bytes())
    }

    fn signed(content: &str) -> String {
        let sign = signed_by_alipay(content);
        format!(r#"{{"{NAME}":{content},"sign":"{sign}"}}"#)
    }

    fn is_malformed(body: &str) -> bool {
        matches!(answer(body), Err(AnswerError::Malformed))
    }

    fn is_badly_signed(body: &str) -> bool {
        matches!(answer(body), Err(AnswerError::BadSignature))
    }

    #[test]
    fn a_signed_success_is_read() {
        let body = signed(r#"{"code":"10000","msg":"Success","passed":"T"}"#);
        assert_eq!(answer(&body).unwrap()["passed"], "T");
    }

    #[test]
    fn the_text_is_verified_as_it_came() {
        for content in [
            r#"{ "code" : "10000" ,  "passed":"T" }"#,
            r#"{"passed":"T","code":"10000","x":"\u521b\/人"}"#,
            r#"{"code":"10000","passed":"T","x":{"alipay_user_certify_open_query_response":{"sign":"}"}}}"#,
            r#"{"code":"10000","passed":"T","x":"\",\"sign\":\"AAAA\"}"}"#,
        ] {
            let body = signed(content);
            assert_eq!(answer(&body).unwrap()["passed"], "T", "{content}");
            let spaced = body.replacen(':', " :\n ", 1);
            assert_eq!(answer(&spaced).unwrap()["passed"], "T", "{content}");
        }
    }

    #[test]
    fn the_order_of_members_and_unknown_ones_do_not_matter() {
        let content = r#"{"code":"10000"}"#;
        let sign = signed_by_alipay(content);
        let body = format!(r#"{{"sign":"{sign}","alipay_cert_sn":"1","{NAME}":{content}}}"#);
        assert!(answer(&body).is_ok());
    }

    #[test]
    fn escaped_slashes_may_have_been_signed_unescaped() {
        let sign = signed_by_alipay(r#"{"code":"10000","url":"https://a/b"}"#);
        let sent = r#"{"code":"10000","url":"https:\/\/a\/b"}"#;
        let body = format!(r#"{{"{NAME}":{sent},"sign":"{sign}"}}"#);
        assert_eq!(answer(&body).unwrap()["url"], "https://a/b");
    }

    #[test]
    fn what_unescaping_changes_is_read_as_it_was_signed() {
        // Sent, this reads as a backslash and a slash; signed was a slash alone.
        let sign = signed_by_alipay(r#"{"code":"10000","x":"\/"}"#);
        let body = format!(r#"{{"{NAME}":{{"code":"10000","x":"\\/"}},"sign":"{sign}"}}"#);
        assert_eq!(answer(&body).unwrap()["x"], "/");
    }

    #[test]
    fn a_signed_refusal_keeps_its_codes_only() {
        let body = signed(r#"{"code":"40004","msg":"m","sub_code":"X","sub_msg":"张三"}"#);
        let error = answer(&body).unwrap_err();
        assert!(!format!("{error:?}").contains("张三"));
        let expected = Refusal {
            code: "40004".to_owned(),
            sub_code: Some("X".to_owned()),
        };
        assert!(matches!(error, AnswerError::Refused(refusal) if refusal == expected));
    }

    #[test]
    fn changed_moved_and_unsigned_texts_are_refused() {
        let body = signed(r#"{"code":"10000","passed":"F"}"#);
        assert!(is_badly_signed(&body.replace(r#""F""#, r#""T""#)));
        assert!(is_badly_signed(
            &body.replace(r#","passed""#, r#", "passed""#)
        ));
        assert!(is_badly_signed(&format!(
            r#"{{"{NAME}":{{"code":"10000"}}}}"#
        )));
        assert!(is_badly_signed(&format!(
            r#"{{"{NAME}":{{"code":"10000"}},"sign":""}}"#
        )));
        assert!(is_badly_signed(&format!(
            r#"{{"{NAME}":{{"code":"10000"}},"sign":"?"}}"#
        )));
        let other_method = body.replacen(NAME, "alipay_trade_query_response", 1);
        assert!(is_malformed(&other_method));
    }

    #[test]
    fn a_name_twice_is_refused() {
        let body = signed(r#"{"code":"10000"}"#);
        let evil = r#"{"code":"10000","passed":"T"}"#;
        let open = body.strip_prefix('{').unwrap();
        let close = body.strip_suffix('}').unwrap();
        let escaped = NAME.replacen('a', r"\u0061", 1);
        assert!(is_malformed(&format!(r#"{{"{NAME}":{evil},{open}"#)));
        assert!(is_malformed(&format!(r#"{close},"{NAME}":{evil}}}"#)));
        assert!(is_malformed(&format!(r#"{close},"{escaped}":{evil}}}"#)));
        assert!(is_malformed(&format!(r#"{close},"sign":"AAAA"}}"#)));
        assert!(is_malformed(&format!(
            r#"{close},"error_response":{evil}}}"#
        )));
    }

    #[test]
    fn a_refusal_that_proves_nothing_is_told_apart() {
        let refusal = json!({ "code": "40002", "sub_code": "isv.invalid-signature" });
        let sign = signed_by_alipay(&refusal.to_string());
        for body in [
            format!(r#"{{"error_response":{refusal}}}"#),
            format!(r#"{{"error_response":{refusal},"sign":"{sign}"}}"#),
            format!(r#"{{"{NAME}":{refusal}}}"#),
        ] {
            assert!(
                matches!(answer(&body), Err(AnswerError::Gateway(refusal)) if refusal.code == "40002"),
                "{body}"
            );
        }
    }

    #[test]
    fn success_is_never_an_error_response() {
        let content = r#"{"code":"10000"}"#;
        let sign = signed_by_alipay(content);
        let body = format!(r#"{{"error_response":{content},"sign":"{sign}"}}"#);
        assert!(is_malformed(&body));
    }

    #[test]
    fn what_is_no_answer_is_malformed() {
        let body = signed(r#"{"code":"10000"}"#);
        for body in [
            "",
            "{}",
            "[]",
            "<html>",
            &format!("{body}{body}"),
            &body[..body.len() - 1],
            &signed("\"text\""),
            &signed(r#"{"msg":"no code"}"#),
            &format!(r#"{{"{NAME}":{{"code":"10000"}},"sign":1}}"#),
        ] {
            assert!(is_malformed(body), "{body}");
        }
        let error = app().answer::<Value>(METHOD, b"{\"x\":\"\xb4\xb4\"}");
        assert!(matches!(error, Err(AnswerError::Malformed)));
        let mistyped = app().answer::<Vec<u8>>(METHOD, body.as_bytes());
        assert!(matches!(mistyped, Err(AnswerError::Malformed)));
    }

    #[test]
    fn a_key_that_cannot_be_used_is_named() {
        let app = App {
            alipay_public_key: LazyKey::public(ALIPAY_PUBLIC_KEY, "AQID".to_owned()),
            ..app()
        };
        let error = app.answer::<Value>(METHOD, signed(r#"{"code":"10000"}"#).as_bytes());
        assert!(
            matches!(error, Err(AnswerError::Misconfigured(it)) if it.variable == "alipay_public_key")
        );
    }
}
