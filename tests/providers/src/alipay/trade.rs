//! One trade: what may become of it, and what is asked of it.

use jiff::{Timestamp, tz};
use serde_json::{Value, json};

use super::order::{Order, is_number};
use super::yuan;
use crate::encoding::sha256_hex;
use crate::stand_in::Refusal;

/// Whom the payers pay.
pub const SELLER_ID: &str = "2088102146225135";

/// What an application asks of a trade.
pub struct Operation {
    pub out_trade_no: String,
    pub kind: Kind,
}

pub enum Kind {
    Query,
    Close,
    Refund { out_request_no: String, fen: i64 },
    RefundQuery { out_request_no: String },
}

impl Operation {
    /// Reads `biz_content`. The application's own numbers are asked for throughout, though Alipay would take
    /// `trade_no` and a refund of everything without a number too.
    pub fn read(method: &str, content: &Value) -> Result<Self, Refusal> {
        const INVALID: Refusal = (200, "ACQ.INVALID_PARAMETER");
        let number = |name: &str| {
            let number = content[name].as_str().filter(|number| is_number(number));
            number.map(str::to_owned).ok_or(INVALID)
        };
        let kind = match method {
            "alipay.trade.query" => Kind::Query,
            "alipay.trade.close" => Kind::Close,
            "alipay.trade.refund" => Kind::Refund {
                out_request_no: number("out_request_no")?,
                fen: content["refund_amount"]
                    .as_str()
                    .and_then(yuan::read)
                    .ok_or(INVALID)?,
            },
            "alipay.trade.fastpay.refund.query" => Kind::RefundQuery {
                out_request_no: number("out_request_no")?,
            },
            _ => return Err((200, "isv.invalid-method")),
        };
        let out_trade_no = number("out_trade_no")?;
        Ok(Self { out_trade_no, kind })
    }
}

/// `trade_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Waiting,
    Closed,
    Success,
    Finished,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "WAIT_BUYER_PAY",
            Self::Closed => "TRADE_CLOSED",
            Self::Success => "TRADE_SUCCESS",
            Self::Finished => "TRADE_FINISHED",
        }
    }
}

/// A trade, from the moment that its payer acts on it.
pub struct Trade {
    pub order: Order,
    pub trade_no: String,
    pub status: Status,
    pub created_at_ms: i64,
    pub paid_at_ms: Option<i64>,
    pub closed_at_ms: Option<i64>,
    pub refunds: Vec<Refund>,
}

/// A refund that was taken.
pub struct Refund {
    pub out_request_no: String,
    pub fen: i64,
    /// `None` until the money has gone back.
    pub done_at_ms: Option<i64>,
}

impl Trade {
    pub fn new(order: Order, now_ms: i64) -> Self {
        let number = u64::from_str_radix(&sha256_hex(&order.out_trade_no)[..15], 16);
        let number = number.expect("they are hexadecimal digits");
        let day = in_china(now_ms)[..10].replace('-', "");
        Self {
            order,
            trade_no: format!("{day}{number:020}"),
            status: Status::Waiting,
            created_at_ms: now_ms,
            paid_at_ms: None,
            closed_at_ms: None,
            refunds: Vec::new(),
        }
    }

    /// What has happened by itself since the trade was last looked at.
    pub fn catch_up(&mut self, now_ms: i64) {
        if self.status == Status::Waiting && now_ms >= self.order.expires_at_ms {
            self.end(self.order.expires_at_ms);
        }
    }

    fn end(&mut self, now_ms: i64) {
        self.status = Status::Closed;
        self.closed_at_ms = Some(now_ms);
    }

