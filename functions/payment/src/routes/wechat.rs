//! `/v1/callbacks/wechat/payment`, `/v1/callbacks/wechat/refund`: what becomes of orders and refunds, as
//! WeChat Pay tells it (<https://pay.weixin.qq.com/doc/v3/merchant/4012791861>).

use serde_json::{Value, json};
use shared::http::{Answer, Context, Problem, ProblemBody};
use shared::log::Level;

use crate::error::Error;
use crate::institution;
use crate::notification::{Reason, Told, Verdict, name_of};
use crate::order::{self, Channel, Order};
use crate::refund::{self, Amount};
use crate::settle;
use crate::wechat::{
    Event, Headers, Named, NotificationError, RefundNotice, RefundStatus, Transaction, Unproven,
};

const INSTITUTION: &str = "wechat-pay";

/// Receive a payment from WeChat Pay
///
/// Any other answer than 204 makes WeChat send it again.
#[utoipa::path(post, path = "/v1/callbacks/wechat/payment", tag = "callbacks",
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 204, description = "taken: also what came before, and what is kept for an operator"),
        (status = 400, description = "`notification-malformed`: WeChat signed it and nobody can read it, which is kept \
            for an operator; `signature-invalid`: nothing has changed",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`, or another reason to send it again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn payment(cx: &Context) -> Result<Answer, Error> {
    receive(cx)
}

/// Receive the end of a refund from WeChat Pay
///
/// Any other answer than 204 makes WeChat send it again.
#[utoipa::path(post, path = "/v1/callbacks/wechat/refund", tag = "callbacks",
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 204, description = "taken: also what came before, and what is kept for an operator"),
        (status = 400, description = "`notification-malformed`: WeChat signed it and nobody can read it, which is kept \
            for an operator; `signature-invalid`: nothing has changed",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`, or another reason to send it again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn refund(cx: &Context) -> Result<Answer, Error> {
    receive(cx)
}

/// The members that WeChat wants in an answer that is no success stand beside ours.
pub fn refusal(problem: Problem) -> Problem {
    let message = problem.title();
    problem.with("code", "FAIL").with("message", message)
}

/// Which address it came to does not matter: the event says what it is.
fn receive(cx: &Context) -> Result<Answer, Error> {
    let merchant = institution::wechat().map_err(Error::brought_about_by_anybody)?;
    let request = cx.request();
    let headers = Headers::of(request.headers());
    let notification = match merchant.notification(&headers, request.body(), cx.now()) {
        Ok(notification) => notification,
        Err(error) => {
            if !matches!(error, NotificationError::Unproven(_)) {
                keep(cx)?;
            }
            return Err(refused(error));
        }
    };
    let (order, content, verdict) = match &notification.event {
        Event::Transaction(transaction) => {
            let order = order::find_by_number(cx, &transaction.out_trade_no)?;
            let verdict = match fitting(order.as_ref(), merchant.owns_transaction(transaction)) {
                Ok(order) => paid(cx, order, transaction)?,
                Err(reason) => Verdict::Anomaly(reason),
            };
            (order, transaction_content(transaction), verdict)
        }
        Event::Refund(notice) => {
            let order = order::find_by_number(cx, &notice.out_trade_no)?;
            let verdict = match fitting(order.as_ref(), merchant.owns_refund(notice)) {
                Ok(order) => refunded(cx, order, notice)?,
                Err(reason) => Verdict::Anomaly(reason),
            };
            (order, refund_content(notice), verdict)
        }
        Event::Other(event_type) => (None, json!({ "event_type": event_type }), Verdict::Ignored),
    };
    let told = Told {
        institution: INSTITUTION,
        id: &notification.id,
        order_id: order.map(|order| order.id),
        content,
    };
    told.record(cx, verdict)?;
    Ok(Answer::no_content())
}

/// Keeps what WeChat signed and nobody can read, by its names.
fn keep(cx: &Context) -> Result<(), Error> {
    let body = cx.request().body();
    let named = Named::read(body);
    let told = Told {
        institution: INSTITUTION,
        id: &named.id.unwrap_or_else(|| name_of(body)),
        order_id: None,
        content: json!({ "event_type": named.event_type }),
    };
    Ok(told.record(cx, Verdict::Anomaly(Reason::Unreadable))?)
}

/// The order, if the notification is about one of ours.
fn fitting(order: Option<&Order>, is_ours: bool) -> Result<&Order, Reason> {
    if !is_ours {
        return Err(Reason::OtherMerchant);
    }
    let order = order.ok_or(Reason::UnknownOrder)?;
    match order.channel {
        Channel::WechatApp | Channel::WechatJsapi => Ok(order),
        Channel::AlipayApp | Channel::Apple => Err(Reason::WrongChannel),
    }
}

fn paid(cx: &Context, order: &Order, transaction: &Transaction) -> Result<Verdict, Error> {
    let Some(payment) = &transaction.payment else {
        return Ok(Verdict::Ignored);
    };
    if payment.amount.currency != "CNY" {
        return Ok(Verdict::Anomaly(Reason::WrongCurrency));
    }
    let payment = settle::Payment {
        number: payment.transaction_id.clone(),
        fen: Some(payment.amount.total),
    };
    Ok(match settle::paid(cx, order, &payment)? {
        Ok(()) => Verdict::Credited,
        Err(reason) => Verdict::Anomaly(reason),
    })
}

/// A refund proves the payment, too, should that notification have been lost.
fn refunded(cx: &Context, order: &Order, notice: &RefundNotice) -> Result<Verdict, Error> {
    let payment = settle::Payment {
        number: notice.transaction_id.clone(),
        fen: Some(notice.amount.total),
    };
    if let Err(reason) = settle::paid(cx, order, &payment)? {
        return Ok(Verdict::Anomaly(reason));
    }
    let number = &notice.out_refund_no;
    match notice.refund_status {
        RefundStatus::Success => {
            let amount = Amount::Exactly(notice.amount.refund);
            let fits = settle::refunded(cx, order, number, amount, cx.now())?;
            Ok(fits.map_or_else(Verdict::Anomaly, |()| Verdict::Refunded))
        }
        RefundStatus::Closed => {
            refund::fail(cx, order.id, number)?;
            Ok(Verdict::Closed)
        }
        RefundStatus::Abnormal => {
            settle::abnormal(cx, order, number)?;
            Ok(Verdict::Abnormal)
        }
        RefundStatus::Processing | RefundStatus::Unknown => Ok(Verdict::Ignored),
    }
}

fn transaction_content(transaction: &Transaction) -> Value {
    let payment = transaction.payment.as_ref();
    json!({
        "mchid": transaction.mchid,
        "appid": transaction.appid,
        "out_trade_no": transaction.out_trade_no,
        "transaction_id": payment.map(|payment| &payment.transaction_id),
        "total_fen": payment.map(|payment| payment.amount.total),
        "currency": payment.map(|payment| &payment.amount.currency),
    })
}

fn refund_content(notice: &RefundNotice) -> Value {
    json!({
        "mchid": notice.mchid,
        "out_trade_no": notice.out_trade_no,
        "transaction_id": notice.transaction_id,
        "out_refund_no": notice.out_refund_no,
        "refund_id": notice.refund_id,
        "refund_status": format!("{:?}", notice.refund_status),
        "refund_fen": notice.amount.refund,
        "total_fen": notice.amount.total,
    })
}

fn refused(error: NotificationError) -> Error {
    let (name, cause, level) = match error {
        NotificationError::Unproven(Unproven::Misconfigured(misconfigured)) => {
            return misconfigured.into();
        }
        NotificationError::Unproven(Unproven::SignTest) => {
            ("signature-invalid", "wechat: a test of ours", Level::Info)
        }
        // It may be a key that WeChat has moved to. But anybody can invent one, which alarms nobody; where WeChat has
        // moved, its answers alarm.
        NotificationError::Unproven(Unproven::UnknownSerial) => (
            "signature-invalid",
            "wechat: unknown serial",
            Level::Warning,
        ),
        NotificationError::Unproven(_) => {
            ("signature-invalid", "wechat: not WeChat's", Level::Warning)
        }
        NotificationError::Malformed => {
            ("notification-malformed", "wechat: unreadable", Level::Alarm)
        }
        NotificationError::Undecryptable => (
            "notification-malformed",
            "wechat: not encrypted for us",
            Level::Alarm,
        ),
    };
    Error::NotificationRefused {
        name,
        cause: cause.to_owned(),
        level,
    }
}
