//! What Alipay posts to us: messages of the application gateway and trade notifications, both as forms.
//!
//! Signed are all parameters that came, without `sign` and `sign_type`, decoded, sorted by name, empty ones
//! included (<https://opendocs.alipay.com/common/02mse7>). Only messages of Alipay's Lifestyle accounts are
//! signed with `sign_type`, and none comes here; that is why SDKs offer two ways to check.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{App, signed_text};
use crate::variables::Misconfigured;

/// Why a notification is not accepted. Nothing may change because of one.
#[derive(Debug)]
pub enum NotificationError {
    /// Not a form in UTF-8 whose names differ.
    Malformed,
    /// In another charset than UTF-8, by its own account.
    Charset,
    /// Signed in another way than RSA2.
    SignType,
    /// The signature is missing, or is not Alipay's over these parameters.
    BadSignature,
    /// Alipay's, but to another application, or to none that it names: what it says.
    OtherApp(Notification),
    /// Alipay's public key cannot be used.
    Misconfigured(Misconfigured),
}

impl From<Misconfigured> for NotificationError {
    fn from(misconfigured: Misconfigured) -> Self {
        Self::Misconfigured(misconfigured)
    }
}

/// The parameters of a notification that Alipay signed for us. It may be one that came before: what is
/// done because of it must be fit to be done again.
pub struct Notification(BTreeMap<String, String>);

impl Notification {
    /// A parameter's value; `None` if it did not come.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The values may be personal: only names are shown.
impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl App {
    /// Reads a notification once its signature holds. `content_type` is the request's header.
    ///
    /// # Errors
    /// See [`NotificationError`].
    pub fn notification(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Notification, NotificationError> {
        check_content_type(content_type.unwrap_or_default())?;
        let mut parameters = parameters(body)?;
        let sign = parameters.remove("sign");
        let sign_type = parameters.remove("sign_type");
        if sign_type.as_deref() != Some("RSA2") {
            return Err(NotificationError::SignType);
        }
        self.verify(&parameters, &sign.unwrap_or_default())?;
        let is_ours = parameters.get("app_id") == Some(&self.id);
        let notification = Notification(parameters);
        if is_ours {
            Ok(notification)
        } else {
            Err(NotificationError::OtherApp(notification))
        }
    }

    fn verify(
        &self,
        parameters: &BTreeMap<String, String>,
        sign: &str,
    ) -> Result<(), NotificationError> {
        let text = signed_text(parameters.iter().map(|(name, value)| (&**name, &**value)));
        let key = self.alipay_public_key.get()?;
        STANDARD
            .decode(sign)
            .ok()
            .filter(|signature| key.verify(text.as_bytes(), signature).is_ok())
            .map(|_| ())
            .ok_or(NotificationError::BadSignature)
    }
}

/// Read piece by piece: Alipay's own programs are known to write
/// `application/x-www-form-urlencoded; text/html; charset=utf-8`, which is no media type (RFC 9110, 8.3.1).
fn check_content_type(value: &str) -> Result<(), NotificationError> {
    let mut pieces = value.split(';').map(str::trim);
    if !pieces
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    {
        return Err(NotificationError::Malformed);
    }
    for (name, charset) in pieces.filter_map(|piece| piece.split_once('=')) {
        if name.eq_ignore_ascii_case("charset") {
            check_charset(charset.trim_matches('"').as_bytes())?;
        }
    }
    Ok(())
}

fn check_charset(name: &[u8]) -> Result<(), NotificationError> {
    if name.eq_ignore_ascii_case(b"utf-8") {
        Ok(())
    } else {
        Err(NotificationError::Charset)
    }
}

/// Reads `application/x-www-form-urlencoded` more strictly than a browser's parser, which mends what it
/// cannot read: what is mended is not what was signed.
fn parameters(body: &[u8]) -> Result<BTreeMap<String, String>, NotificationError> {
    let pairs: Vec<_> = body
        .split(|&byte| byte == b'&')
        .map(pair)
        .collect::<Option<_>>()
        .ok_or(NotificationError::Malformed)?;
    // Before the text is taken for UTF-8, or another charset would look like a mistake.
    for (_, charset) in pairs.iter().filter(|(name, _)| name == b"charset") {
        check_charset(charset)?;
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in pairs {
        let pair = String::from_utf8(name)
            .ok()
            .zip(String::from_utf8(value).ok());
        let (name, value) = pair.ok_or(NotificationError::Malformed)?;
        // Such a name could shift the border between two signed parameters.
        if name.is_empty() || name.contains(['=', '&']) {
            return Err(NotificationError::Malformed);
        }
        if parameters.insert(name, value).is_some() {
            return Err(NotificationError::Malformed);
        }
    }
    Ok(parameters)
}

fn pair(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let border = text.iter().position(|&byte| byte == b'=')?;
    Some((decode(&text[..border])?, decode(&text[border + 1..])?))
}

/// `None` where a `%` is not followed by two hexadecimal digits.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            other => other,
        });
    }
    Some(decoded)
}

