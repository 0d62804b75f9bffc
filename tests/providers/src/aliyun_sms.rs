//! Alibaba Cloud Short Message Service: `SendSms` of Dysmsapi 2017-05-25.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::aliyun::{self, Gateway, answer, refusal};
use crate::http::Request;
pub use crate::stand_in::Behaviour;
use crate::stand_in::{Provider, Refusal, StandIn, locked};

/// A template that has no variables: `TemplateParam` can be left out. Every other template has the variable `code`.
pub const TEMPLATE_WITHOUT_VARIABLES: &str = "SMS_480000001";

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

/// A running stand-in of the service.
pub type AliyunSms = StandIn<Service>;

/// The service behind its gateway.
pub struct Service {
    gateway: Gateway,
    messages: Mutex<Vec<Message>>,
}

impl StandIn<Service> {
    /// Starts one that knows this key.
    pub fn start(access_key_id: &str, access_key_secret: &str) -> Self {
        Self::serve(Service {
            gateway: Gateway::new(access_key_id, access_key_secret, "SendSms", "2017-05-25"),
            messages: Mutex::default(),
        })
    }

    /// The messages that were accepted, in order.
    pub fn messages(&self) -> Vec<Message> {
        locked(&self.provider().messages).clone()
    }
}

impl Provider for Service {
    type Accepted = Message;

    /// Checks a request at the gateway, then the message.
    fn check(&self, request: &Request, now_ms: i64) -> Result<Message, Refusal> {
        self.gateway.check(request, now_ms)?;
        let parameters = aliyun::parameters(&request.query)?;
        check_message(&parameters)?;
        Ok(Message {
            parameters,
            headers: request.headers.clone(),
            body: request.body.clone(),
        })
    }

    fn accept(&self, message: Message) -> Vec<u8> {
        locked(&self.messages).push(message);
        answer(200, &accepted())
    }

    fn refuse(&self, _request: &Request, (status, code): Refusal) -> Vec<u8> {
        answer(status, &refusal(code))
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
    if parameters["TemplateCode"] == TEMPLATE_WITHOUT_VARIABLES {
        return Ok(());
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

fn accepted() -> Value {
    json!({
        "Message": "OK",
        "RequestId": "F655A8D5-B967-440B-8683-DAD6FF8DE990",
        "Code": "OK",
        "BizId": "900619746936498440^0",
    })
}
