//! Orders and refunds, and what can become of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::MCHID;
use crate::encoding::sha256_hex;
use crate::stand_in::Refusal;

const HOUR_MS: i64 = 60 * 60 * 1000;
/// How long a `prepay_id` calls up a payment.
const PREPAY_ID_MS: i64 = 2 * HOUR_MS;
/// An order can be paid for this long at least.
const TO_PAY_MS: i64 = 60 * 1000;
/// How long after the payment a refund can be asked for.
const TO_REFUND_MS: i64 = 365 * 24 * HOUR_MS;
/// How many refunds an order can have.
const MAX_REFUNDS: usize = 50;

const ORDER_NOT_EXIST: Refusal = (404, "ORDER_NOT_EXIST");
const ORDER_CLOSED: Refusal = (400, "ORDER_CLOSED");
const ORDER_PAID: Refusal = (400, "ORDERPAID");
const RESOURCE_NOT_EXISTS: Refusal = (404, "RESOURCE_NOT_EXISTS");
const INVALID_REQUEST: Refusal = (400, "INVALID_REQUEST");

/// What a request asks for; its content is as documented.
#[derive(Clone, Debug)]
pub enum Command {
    /// Announce an order.
    Prepay(Terms),
    /// What became of the order of this number?
    Query(String),
    /// Close the order of this number.
    Close(String),
    /// Give money back.
    Refund(RefundTerms),
    /// What became of the refund of this number?
    QueryRefund(String),
}

/// What an order is announced with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub trade_type: &'static str,
    pub appid: String,
    pub description: String,
    pub out_trade_no: String,
    pub time_expire_ms: i64,
    pub notify_url: String,
    pub total: i64,
    pub openid: Option<String>,
}

/// What a refund is asked for with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundTerms {
    pub out_trade_no: String,
    pub out_refund_no: String,
    pub notify_url: String,
    pub refund: i64,
    pub total: i64,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    /// It goes on.
    Processing,
    /// The money is back.
    Success,
    /// The payer's account takes nothing; a person must act.
    Abnormal,
    /// It ended without giving anything back.
    Closed,
}

/// All orders and refunds.
#[derive(Clone, Default)]
pub struct Book {
    orders: BTreeMap<String, Order>,
    refunds: BTreeMap<String, Refund>,
    prepay_ids: Vec<PrepayId>,
}

#[derive(Clone)]
struct Order {
    terms: Terms,
    announced_at_ms: i64,
    paid_at_ms: Option<i64>,
    is_closed: bool,
    /// What is told of it instead of what is so.
    told_state: Option<&'static str>,
}

#[derive(Clone)]
struct PrepayId {
    id: String,
    out_trade_no: String,
    made_at_ms: i64,
}

#[derive(Clone)]
struct Refund {
    terms: RefundTerms,
    status: RefundStatus,
    asked_at_ms: i64,
    ended_at_ms: Option<i64>,
}

impl RefundStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Abnormal => "ABNORMAL",
            Self::Closed => "CLOSED",
        }
    }

    fn event_type(self) -> Option<&'static str> {
        match self {
            Self::Processing => None,
            Self::Success => Some("REFUND.SUCCESS"),
            Self::Abnormal => Some("REFUND.ABNORMAL"),
            Self::Closed => Some("REFUND.CLOSED"),
        }
    }
}

impl Book {
    /// Carries a command out; the answer's content, `None` where there is none.
    pub fn apply(&mut self, command: &Command, now_ms: i64) -> Result<Option<Value>, Refusal> {
        match command {
            Command::Prepay(terms) => self.prepay(terms, now_ms).map(Some),
            Command::Query(number) => {
                let order = self.orders.get(number).ok_or(ORDER_NOT_EXIST)?;
                Ok(Some(self.transaction(order)))
            }
            Command::Close(number) => self.close(number).map(|()| None),
            Command::Refund(terms) => self.refund(terms, now_ms).map(Some),
            Command::QueryRefund(number) => {
                let refund = self.refunds.get(number).ok_or(RESOURCE_NOT_EXISTS)?;
                Ok(Some(refund.told()))
            }
        }
    }

