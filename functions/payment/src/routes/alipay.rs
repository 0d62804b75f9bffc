//! `/v1/callbacks/alipay/payment`: what becomes of trades, as Alipay tells it
//! (<https://opendocs.alipay.com/open/204/105301>).

use http::{StatusCode, header};
use serde_json::json;
use shared::alipay::{App, Notification, NotificationError};
use shared::http::{Answer, Context, ProblemBody};
use shared::log::{self, Level};
use shared::variables;

use crate::alipay::{Means, NoticeError, Refunded, TradeNotice};
use crate::error::Error;
use crate::institution::{self, Refunding};
use crate::notification::{Reason, Told, Verdict, name_of};
use crate::order::{self, Channel, Order};
use crate::refund::{self, Amount, Status};
use crate::settle::{self, Payment};

const SELLER_ID: &str = "alipay_seller_id";

/// Receive what becomes of a trade at Alipay
///
/// Any other answer than `success` makes Alipay send it again. What Alipay says of another application's trades
/// is kept for an operator.
#[utoipa::path(post, path = "/v1/callbacks/alipay/payment", tag = "callbacks",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "`success`: also for what came before, and for what is kept for an \
            operator", body = String, content_type = "text/plain"),
        (status = 400, description = "`message-malformed`, `charset-unsupported`, `sign-type-unsupported`, \
            `signature-invalid`, `app-mismatch` (it names none): nothing has changed, but that one which Alipay signed \
            and nobody can read is kept for an operator",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`, or another reason to send it again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn receive(cx: &Context) -> Result<Answer, Error> {
    let (app, seller_id) = receiver().map_err(Error::brought_about_by_anybody)?;
    let content_type = cx.header(header::CONTENT_TYPE.as_str());
    let (notification, is_ours) = match app.notification(content_type, cx.request().body()) {
        Ok(notification) => (notification, true),
        Err(NotificationError::OtherApp(others)) if others.get("app_id").is_some() => {
            (others, false)
        }
        Err(error) => return Err(refused(error)),
    };
    match TradeNotice::read(&notification) {
        Ok(notice) if is_ours => {
            let order = order::find_by_number(cx, notice.out_trade_no)?;
            let verdict = match fitting(&notice, order.as_ref(), &seller_id) {
                Ok(order) => carry_out(cx, order, &notice)?,
                Err(reason) => Verdict::Anomaly(reason),
            };
            told(&notice, order.as_ref()).record(cx, verdict)?;
        }
        Ok(notice) => told(&notice, None).record(cx, Verdict::Anomaly(Reason::OtherMerchant))?,
        Err(NoticeError::OtherType) => keep(cx, &notification, Verdict::Ignored)?,
        Err(error) => {
            keep(cx, &notification, Verdict::Anomaly(Reason::Unreadable))?;
            return Err(unreadable(&error));
        }
    }
    let success = b"success".to_vec();
    Ok(Answer::bytes(StatusCode::OK, "text/plain", success))
}

/// Who is told: our application, and who is paid.
fn receiver() -> Result<(App, String), Error> {
    let app = institution::alipay()?;
    let seller_id = variables::required(SELLER_ID)
        .map_err(|unset| institution::not_configured("alipay", &unset))?;
    Ok((app, seller_id))
}

/// Keeps what Alipay signed and we do not act upon, by what looks like names and numbers in it.
fn keep(cx: &Context, notification: &Notification, verdict: Verdict) -> Result<(), Error> {
    let code = |name| notification.get(name).map(log::code);
    let id = code("notify_id").filter(|id| !id.is_empty());
    let told = Told {
        institution: Channel::AlipayApp.institution(),
        id: &id.unwrap_or_else(|| name_of(cx.request().body())),
        order_id: None,
        content: json!({
            "app_id": code("app_id"),
            "notify_type": code("notify_type"),
            "trade_no": code("trade_no"),
            "out_trade_no": code("out_trade_no"),
            "trade_status": code("trade_status"),
        }),
    };
    Ok(told.record(cx, verdict)?)
}

/// The order, if the notification fits it.
fn fitting<'a>(
    notice: &TradeNotice,
    order: Option<&'a Order>,
    seller_id: &str,
) -> Result<&'a Order, Reason> {
    if notice.seller_id != seller_id {
        return Err(Reason::OtherMerchant);
    }
    let order = order.ok_or(Reason::UnknownOrder)?;
    if order.channel != Channel::AlipayApp {
        return Err(Reason::WrongChannel);
    }
    if notice.total_fen != order.amount_fen {
        return Err(Reason::WrongAmount);
    }
    Ok(order)
}

fn carry_out(cx: &Context, order: &Order, notice: &TradeNotice) -> Result<Verdict, Error> {
    match &notice.means {
        Means::Waiting => return Ok(Verdict::Ignored),
        Means::TimedOut => {
            order::set_closed(cx, order.id)?;
            return Ok(Verdict::Closed);
        }
        Means::Paid | Means::Refunded(_) => {}
    }
    let payment = Payment {
        number: notice.trade_no.to_owned(),
        fen: Some(notice.total_fen),
    };
    if let Err(reason) = settle::paid(cx, order, &payment)? {
        return Ok(Verdict::Anomaly(reason));
    }
    match &notice.means {
        Means::Refunded(refunded) => give_back(cx, order, notice, refunded),
        _ => Ok(Verdict::Credited),
    }
}

/// Alipay tells all that went back so far. So what waits of ours is asked about first: what is left over then
/// was begun in Alipay's console.
fn give_back(
    cx: &Context,
    order: &Order,
    notice: &TradeNotice,
    refunded: &Refunded,
) -> Result<Verdict, Error> {
    for waiting in refund::list(cx, order.id)? {
        let is_told = refunded.out_request_no == Some(waiting.number.as_str());
        if waiting.status == Status::Pending
            && (is_told || institution::ask_refund(cx, order, &waiting)? == Refunding::Done)
        {
            let amount = Amount::Exactly(waiting.fen);
            let _ = settle::refunded(cx, order, &waiting.number, amount, refunded.at)?;
        }
    }
    let number = refunded.out_request_no.unwrap_or(notice.notify_id);
    let amount = Amount::UpTo(refunded.refunded_fen);
    Ok(
        match settle::refunded(cx, order, number, amount, refunded.at)? {
            Ok(()) => Verdict::Refunded,
            Err(reason) => Verdict::Anomaly(reason),
        },
    )
}

fn told<'a>(notice: &TradeNotice<'a>, order: Option<&Order>) -> Told<'a> {
    let refunded = match &notice.means {
        Means::Refunded(refunded) => Some(refunded),
        _ => None,
    };
    Told {
        institution: Channel::AlipayApp.institution(),
        id: notice.notify_id,
        order_id: order.map(|order| order.id),
        content: json!({
            "app_id": notice.app_id,
            "seller_id": notice.seller_id,
            "trade_no": notice.trade_no,
            "out_trade_no": notice.out_trade_no,
            "trade_status": format!("{:?}", notice.status),
            "total_fen": notice.total_fen,
            "refunded_fen": refunded.map(|refunded| refunded.refunded_fen),
            "out_request_no": refunded.and_then(|refunded| refunded.out_request_no),
        }),
    }
}

fn refused(error: NotificationError) -> Error {
    let (name, cause) = match error {
        NotificationError::Malformed => ("message-malformed", "alipay: no form"),
        NotificationError::Charset => ("charset-unsupported", "alipay: not in UTF-8"),
        NotificationError::SignType => ("sign-type-unsupported", "alipay: not RSA2"),
        NotificationError::BadSignature => ("signature-invalid", "alipay: not Alipay's"),
        NotificationError::OtherApp(_) => ("app-mismatch", "alipay: no application's"),
        NotificationError::Misconfigured(misconfigured) => return misconfigured.into(),
    };
    let level = Level::Warning;
    Error::NotificationRefused {
        name,
        cause: cause.to_owned(),
        level,
    }
}

/// Alipay signed it, so people must look why it cannot be read.
fn unreadable(error: &NoticeError) -> Error {
    let cause = match error {
        NoticeError::OtherType => "alipay: not about a trade",
        NoticeError::Missing(_) => "alipay: a parameter is missing",
        NoticeError::Invalid(_) => "alipay: a parameter is not as documented",
        NoticeError::Contradictory => "alipay: parameters contradict each other",
    };
    Error::NotificationRefused {
        name: "message-malformed",
        cause: cause.to_owned(),
        level: Level::Alarm,
    }
}
