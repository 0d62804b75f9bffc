//! What WeChat checks of a request: its signature, and that its content is as documented.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::book::{Command, RefundTerms, Terms};
use super::{APPID, CERTIFICATE_SERIAL, JSAPI_APPID, MCHID, PUBLIC_KEY_ID, SERIAL};
use crate::encoding::{form_pairs, percent_decoded};
use crate::http::Request;
use crate::rsa::Key;
use crate::stand_in::Refusal;

const TOLERANCE_MS: u64 = 5 * 60 * 1000;
const SIGN_ERROR: Refusal = (401, "SIGN_ERROR");
const PARAM_ERROR: Refusal = (400, "PARAM_ERROR");
const INVALID_REQUEST: Refusal = (400, "INVALID_REQUEST");

/// A request that is signed.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path, undecoded.
    pub path: String,
    /// What follows the `?`, undecoded.
    pub query: String,
    /// The content; `null` if there is none.
    pub body: Value,
}

/// Checks everything but what is asked for.
pub fn check(request: &Request, merchant_key: &Key, now_ms: i64) -> Result<Call, Refusal> {
    let body = std::str::from_utf8(&request.body).map_err(|_| INVALID_REQUEST)?;
    check_signature(request, body, merchant_key, now_ms)?;
    let is_known = |serial| [PUBLIC_KEY_ID, CERTIFICATE_SERIAL].contains(&serial);
    let is_json = |header| only(request, header) == Some("application/json");
    let is_in_order = only(request, "user-agent").is_some_and(|agent| !agent.is_empty())
        && is_json("accept")
        && only(request, "wechatpay-serial").is_some_and(is_known)
        && (body.is_empty() || is_json("content-type"));
    if !is_in_order {
        return Err(INVALID_REQUEST);
    }
    let content = match body {
        "" => Value::Null,
        json => serde_json::from_str(json).map_err(|_| INVALID_REQUEST)?,
    };
    Ok(Call {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        body: content,
    })
}

fn check_signature(
    request: &Request,
    body: &str,
    merchant_key: &Key,
    now_ms: i64,
) -> Result<(), Refusal> {
    let authorization = only(request, "authorization").ok_or(SIGN_ERROR)?;
    let signed = pairs(authorization).ok_or(SIGN_ERROR)?;
    let part = |name: &str| signed.get(name).copied().ok_or(SIGN_ERROR);
    let (timestamp, nonce) = (part("timestamp")?, part("nonce_str")?);
    let at: i64 = timestamp.parse().map_err(|_| SIGN_ERROR)?;
    let target = match request.query.as_str() {
        "" => request.path.clone(),
        query => format!("{}?{query}", request.path),
    };
    let text = format!(
        "{}\n{target}\n{timestamp}\n{nonce}\n{body}\n",
        request.method
    );
    let is_ours = signed.len() == 5
        && part("mchid")? == MCHID
        && part("serial_no")? == SERIAL
        && (1..=32).contains(&nonce.len())
        && now_ms.abs_diff(at.saturating_mul(1000)) <= TOLERANCE_MS
        && merchant_key.verifies(&text, part("signature")?);
    is_ours.then_some(()).ok_or(SIGN_ERROR)
}

/// The pairs in `Authorization`; `None` if it is not as documented.
fn pairs(authorization: &str) -> Option<BTreeMap<&str, &str>> {
    let pairs = authorization.strip_prefix("WECHATPAY2-SHA256-RSA2048 ")?;
    let mut found = BTreeMap::new();
    for pair in pairs.split(',') {
        let (name, value) = pair.split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        if found.insert(name, value).is_some() {
            return None;
        }
    }
    Some(found)
}

/// A header that comes once.
fn only<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(header, _)| header == name);
    let (_, value) = found.next().filter(|_| found.next().is_none())?;
    Some(value)
}

impl Call {
    /// What is asked for.
    pub fn command(&self) -> Result<Command, Refusal> {
        let segments: Vec<_> = self.path.split('/').skip(1).collect();
        match (self.method.as_str(), segments.as_slice()) {
            ("GET", ["v3", "pay", "transactions", "out-trade-no", number]) => {
                let query = form_pairs(&self.query).ok_or(PARAM_ERROR)?;
                if query != [("mchid".to_owned(), MCHID.to_owned())] {
                    return Err(PARAM_ERROR);
                }
                order_number(decoded(number)?).map(Command::Query)
            }
            _ if !self.query.is_empty() => Err(PARAM_ERROR),
            ("POST", ["v3", "pay", "transactions", "app"]) => self.prepay("APP", APPID),
            ("POST", ["v3", "pay", "transactions", "jsapi"]) => self.prepay("JSAPI", JSAPI_APPID),
            ("POST", ["v3", "pay", "transactions", "out-trade-no", number, "close"]) => {
                let content = members(&self.body, &["mchid"])?;
                let number = order_number(decoded(number)?)?;
                let is_ours = content["mchid"] == MCHID;
                is_ours.then_some(Command::Close(number)).ok_or(PARAM_ERROR)
            }
            ("POST", ["v3", "refund", "domestic", "refunds"]) => self.refund(),
            ("GET", ["v3", "refund", "domestic", "refunds", number]) => {
                refund_number(decoded(number)?).map(Command::QueryRefund)
            }
            _ => Err((404, "NOT_FOUND")),
        }
    }