    pub fn pay(&mut self, now_ms: i64) -> Result<(), &'static str> {
        match self.status {
            Status::Waiting => {
                self.status = Status::Success;
                self.paid_at_ms = Some(now_ms);
                Ok(())
            }
            Status::Closed => Err("ACQ.TRADE_HAS_CLOSE"),
            Status::Success | Status::Finished => Err("ACQ.TRADE_HAS_SUCCESS"),
        }
    }

    pub fn close(&mut self, now_ms: i64) -> Result<Value, &'static str> {
        match self.status {
            Status::Waiting => {
                self.end(now_ms);
                Ok(self.success(json!({})))
            }
            Status::Closed => Err("ACQ.REASON_TRADE_STATUS_INVALID"),
            Status::Success | Status::Finished => Err("ACQ.TRADE_STATUS_ERROR"),
        }
    }

    pub fn query(&self) -> Value {
        let mut more = json!({
            "buyer_logon_id": "159****5620",
            "buyer_user_id": "2088102117955611",
            "trade_status": self.status.name(),
            "total_amount": yuan::written(self.order.total_fen),
            "buyer_pay_amount": "0.00",
            "point_amount": "0.00",
        });
        if let Some(at) = self.paid_at_ms {
            more["send_pay_date"] = json!(in_china(at));
        }
        self.success(more)
    }

    /// Takes a refund; `is_slow` leaves the money where it is until [`Self::settle`].
    pub fn refund(
        &mut self,
        out_request_no: &str,
        fen: i64,
        is_slow: bool,
        now_ms: i64,
    ) -> Result<Value, &'static str> {
        let mut known = self.refunds.iter();
        if let Some(known) = known.find(|known| known.out_request_no == out_request_no) {
            if known.fen != fen {
                return Err("ACQ.DISCORDANT_REPEAT_REQUEST");
            }
            return Ok(self.refund_answer("N"));
        }
        match self.status {
            Status::Waiting | Status::Closed => return Err("ACQ.TRADE_STATUS_ERROR"),
            Status::Finished => return Err("ACQ.TRADE_HAS_FINISHED"),
            Status::Success => {}
        }
        let taken: i64 = self.refunds.iter().map(|refund| refund.fen).sum();
        if taken + fen > self.order.total_fen {
            return Err("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL");
        }
        self.refunds.push(Refund {
            out_request_no: out_request_no.to_owned(),
            fen,
            done_at_ms: None,
        });
        if is_slow {
            return Ok(self.refund_answer("N"));
        }
        self.settle(now_ms);
        Ok(self.refund_answer("Y"))
    }

    /// The money of every refund that was taken goes back; nothing left closes the trade.
    pub fn settle(&mut self, now_ms: i64) {
        for refund in &mut self.refunds {
            refund.done_at_ms.get_or_insert(now_ms);
        }
        if self.refunded_fen() == self.order.total_fen {
            self.end(now_ms);
        }
    }

    pub fn refund_query(&self, out_request_no: &str) -> Value {
        let mut done = self.refunds.iter().filter(|it| it.done_at_ms.is_some());
        match done.find(|refund| refund.out_request_no == out_request_no) {
            Some(refund) => self.success(json!({
                "out_request_no": refund.out_request_no,
                "refund_amount": yuan::written(refund.fen),
                "refund_status": "REFUND_SUCCESS",
                "total_amount": yuan::written(self.order.total_fen),
            })),
            None => json!({ "code": "10000", "msg": "Success" }),
        }
    }

    /// The notification's parameters that tell how it stands. As in the documented example, a payment has
    /// `refund_fee=0.00` and `gmt_close`.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let total = yuan::written(self.order.total_fen);
        let mut parameters = vec![
            ("trade_no", self.trade_no.clone()),
            ("out_trade_no", self.order.out_trade_no.clone()),
            ("trade_status", self.status.name().to_owned()),
            ("subject", self.order.subject.clone()),
            ("total_amount", total.clone()),
            ("gmt_create", in_china(self.created_at_ms)),
        ];
        if let Some(at) = self.paid_at_ms {
            let bill = json!([{ "amount": total, "fundChannel": "ALIPAYACCOUNT" }]);
            parameters.extend([
                ("gmt_payment", in_china(at)),
                ("receipt_amount", total.clone()),
                ("buyer_pay_amount", total.clone()),
                ("invoice_amount", total),
                ("fund_bill_list", bill.to_string()),
            ]);
        }
        if self.status != Status::Waiting {
            parameters.push(("refund_fee", yuan::written(self.refunded_fen())));
        }
        if let Some(at) = self.closed_at_ms.or(self.paid_at_ms) {
            parameters.push(("gmt_close", in_china(at)));
        }
        let mut done = self.refunds.iter().rev();
        if let Some((refund, at)) = done.find_map(|refund| Some((refund, refund.done_at_ms?))) {
            parameters.extend([
                ("gmt_refund", format!("{}.{:03}", in_china(at), at % 1000)),
                ("out_biz_no", refund.out_request_no.clone()),
            ]);
        }
        parameters
    }

    fn refunded_fen(&self) -> i64 {
        let done = self.refunds.iter().filter(|it| it.done_at_ms.is_some());
        done.map(|refund| refund.fen).sum()
    }

    pub fn refund_answer(&self, fund_change: &str) -> Value {
        self.success(json!({
            "buyer_logon_id": "159****5620",
            "buyer_user_id": "2088102117955611",
            "fund_change": fund_change,
            "refund_fee": yuan::written(self.refunded_fen()),
        }))
    }

    /// A successful answer with `more` members.
    pub fn success(&self, mut more: Value) -> Value {
        for (name, text) in [
            ("code", "10000"),
            ("msg", "Success"),
            ("trade_no", &self.trade_no),
            ("out_trade_no", &self.order.out_trade_no),
        ] {
            more[name] = json!(text);
        }
        more
    }
}

/// `yyyy-MM-dd HH:mm:ss`, China's time.
pub fn in_china(at_ms: i64) -> String {
    let time = Timestamp::from_millisecond(at_ms).expect("this is not the far future");
    let time = tz::offset(8).to_datetime(time);
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