    /// The same order again gives another `prepay_id`; another under the same number is refused.
    fn prepay(&mut self, terms: &Terms, now_ms: i64) -> Result<Value, Refusal> {
        match self.orders.get(&terms.out_trade_no) {
            Some(order) if order.terms != *terms => return Err((403, "OUT_TRADE_NO_USED")),
            Some(order) if order.is_closed => return Err(ORDER_CLOSED),
            Some(order) if order.paid_at_ms.is_some() => return Err(ORDER_PAID),
            Some(_) => {}
            None => {
                let order = Order {
                    terms: terms.clone(),
                    announced_at_ms: now_ms,
                    paid_at_ms: None,
                    is_closed: false,
                    told_state: None,
                };
                self.orders.insert(terms.out_trade_no.clone(), order);
            }
        }
        let seed = format!("{} {}", terms.out_trade_no, self.prepay_ids.len());
        let id = format!("wx{}", &sha256_hex(seed)[..34]);
        self.prepay_ids.push(PrepayId {
            id: id.clone(),
            out_trade_no: terms.out_trade_no.clone(),
            made_at_ms: now_ms,
        });
        Ok(json!({ "prepay_id": id }))
    }

    fn close(&mut self, number: &str) -> Result<(), Refusal> {
        let order = self.orders.get_mut(number).ok_or(ORDER_NOT_EXIST)?;
        if order.paid_at_ms.is_some() {
            return Err(ORDER_PAID);
        }
        if order.is_closed {
            return Err(ORDER_CLOSED);
        }
        order.is_closed = true;
        Ok(())
    }

    /// The same refund again is the same refund; another under the same number is refused.
    fn refund(&mut self, terms: &RefundTerms, now_ms: i64) -> Result<Value, Refusal> {
        if let Some(refund) = self.refunds.get(&terms.out_refund_no) {
            let is_same = refund.terms == *terms;
            return is_same.then(|| refund.told()).ok_or(INVALID_REQUEST);
        }
        let order = self.orders.get(&terms.out_trade_no);
        let order = order.ok_or(RESOURCE_NOT_EXISTS)?;
        let paid_at_ms = order.paid_at_ms.ok_or(RESOURCE_NOT_EXISTS)?;
        let others = self.refunds_of(&terms.out_trade_no);
        let is_too_many = others.clone().count() >= MAX_REFUNDS;
        let refunded: i64 = others
            .filter(|refund| refund.status != RefundStatus::Closed)
            .map(|refund| refund.terms.refund)
            .sum();
        let is_in_order = terms.total == order.terms.total
            && terms.refund <= terms.total - refunded
            && now_ms - paid_at_ms <= TO_REFUND_MS
            && !is_too_many;
        if !is_in_order {
            return Err(INVALID_REQUEST);
        }
        let refund = Refund {
            terms: terms.clone(),
            status: RefundStatus::Processing,
            asked_at_ms: now_ms,
            ended_at_ms: None,
        };
        let told = refund.told();
        self.refunds.insert(terms.out_refund_no.clone(), refund);
        Ok(told)
    }

    fn refunds_of(&self, out_trade_no: &str) -> impl Iterator<Item = &Refund> + Clone {
        let refunds = self.refunds.values();
        refunds.filter(move |refund| refund.terms.out_trade_no == out_trade_no)
    }

    /// `None` if the order is none that can still be paid.
    pub fn pay(&mut self, out_trade_no: &str, now_ms: i64) -> Option<()> {
        let order = self.orders.get_mut(out_trade_no)?;
        let ends_at_ms = order.announced_at_ms + TO_PAY_MS;
        let is_open = order.paid_at_ms.is_none()
            && !order.is_closed
            && now_ms <= ends_at_ms.max(order.terms.time_expire_ms);
        order.paid_at_ms = is_open.then_some(now_ms).or(order.paid_at_ms);
        is_open.then_some(())
    }

    /// `None` if the refund is none that goes on or waits for a person.
    pub fn settle_refund(
        &mut self,
        out_refund_no: &str,
        status: RefundStatus,
        now_ms: i64,
    ) -> Option<()> {
        let refund = self.refunds.get_mut(out_refund_no)?;
        let is_open = matches!(
            refund.status,
            RefundStatus::Processing | RefundStatus::Abnormal
        );
        if is_open {
            refund.status = status;
            refund.ended_at_ms = Some(now_ms);
        }
        is_open.then_some(())
    }

