//! Alibaba Cloud Short Message Service: `SendSms` of Dysmsapi 2017-05-25, signed with ACS3-HMAC-SHA256
//! (<https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature>).

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::http::Request;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// How far a request's date may be off.
const TOLERANCE_MS: i64 = 15 * 60 * 1000;
/// What must be signed besides `host`, and `content-type` where there is one.
const SIGNED: [&str; 5] = [
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];
/// RFC 3986's unreserved characters stay.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// How the next request is answered, whatever it says. It is still checked: one that is refused is
/// answered as the provider refuses it.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// With this status and `Code`; the message is not accepted.
    Refuse(u16, &'static str),
    /// With these bytes on the wire, whatever they are.
    Raw(Vec<u8>),
    /// Accepts the message and never answers.
    Hang,
    /// Accepts the message and answers a byte a second.
    Drip,
    /// Breaks the connection off.
    Close,
}

/// A message that was accepted.
#[derive(Clone, Debug)]
pub struct Message {
    /// All parameters, decoded.
    pub parameters: BTreeMap<String, String>,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A running stand-in. It listens until the process ends.
pub struct AliyunSms {
    shared: Arc<Shared>,
    url: String,
}

struct Shared {
    access_key_id: String,
    access_key_secret: String,
    state: Mutex<State>,
    /// Hanging connections wait here.
    released: Condvar,
}

#[derive(Default)]
struct State {
    now_ms: Option<i64>,
    planned: VecDeque<Behaviour>,
    nonces: HashSet<String>,
    messages: Vec<Message>,
    refusals: Vec<&'static str>,
    is_released: bool,
}

/// A refusal: status and `Code`.
type Refusal = (u16, &'static str);

impl AliyunSms {
    /// Starts one that knows this key.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub fn start(access_key_id: &str, access_key_secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            access_key_id: access_key_id.to_owned(),
            access_key_secret: access_key_secret.to_owned(),
            state: Mutex::default(),
            released: Condvar::new(),
        });
        let server = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        let url = format!("http://{address}");
        Self { shared, url }
    }

    /// `http://address`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The time that dates are compared with, in milliseconds since 1970; real time until this is set.
    pub fn set_clock(&self, now_ms: i64) {
        self.shared.state().now_ms = Some(now_ms);
    }

    /// The next request is answered so, the one after it after the next call of this, then as usual.
    pub fn plan(&self, behaviour: Behaviour) {
        self.shared.state().planned.push_back(behaviour);
    }

    /// The messages that were accepted, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.state().messages.clone()
    }

    /// The codes of the requests that were refused because something is wrong with them.
    pub fn refusals(&self) -> Vec<&'static str> {
        self.shared.state().refusals.clone()
    }
}

impl Drop for AliyunSms {
    fn drop(&mut self) {
        self.shared.state().is_released = true;
        self.shared.released.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some(request) = Request::read(&stream) else {
            return;
        };
        let behaviour = self.state().planned.pop_front();
        let outcome = self.check(&request);
        if let Err((_, code)) = outcome {
            self.state().refusals.push(code);
        }
        // A client that has gone away is no fault of the stand-in's.
        let _ = match (outcome, behaviour) {
            (Err((status, code)), _) | (Ok(_), Some(Behaviour::Refuse(status, code))) => {
                stream.write_all(&answer(status, &refusal(code)))
            }
            (Ok(_), Some(Behaviour::Raw(bytes))) => stream.write_all(&bytes),
            (Ok(_), Some(Behaviour::Close)) => Ok(()),
            (Ok(message), Some(Behaviour::Hang)) => {
                self.accept(message);
                self.wait(Duration::MAX);
                Ok(())
            }
            (Ok(message), Some(Behaviour::Drip)) => {
                self.accept(message);
                self.drip(&mut stream)
            }
            (Ok(message), None) => {
                self.accept(message);
                stream.write_all(&answer(200, &accepted()))
            }
        };
    }

    fn accept(&self, message: Message) {
        self.state().messages.push(message);
    }

    /// Waits, but not longer than the stand-in lives; whether it still lives.
    fn wait(&self, time: Duration) -> bool {
        let state = self.state();
        let time = time.min(Duration::from_secs(60));
        let waited = self
            .released
            .wait_timeout_while(state, time, |state| !state.is_released);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_released
    }

    fn drip(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        for byte in answer(200, &accepted()) {
            stream.write_all(&[byte])?;
            if !self.wait(Duration::from_secs(1)) {
                break;
            }
        }
        Ok(())
    }

    /// Checks a request in the gateway's order, then the message.
    fn check(&self, request: &Request) -> Result<Message, Refusal> {
        if request.method != "POST" || request.path != "/" {
            return Err((403, "UnsupportedHTTPMethod"));
        }
        let header = |name: &str| request.header(name).ok_or((400, "MissingParameter"));
        if header("x-acs-version")? != "2017-05-25" {
            return Err((404, "InvalidVersion"));
        }
        if header("x-acs-action")? != "SendSms" {
            return Err((404, "InvalidAction.NotFound"));
        }
        self.check_date(header("x-acs-date")?)?;
        self.check_signature(request)?;
        if !self
            .state()
            .nonces
            .insert(header("x-acs-signature-nonce")?.to_owned())
        {
            return Err((400, "SignatureNonceUsed"));
        }
        let parameters = decode(&request.query);
        check_message(&parameters)?;
        Ok(Message {
            parameters,
            headers: request.headers.clone(),
            body: request.body.clone(),
        })
    }