    fn prepay(&self, trade_type: &'static str, appid: &str) -> Result<Command, Refusal> {
        let mut names = vec![
            "appid",
            "mchid",
            "description",
            "out_trade_no",
            "time_expire",
            "notify_url",
            "amount",
        ];
        let openid = if trade_type == "JSAPI" {
            names.push("payer");
            let payer = members(&self.body["payer"], &["openid"])?;
            Some(text(payer, "openid", 128)?)
        } else {
            None
        };
        let content = members(&self.body, &names)?;
        if text(content, "mchid", 32)? != MCHID || text(content, "appid", 32)? != appid {
            return Err((400, "APPID_MCHID_NOT_MATCH"));
        }
        let amount = members(&content["amount"], &["total", "currency"])?;
        Ok(Command::Prepay(Terms {
            trade_type,
            appid: appid.to_owned(),
            description: text(content, "description", 127)?,
            out_trade_no: order_number(text(content, "out_trade_no", 32)?)?,
            time_expire_ms: moment(&text(content, "time_expire", 64)?)?,
            notify_url: notify_url(text(content, "notify_url", 255)?)?,
            total: fen(amount, "total")?,
            openid,
        }))
    }

    fn refund(&self) -> Result<Command, Refusal> {
        let names = ["out_trade_no", "out_refund_no", "notify_url", "amount"];
        let content = members(&self.body, &names)?;
        let amount = members(&content["amount"], &["refund", "total", "currency"])?;
        Ok(Command::Refund(RefundTerms {
            out_trade_no: order_number(text(content, "out_trade_no", 32)?)?,
            out_refund_no: refund_number(text(content, "out_refund_no", 64)?)?,
            notify_url: notify_url(text(content, "notify_url", 256)?)?,
            refund: fen(amount, "refund")?,
            total: fen(amount, "total")?,
        }))
    }
}

fn decoded(segment: &str) -> Result<String, Refusal> {
    percent_decoded(segment).ok_or(PARAM_ERROR)
}

/// An object with these members and no others.
fn members<'a>(value: &'a Value, names: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let has_all = |object: &&Map<_, _>| {
        object.len() == names.len() && names.iter().all(|name| object.contains_key(*name))
    };
    value.as_object().filter(has_all).ok_or(PARAM_ERROR)
}

/// A text of so many characters at most, and one at least.
fn text(content: &Map<String, Value>, name: &str, limit: usize) -> Result<String, Refusal> {
    content[name]
        .as_str()
        .filter(|text| (1..=limit).contains(&text.chars().count()))
        .map(str::to_owned)
        .ok_or(PARAM_ERROR)
}

fn fen(amount: &Map<String, Value>, name: &str) -> Result<i64, Refusal> {
    let is_in_order = |fen: &i64| *fen > 0 && amount["currency"] == "CNY";
    amount[name].as_i64().filter(is_in_order).ok_or(PARAM_ERROR)
}

fn order_number(number: String) -> Result<String, Refusal> {
    numbered(number, 6..=32, "_-|*")
}

fn refund_number(number: String) -> Result<String, Refusal> {
    numbered(number, 1..=64, "_-|*@")
}

fn numbered(
    number: String,
    length: std::ops::RangeInclusive<usize>,
    others: &str,
) -> Result<String, Refusal> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || others.contains(character);
    let is_number = length.contains(&number.len()) && number.chars().all(is_allowed);
    is_number.then_some(number).ok_or(PARAM_ERROR)
}

/// `https`, or `http` as far as this machine, and no parameters.
fn notify_url(url: String) -> Result<String, Refusal> {
    let is_web = url.starts_with("https://") || url.starts_with("http://127.0.0.1:");
    let is_plain = !url.contains(['?', '#']);
    (is_web && is_plain).then_some(url).ok_or(PARAM_ERROR)
}

/// A `yyyy-MM-DDTHH:mm:ss+TIMEZONE` in milliseconds since 1970.
fn moment(text: &str) -> Result<i64, Refusal> {
    let moment = text.parse::<Timestamp>().map_err(|_| PARAM_ERROR)?;
    let form = "0000-00-00T00:00:00+00:00";
    let is_like = |(character, like): (char, char)| match like {
        '0' => character.is_ascii_digit(),
        '+' => "+-".contains(character),
        _ => character == like,
    };
    let is_documented = text.len() == form.len() && text.chars().zip(form.chars()).all(is_like);
    let moment = is_documented.then_some(moment).ok_or(PARAM_ERROR)?;
    Ok(moment.as_millisecond())
}
