//! What the gateway checks of every request before it looks at what is asked.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde_json::Value;

use super::{by_name, rsa2};
use crate::encoding::form_pairs;
use crate::http::Request;
use crate::stand_in::Refusal;

/// How far a request's timestamp may be off.
const TOLERANCE_MS: i64 = 24 * 60 * 60 * 1000;
const FORM: &str = "application/x-www-form-urlencoded";

/// A request for a method.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method, such as `alipay.user.certify.open.query`.
    pub method: String,
    /// All parameters, from the query and the form, decoded.
    pub parameters: BTreeMap<String, String>,
    /// The parameter `biz_content`.
    pub biz_content: Value,
}

impl Call {
    /// Reads parameters that may be in the query or the form; official SDKs put `biz_content` into the form
    /// and all others into the query.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let kind = request.header("content-type").unwrap_or_default();
        let kind = kind.to_lowercase().replace(' ', "");
        let mut query = decoded(&request.query)?;
        if !request.body.is_empty() {
            // Without the charset outside of the form, what is not ASCII in it would be read as GBK.
            let is_named = query.iter().any(|(name, _)| name == "charset")
                || kind.ends_with(";charset=utf-8")
                || request.body.is_ascii() && !request.body.contains(&b'%');
            if !kind.starts_with(FORM) || !is_named {
                return Err((200, "isv.invalid-signature"));
            }
            let form =
                std::str::from_utf8(&request.body).map_err(|_| (200, "isv.invalid-charset"))?;
            query.extend(decoded(form)?);
        }
        Self::new(query)
    }

    /// Reads a link.
    pub fn read_link(query: &str) -> Result<Self, Refusal> {
        Self::new(decoded(query)?)
    }

    fn new(pairs: Vec<(String, String)>) -> Result<Self, Refusal> {
        let parameters = by_name(pairs).ok_or((200, "isv.invalid-parameter"))?;
        let method = parameters
            .get("method")
            .ok_or((200, "isv.missing-method"))?;
        let content = parameters.get("biz_content");
        let content = content.and_then(|content| serde_json::from_str(content).ok());
        let biz_content: Value = content.ok_or((200, "isv.invalid-parameter"))?;
        Ok(Self {
            method: method.clone(),
            parameters,
            biz_content,
        })
    }

    /// Checks everything but the signature.
    pub fn check(&self, app_id: &str, now_ms: i64) -> Result<(), Refusal> {
        let parameter = |name: &str, code| {
            let value = self.parameters.get(name).filter(|value| !value.is_empty());
            value.map(String::as_str).ok_or((200, code))
        };
        let required = |is_met: bool, code| if is_met { Ok(()) } else { Err((200, code)) };
        required(
            parameter("app_id", "isv.missing-app-id")? == app_id,
            "isv.invalid-app-id",
        )?;
        required(
            parameter("sign_type", "isv.missing-signature-type")? == "RSA2",
            "isv.invalid-signature-type",
        )?;
        required(
            parameter("version", "isv.missing-version")? == "1.0",
            "isv.invalid-parameter",
        )?;
        required(
            parameter("charset", "isv.invalid-charset")?.eq_ignore_ascii_case("utf-8"),
            "isv.invalid-charset",
        )?;
        let format = self.parameters.get("format").map_or("JSON", String::as_str);
        required(format.eq_ignore_ascii_case("json"), "isv.invalid-format")?;
        let timestamp = parameter("timestamp", "isv.missing-timestamp")?;
        let is_timely = in_china(timestamp).is_some_and(|at| (now_ms - at).abs() <= TOLERANCE_MS);
        required(is_timely, "isv.invalid-timestamp")
    }

    /// What was to be signed: all parameters but the signature.
    pub fn text_to_sign(&self) -> String {
        rsa2::text_to_sign(&self.parameters, &["sign"])
    }

    /// The signature.
    pub fn signature(&self) -> Result<&str, Refusal> {
        let signature = self.parameters.get("sign");
        signature
            .map(String::as_str)
            .ok_or((200, "isv.missing-signature"))
    }
}

/// The method that a refused request asked for, as far as it can be told.
pub fn method_of(request: &Request) -> Option<String> {
    let form = std::str::from_utf8(&request.body).unwrap_or_default();
    let mut pairs = form_pairs(&request.query)?;
    pairs.extend(form_pairs(form).unwrap_or_default());
    let mut methods = pairs.into_iter().filter(|(name, _)| name == "method");
    methods.next().map(|(_, method)| method)
}

fn decoded(form: &str) -> Result<Vec<(String, String)>, Refusal> {
    form_pairs(form).ok_or((200, "isv.invalid-charset"))
}

/// A `yyyy-MM-dd HH:mm:ss` of China's time, in milliseconds since 1970.
pub fn in_china(text: &str) -> Option<i64> {
    let format = "%Y-%m-%d %H:%M:%S";
    let time = DateTime::strptime(format, text).ok()?;
    if time.strftime(format).to_string() != text {
        return None;
    }
    let time = jiff::tz::offset(8).to_timestamp(time).ok()?;
    Some(time.as_millisecond())
}