    fn check_date(&self, text: &str) -> Result<(), Refusal> {
        let format = "%Y-%m-%dT%H:%M:%SZ";
        let date: Option<jiff::Timestamp> = text.parse().ok();
        let date = date.filter(|date| date.strftime(format).to_string() == text);
        let date = date.ok_or((400, "InvalidTimeStamp.Format"))?;
        let off = self.now_ms() - date.as_millisecond();
        if off.abs() > TOLERANCE_MS {
            return Err((400, "InvalidTimeStamp.Expired"));
        }
        Ok(())
    }

    fn now_ms(&self) -> i64 {
        let real = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let millis = since.expect("the clock is right").as_millis();
            i64::try_from(millis).expect("this is not the far future")
        };
        self.state().now_ms.unwrap_or_else(real)
    }

    fn check_signature(&self, request: &Request) -> Result<(), Refusal> {
        let authorization = request
            .header("authorization")
            .ok_or((400, "IncompleteSignature"))?;
        let given = Authorization::parse(authorization).ok_or((400, "IncompleteSignature"))?;
        if given.credential != self.access_key_id {
            return Err((404, "InvalidAccessKeyId.NotFound"));
        }
        let names: Vec<_> = given.signed_headers.split(';').collect();
        let has_all = SIGNED
            .iter()
            .chain(&["host"])
            .all(|name| names.contains(name));
        let type_is_signed =
            request.header("content-type").is_none() || names.contains(&"content-type");
        if !names.is_sorted() || !has_all || !type_is_signed {
            return Err((400, "IncompleteSignature"));
        }
        let payload_hash = hex(&Sha256::digest(&request.body));
        if request.header("x-acs-content-sha256") != Some(&payload_hash) {
            return Err((400, "SignatureDoesNotMatch"));
        }
        let signature = self.signature(request, &names, &payload_hash);
        if signature.as_deref() != Some(given.signature) {
            return Err((400, "SignatureDoesNotMatch"));
        }
        Ok(())
    }

    /// The signature of what came; `None` if a signed header did not.
    fn signature(&self, request: &Request, names: &[&str], payload_hash: &str) -> Option<String> {
        let mut lines = String::new();
        for name in names {
            lines += &format!("{name}:{}\n", request.header(name)?);
        }
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{}\n{payload_hash}",
            request.method,
            request.path,
            canonical_query(&request.query),
            names.join(";"),
        );
        let to_sign = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.access_key_secret.as_bytes()).ok()?;
        mac.update(to_sign.as_bytes());
        Some(hex(&mac.finalize().into_bytes()))
    }
}

struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?.split(',');
        let authorization = Self {
            credential: parts.next()?.strip_prefix("Credential=")?,
            signed_headers: parts.next()?.strip_prefix("SignedHeaders=")?,
            signature: parts.next()?.strip_prefix("Signature=")?,
        };
        parts.next().is_none().then_some(authorization)
    }
}

fn check_message(parameters: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let parameter = |name: &str| {
        let value = parameters.get(name).filter(|value| !value.is_empty());
        value.map(String::as_str).ok_or((400, "MissingParameter"))
    };
    let phone = parameter("PhoneNumbers")?;
    if phone.len() != 11 || !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((200, "isv.MOBILE_NUMBER_ILLEGAL"));
    }
    parameter("SignName")?;
    if !parameter("TemplateCode")?.starts_with("SMS_") {
        return Err((200, "isv.SMS_TEMPLATE_ILLEGAL"));
    }
    let values: Value = serde_json::from_str(parameter("TemplateParam")?).unwrap_or_default();
    let values = values.as_object().ok_or((200, "isv.INVALID_JSON_PARAM"))?;
    if !values.values().all(Value::is_string) {
        return Err((200, "isv.INVALID_JSON_PARAM"));
    }
    let is_code = |value: &Value| {
        value
            .as_str()
            .is_some_and(|code| (4..=6).contains(&code.len()))
    };
    match (values.len(), values.get("code")) {
        (1, Some(code)) if is_code(code) => Ok(()),
        (1, Some(_)) => Err((200, "isv.TEMPLATE_PARAMS_ILLEGAL")),
        (_, Some(_)) => Err((200, "isv.TEMPLATE_PARAMETER_COUNT_ILLEGAL")),
        (_, None) => Err((200, "isv.TEMPLATE_MISSING_PARAMETERS")),
    }
}

/// As a server decodes it: a `+` is a space, so who signs a `+` for a space signs something else.
fn decode(query: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn canonical_query(query: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let pairs = decode(query);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn accepted() -> Value {
    json!({
        "Message": "OK",
        "RequestId": "F655A8D5-B967-440B-8683-DAD6FF8DE990",
        "Code": "OK",
        "BizId": "900619746936498440^0",
    })
}

fn refusal(code: &str) -> Value {
    json!({
        "Message": "refused",
        "RequestId": "C0A0BE93-B44F-4350-BCC8-B677F78C3802",
        "Code": code,
    })
}

fn answer(status: u16, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json;charset=utf-8\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example (固定参数示例) of the signature's documentation.
    #[test]
    fn the_published_example_has_the_published_signature() {
        let sms = AliyunSms::start("YourAccessKeyId", "YourAccessKeySecret");
        let payload_hash = hex(&Sha256::digest([]));
        let headers = [
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", &payload_hash),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ];
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query:
                "RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
                    .into(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: Vec::new(),
        };
        let names = headers.map(|(name, _)| name);
        assert_eq!(
            sms.shared
                .signature(&request, &names, &payload_hash)
                .as_deref(),
            Some("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")
        );
    }

    #[test]
    fn an_encoded_plus_and_a_plus_are_different_texts() {
        assert_eq!(canonical_query("a=b%2Bc&A=%20+"), "A=%20%20&a=b%2Bc");
    }
}