    /// The number of the order that a `prepay_id` calls up.
    pub fn prepaid(
        &self,
        prepay_id: &str,
        trade_type: &str,
        now_ms: i64,
    ) -> Result<String, &'static str> {
        let found = self.prepay_ids.iter().find(|known| known.id == prepay_id);
        let found = found.ok_or("prepay_id")?;
        if now_ms - found.made_at_ms > PREPAY_ID_MS {
            return Err("prepay_id expired");
        }
        let order = &self.orders[&found.out_trade_no];
        let is_fit = order.terms.trade_type == trade_type;
        is_fit
            .then(|| found.out_trade_no.clone())
            .ok_or("trade_type")
    }

    /// `None` if nobody announced it.
    pub fn tell_state(&mut self, out_trade_no: &str, state: &'static str) -> Option<()> {
        self.orders.get_mut(out_trade_no)?.told_state = Some(state);
        Some(())
    }

    /// An order's state, as a query tells it.
    pub fn trade_state(&self, out_trade_no: &str) -> Option<&'static str> {
        let order = self.orders.get(out_trade_no)?;
        if order.told_state.is_some() {
            return order.told_state;
        }
        let is_refunded = self.refunds_of(out_trade_no).next().is_some();
        Some(match (order.paid_at_ms, is_refunded) {
            (Some(_), true) => "REFUND",
            (Some(_), false) => "SUCCESS",
            (None, _) if order.is_closed => "CLOSED",
            (None, _) => "NOTPAY",
        })
    }

    /// Where a payment is notified, and with what; `None` if there was none.
    pub fn payment_notice(&self, out_trade_no: &str) -> Option<(String, Value)> {
        let order = self.orders.get(out_trade_no)?;
        order.paid_at_ms?;
        let mut content = self.transaction(order);
        // It was sent when the order was paid, whatever happened since.
        content["trade_state"] = json!("SUCCESS");
        Some((order.terms.notify_url.clone(), content))
    }

    /// Where a refund's end is notified, as which event, and with what; `None` if it has no end yet.
    pub fn refund_notice(&self, out_refund_no: &str) -> Option<(String, &'static str, Value)> {
        let refund = self.refunds.get(out_refund_no)?;
        let event_type = refund.status.event_type()?;
        let mut content = refund.told();
        content["mchid"] = json!(MCHID);
        content["refund_status"] = content["status"].take();
        for name in ["status", "channel", "create_time"] {
            content.as_object_mut()?.remove(name);
        }
        Some((refund.terms.notify_url.clone(), event_type, content))
    }

    fn transaction(&self, order: &Order) -> Value {
        let terms = &order.terms;
        let mut told = json!({
            "amount": { "currency": "CNY", "payer_currency": "CNY", "total": terms.total },
            "appid": terms.appid,
            "mchid": MCHID,
            "out_trade_no": terms.out_trade_no,
            "promotion_detail": [],
            "scene_info": { "device_id": "" },
            "trade_state": self.trade_state(&terms.out_trade_no),
            "trade_state_desc": "订单状态",
        });
        if let Some(paid_at_ms) = order.paid_at_ms {
            let openid = terms.openid.as_deref();
            let openid = openid.unwrap_or("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
            told["amount"]["payer_total"] = json!(terms.total);
            told["attach"] = json!("");
            told["bank_type"] = json!("CMC_DEBIT");
            told["payer"] = json!({ "openid": openid });
            told["success_time"] = json!(china_time(paid_at_ms));
            told["trade_type"] = json!(terms.trade_type);
            told["transaction_id"] = json!(number("4200", &terms.out_trade_no));
        }
        told
    }
}

impl Refund {
    fn told(&self) -> Value {
        let terms = &self.terms;
        let (total, refund) = (terms.total, terms.refund);
        let mut told = json!({
            "amount": {
                "total": total,
                "refund": refund,
                "payer_total": total,
                "payer_refund": refund,
            },
            "channel": "ORIGINAL",
            "create_time": china_time(self.asked_at_ms),
            "out_refund_no": terms.out_refund_no,
            "out_trade_no": terms.out_trade_no,
            "refund_id": number("5030", &terms.out_refund_no),
            "status": self.status.name(),
            "transaction_id": number("4200", &terms.out_trade_no),
            "user_received_account": "招商银行借记卡0403",
        });
        if self.status == RefundStatus::Success {
            told["success_time"] = json!(self.ended_at_ms.map(china_time));
        }
        told
    }
}

/// WeChat's number for one of ours.
fn number(prefix: &str, ours: &str) -> String {
    let digits: String = sha256_hex(ours)
        .bytes()
        .take(24)
        .map(|digit| char::from(b'0' + digit % 10))
        .collect();
    format!("{prefix}{digits}")
}

/// RFC 3339 in China's time.
pub fn china_time(ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(ms).expect("this is not the far future");
    let there = jiff::tz::offset(8).to_datetime(moment);
    there.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}