fn digit(byte: &u8) -> Option<u8> {
    let digit = char::from(*byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use url::form_urlencoded::Serializer;

    use super::super::tests::{APP_ID, app, signed_by_alipay};
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

    const MESSAGE: &[(&str, &str)] = &[
        ("app_id", APP_ID),
        ("biz_content", r#"{"certify_id":"a+b/c%20=&"}"#),
        ("charset", "utf-8"),
        ("empty", ""),
        ("msg_method", "alipay.user.certify.open.notify.completed"),
        ("notify_id", "创人脉"),
        ("utc_timestamp", "1516797622752"),
        ("version", "1.1"),
    ];

    fn form(parameters: &[(&str, &str)]) -> String {
        Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish()
    }

    /// `parameters`, which are sorted, with their signature.
    fn signed(parameters: &[(&str, &str)]) -> String {
        let text: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let sign = signed_by_alipay(&text.join("&"));
        let end = form(&[("sign_type", "RSA2"), ("sign", &sign)]);
        format!("{}&{end}", form(parameters))
    }

    fn replaced<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut parameters = MESSAGE.to_vec();
        parameters.retain(|(other, _)| *other != name);
        parameters.push((name, value));
        parameters.sort_unstable();
        parameters
    }

    fn read(body: &str) -> Result<Notification, NotificationError> {
        app().notification(Some(FORM), body.as_bytes())
    }

    macro_rules! assert_refused {
        ($result:expr, $error:ident $(($what:pat))?) => {
            let result = $result;
            assert!(
                matches!(result, Err(NotificationError::$error $(($what))?)),
                "{result:?}"
            );
        };
    }

    #[test]
    fn a_signed_message_is_read() {
        let message = read(&signed(MESSAGE)).unwrap();
        for (name, value) in MESSAGE {
            assert_eq!(message.get(name), Some(*value));
        }
        assert_eq!(message.get("sign"), None);
        assert_eq!(message.get("other"), None);
        assert!(!format!("{message:?}").contains("创人脉"));
    }

    #[test]
    fn order_and_form_of_escapes_do_not_matter() {
        let body = signed(MESSAGE);
        let mut pairs: Vec<_> = body.split('&').collect();
        pairs.reverse();
        assert!(read(&pairs.join("&")).is_ok());
        assert!(read(&body.replace("%2B", "%2b").replace("app_id", "%61pp_id")).is_ok());
    }

    #[test]
    fn a_changed_added_dropped_or_unsigned_parameter_is_refused() {
        let body = signed(MESSAGE);
        assert_refused!(read(&body.replace("1.1", "1.2")), BadSignature);
        assert_refused!(read(&format!("{body}&extra=")), BadSignature);
        assert_refused!(read(&body.replace("empty=&", "")), BadSignature);
        let (unsigned, _) = body.split_once("&sign=").unwrap();
        assert_refused!(read(unsigned), BadSignature);
        assert_refused!(read(&format!("{unsigned}&sign=")), BadSignature);
        assert_refused!(read(&format!("{unsigned}&sign=?")), BadSignature);
    }

    #[test]
    fn another_way_of_signing_is_refused() {
        let body = signed(MESSAGE);
        assert_refused!(read(&body.replace("=RSA2", "=RSA")), SignType);
        assert_refused!(read(&body.replace("&sign_type=RSA2", "")), SignType);
    }

    #[test]
    fn another_application_s_message_is_refused() {
        assert_refused!(
            read(&signed(&replaced("app_id", "2021000000000001"))),
            OtherApp(_)
        );
        assert_refused!(read(&signed(&MESSAGE[1..])), OtherApp(_));
    }

    #[test]
    fn a_parameter_twice_is_refused() {
        let body = signed(MESSAGE);
        assert_refused!(read(&format!("{body}&version=1.1")), Malformed);
        assert_refused!(read(&format!("{body}&%76ersion=1.1")), Malformed);
        assert_refused!(read(&format!("{body}&sign_type=RSA2")), Malformed);
    }

    #[test]
    fn another_charset_is_told_apart() {
        assert_refused!(read(&signed(&replaced("charset", "GBK"))), Charset);
        assert_refused!(read("charset=GBK&biz_content=%B4%B4"), Charset);
        let body = signed(MESSAGE);
        let gbk = "application/x-www-form-urlencoded; charset=GBK";
        assert_refused!(app().notification(Some(gbk), body.as_bytes()), Charset);
        assert!(read(&signed(&replaced("charset", "UTF-8"))).is_ok());
    }

    #[test]
    fn the_content_type_is_a_form() {
        let body = signed(MESSAGE);
        let read = |content_type| app().notification(content_type, body.as_bytes());
        for form in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded;charset=\"utf-8\"",
            "application/x-www-form-urlencoded; text/html; charset=utf-8",
        ] {
            assert!(read(Some(form)).is_ok(), "{form}");
        }
        for other in [
            None,
            Some(""),
            Some("application/json"),
            Some("multipart/form-data"),
        ] {
            assert_refused!(read(other), Malformed);
        }
    }

    #[test]
    fn what_is_no_form_in_utf_8_is_malformed() {
        let body = signed(MESSAGE);
        for end in [
            "&",
            "&x",
            "&=x",
            "&x=%B4%B4",
            "&x=%",
            "&x=%4",
            "&x=%zz",
            "&x%3Dy=z",
        ] {
            assert_refused!(read(&format!("{body}{end}")), Malformed);
        }
        assert_refused!(read(""), Malformed);
        assert_refused!(app().notification(Some(FORM), b"x=\xb4\xb4"), Malformed);
    }

    #[test]
    fn a_parameter_cannot_be_split_off_another_s_name() {
        // Signed as `a=b=c`; read with a name that holds the `=`, it would verify too.
        let body = signed(&[("a", "b=c"), ("app_id", APP_ID)]);
        assert_refused!(read(&body.replace("a=b%3Dc", "a%3Db=c")), Malformed);
    }
}
