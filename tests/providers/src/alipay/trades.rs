//! All trades of the application, and what their payers do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::message::Message;
use super::order::Order;
use super::trade::{Kind, Operation, SELLER_ID, Status, Trade, in_china};
use super::{Gateway, answer, html};
use crate::stand_in::{StandIn, locked};

/// By the application's numbers.
#[derive(Default)]
pub struct Trades {
    /// Orders that a payer's phone has been handed.
    orders: BTreeMap<String, Order>,
    trades: BTreeMap<String, Trade>,
    /// So many refunds to come leave the money where it is.
    slow_refunds: usize,
}

impl Trades {
    /// The answer to what is asked. That Alipay says no to it is no fault of the request's.
    pub fn carry_out(&mut self, operation: &Operation, now_ms: i64) -> Value {
        let is_slow = self.slow_refunds > 0;
        let Some(trade) = self.trade(&operation.out_trade_no, now_ms) else {
            return answer::error("ACQ.TRADE_NOT_EXIST");
        };
        let count = trade.refunds.len();
        let answer = match &operation.kind {
            Kind::Query => Ok(trade.query()),
            Kind::Close => trade.close(now_ms),
            Kind::Refund {
                out_request_no,
                fen,
            } => trade.refund(out_request_no, *fen, is_slow, now_ms),
            Kind::RefundQuery { out_request_no } => Ok(trade.refund_query(out_request_no)),
        };
        if is_slow && trade.refunds.len() > count {
            self.slow_refunds -= 1;
        }
        answer.unwrap_or_else(answer::error)
    }

    fn trade(&mut self, out_trade_no: &str, now_ms: i64) -> Option<&mut Trade> {
        let trade = self.trades.get_mut(out_trade_no)?;
        trade.catch_up(now_ms);
        Some(trade)
    }

    /// Hands an order to the payer's phone.
    fn hand_over(&mut self, order: &Order) -> Result<(), &'static str> {
        let known = self.orders.get(&order.out_trade_no);
        if known.is_some_and(|known| known.biz_content != order.biz_content) {
            return Err("ACQ.CONTEXT_INCONSISTENT");
        }
        let number = order.out_trade_no.clone();
        self.orders.insert(number, order.clone());
        Ok(())
    }

    fn open(&mut self, out_trade_no: &str, now_ms: i64) -> Result<&mut Trade, &'static str> {
        let order = self.orders.get(out_trade_no);
        let order = order.expect("an order whose string was checked");
        if !self.trades.contains_key(out_trade_no) {
            if now_ms >= order.expires_at_ms {
                return Err("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR");
            }
            let trade = Trade::new(order.clone(), now_ms);
            self.trades.insert(out_trade_no.to_owned(), trade);
        }
        let trade = self.trade(out_trade_no, now_ms);
        Ok(trade.expect("it is there by now"))
    }
}

