//! Alibaba Cloud DirectMail: `SingleSendMail` of Dm 2015-11-23
//! (<https://help.aliyun.com/zh/direct-mail/singlesendmail>), with its parameters in the body.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::json;

use crate::aliyun::{self, Gateway, answer, refusal};
use crate::http::Request;
pub use crate::stand_in::Behaviour;
use crate::stand_in::{Provider, Refusal, StandIn, locked};

/// The sender that is configured in the console.
pub const SENDER: &str = "service@mail.example.cn";

/// A mail that was accepted: all parameters, decoded.
pub type Mail = BTreeMap<String, String>;

/// A running stand-in of the service.
pub type AliyunMail = StandIn<Service>;

/// The service behind its gateway.
pub struct Service {
    gateway: Gateway,
    mails: Mutex<Vec<Mail>>,
}

impl StandIn<Service> {
    /// Starts one that knows this key.
    pub fn start(access_key_id: &str, access_key_secret: &str) -> Self {
        Self::serve(Service {
            gateway: Gateway::new(
                access_key_id,
                access_key_secret,
                "SingleSendMail",
                "2015-11-23",
            ),
            mails: Mutex::default(),
        })
    }

    /// The mails that were accepted, in order.
    pub fn mails(&self) -> Vec<Mail> {
        locked(&self.provider().mails).clone()
    }
}

impl Provider for Service {
    type Accepted = Mail;

    /// Checks a request at the gateway, then the mail.
    fn check(&self, request: &Request, now_ms: i64) -> Result<Mail, Refusal> {
        self.gateway.check(request, now_ms)?;
        // A link in the address would be in logs.
        if !request.query.is_empty() {
            return Err((400, "InvalidParameter"));
        }
        let form = std::str::from_utf8(&request.body).map_err(|_| (400, "InvalidParameter"))?;
        let mail = aliyun::parameters(form)?;
        check_mail(&mail)?;
        Ok(mail)
    }

    fn accept(&self, mail: Mail) -> Vec<u8> {
        locked(&self.mails).push(mail);
        let accepted = json!({
            "EnvId": "600000000123456789",
            "RequestId": "12D086F6-8F31-4658-84C1-006DED011A85",
        });
        answer(200, &accepted)
    }

    fn refuse(&self, _request: &Request, (status, code): Refusal) -> Vec<u8> {
        answer(status, &refusal(code))
    }
}

fn check_mail(mail: &Mail) -> Result<(), Refusal> {
    let parameter = |name: &str| mail.get(name).map(String::as_str).unwrap_or_default();
    if parameter("AccountName") != SENDER {
        return Err((400, "InvalidMailAddress.NotFound"));
    }
    if !["0", "1"].contains(&parameter("AddressType"))
        || !["true", "false"].contains(&parameter("ReplyToAddress"))
    {
        return Err((400, "InvalidParameter"));
    }
    if !(1..=100).contains(&parameter("Subject").chars().count()) {
        return Err((400, "InvalidSubject.Malformed"));
    }
    if parameter("TextBody").is_empty() && parameter("HtmlBody").is_empty() {
        return Err((400, "InvalidBody"));
    }
    let to = parameter("ToAddress");
    if to.matches('@').count() != 1 || to.contains([',', ' ']) {
        return Err((400, "InvalidToAddress"));
    }
    Ok(())
}