impl StandIn<Gateway> {
    /// Hands an order string to the payer's phone, which checks it as Alipay's app does. Nothing comes to be
    /// at the gateway by that.
    ///
    /// # Errors
    /// The code with which Alipay would refuse it.
    pub fn check_order_string(&self, text: &str) -> Result<Order, &'static str> {
        let order = self.provider().order(text, self.now_ms())?;
        self.with_trades(|trades| trades.hand_over(&order))?;
        Ok(order)
    }

    /// The payer looks at the order and does not pay: from now on the gateway knows of the trade.
    ///
    /// # Errors
    /// The code with which Alipay refuses it.
    ///
    /// # Panics
    /// If the order's string was not checked.
    pub fn open(&self, out_trade_no: &str) -> Result<(), &'static str> {
        let now_ms = self.now_ms();
        self.with_trades(|trades| trades.open(out_trade_no, now_ms).map(|_| ()))
    }

    /// The payer pays.
    ///
    /// # Errors
    /// The code with which Alipay refuses it.
    ///
    /// # Panics
    /// If the order's string was not checked.
    pub fn pay(&self, out_trade_no: &str) -> Result<(), &'static str> {
        let now_ms = self.now_ms();
        self.with_trades(|trades| trades.open(out_trade_no, now_ms)?.pay(now_ms))
    }

    /// The time for refunds is over.
    ///
    /// # Panics
    /// If the trade is not paid, or is closed.
    pub fn finish(&self, out_trade_no: &str) {
        self.with_trade(out_trade_no, |trade| {
            assert_eq!(trade.status, Status::Success, "only a paid trade finishes");
            trade.status = Status::Finished;
        });
    }

    /// The next refund that is taken answers `fund_change` N, and its money stays until
    /// [`Self::settle_refunds`].
    pub fn plan_slow_refund(&self) {
        self.with_trades(|trades| trades.slow_refunds += 1);
    }

    /// The money of the trade's slow refunds goes back.
    ///
    /// # Panics
    /// If there is no such trade.
    pub fn settle_refunds(&self, out_trade_no: &str) {
        let now_ms = self.now_ms();
        self.with_trade(out_trade_no, |trade| trade.settle(now_ms));
    }

    /// Alipay's number of a trade.
    ///
    /// # Panics
    /// If there is no such trade.
    pub fn trade_no(&self, out_trade_no: &str) -> String {
        self.with_trade(out_trade_no, |trade| trade.trade_no.clone())
    }

    /// What Alipay would post to the order's `notify_url` now: paid, refunded (with what the last refund was
    /// and the sum of all), finished or closed. It tells of the payer too.
    ///
    /// # Panics
    /// If there is no such trade.
    pub fn trade_notification(&self, out_trade_no: &str) -> Message {
        let parameters = self.with_trade(out_trade_no, |trade| trade.parameters());
        let text = |text: &str| text.to_owned();
        let app_id = &self.provider().app_id;
        let message = Message::new([
            ("notify_id", self.notify_id()),
            ("notify_time", in_china(self.now_ms())),
            ("notify_type", text("trade_status_sync")),
            ("app_id", text(app_id)),
            ("auth_app_id", text(app_id)),
            ("version", text("1.0")),
            ("charset", text("utf-8")),
            ("sign_type", text("RSA2")),
            ("seller_id", text(SELLER_ID)),
            ("seller_email", text("seller@example.com")),
            ("buyer_id", text("2088102117955611")),
            ("buyer_logon_id", text("159****5620")),
            ("point_amount", text("0.00")),
            // There and empty, which is signed all the same.
            ("body", String::new()),
        ]);
        parameters
            .iter()
            .fold(message, |message, (name, value)| message.with(name, value))
    }

    /// The answer to a method about this trade, and its last refund, as bytes on the wire: as if all went well.
    ///
    /// # Panics
    /// If there is no such trade, or a refund of it is asked about and there was none.
    pub fn answer_about(&self, method: &str, out_trade_no: &str) -> Vec<u8> {
        let content = self.with_trade(out_trade_no, |trade| match method {
            "alipay.trade.query" => trade.query(),
            "alipay.trade.close" => trade.success(json!({})),
            "alipay.trade.refund" => trade.refund_answer("Y"),
            _ => trade.refund_query(&trade.refunds.last().expect("a refund").out_request_no),
        });
        html(
            200,
            &answer::body(&self.provider().alipay_key, method, content, None),
        )
    }

    fn with_trades<T>(&self, act: impl FnOnce(&mut Trades) -> T) -> T {
        act(&mut locked(&self.provider().state).trades)
    }

    fn with_trade<T>(&self, out_trade_no: &str, act: impl FnOnce(&mut Trade) -> T) -> T {
        let now_ms = self.now_ms();
        // Released before a test's mistake is told.
        let done = self.with_trades(|trades| trades.trade(out_trade_no, now_ms).map(act));
        done.expect("a trade that a payer has opened")
    }
}
