//! WeChat Pay, asked.

use http::{Request, Response};
use serde::de::DeserializeOwned;
use shared::http::Context;
use shared::random;
use shared::recipient::WECHAT_PAY;

use super::{Closing, Pay, Refunding, Standing, not_configured, refused_otherwise, send, usable};
use crate::error::Error;
use crate::order::{Channel, Order};
use crate::refund::Refund;
use crate::settle::Payment;
use crate::wechat::{
    AnswerError, Code, Merchant, Payer, Prepaid, Prepay, RefundOrder, RefundStatus, TradeState,
    Transaction, Unproven,
};

const NAME: &str = WECHAT_PAY.name;
/// What the bill says.
const DESCRIPTION: &str = "创人脉金币";

pub(super) fn begin(
    cx: &Context,
    merchant: &Merchant,
    order: &Order,
    openid: Option<&str>,
) -> Result<Pay, Error> {
    let number = order.number();
    let payer = match (order.channel, openid) {
        (Channel::WechatJsapi, Some(openid)) => Payer::Jsapi { openid },
        _ => Payer::App,
    };
    let prepay = Prepay {
        out_trade_no: &number,
        description: DESCRIPTION,
        amount_fen: order.amount_fen,
        time_expire: order.expires_at,
        payer,
    };
    let rng = &mut random::host();
    let request = usable(NAME, merchant.prepay(&prepay, cx.now(), rng))?;
    let Prepaid { prepay_id } = exchange(cx, merchant, &request)?.map_err(refused)?;
    Ok(match payer {
        Payer::App => {
            let parameters = merchant.app_parameters(&prepay_id, cx.now(), rng);
            Pay::WechatApp(usable(NAME, parameters)?)
        }
        Payer::Jsapi { .. } => {
            let parameters = merchant.jsapi_parameters(&prepay_id, cx.now(), rng);
            Pay::WechatJsapi(usable(NAME, parameters)?)
        }
    })
}

/// An order that WeChat does not know was never announced: nobody can pay it.
pub(super) fn ask(cx: &Context, merchant: &Merchant, order: &Order) -> Result<Standing, Error> {
    let number = order.number();
    let request = merchant.query_order(&number, cx.now(), &mut random::host());
    let request = usable(NAME, request)?;
    let transaction: Transaction = match exchange(cx, merchant, &request)? {
        Ok(transaction) => transaction,
        Err(AnswerError::Refused(refusal))
            if refusal.is_signed && refusal.code == Code::OrderNotExist =>
        {
            return Ok(Standing::Unpaid);
        }
        Err(error) => return Err(refused(error)),
    };
    // WeChat's signature does not bind an answer to a request: it may be that of another order.
    if transaction.out_trade_no != number || !merchant.owns_transaction(&transaction) {
        return Err(Error::unavailable(
            NAME,
            "an answer about another order",
            true,
        ));
    }
    match (transaction.trade_state, transaction.payment) {
        (TradeState::Success, Some(payment)) => Ok(Standing::Paid(payment.into())),
        // Ours are asked for only once an order is paid here: it was in WeChat's console.
        (TradeState::Refund, _) => Ok(Standing::Refunded),
        (TradeState::NotPay | TradeState::UserPaying, _) => Ok(Standing::Unpaid),
        (TradeState::Closed | TradeState::Revoked | TradeState::PayError, _) => {
            Ok(Standing::Closed)
        }
        _ => Err(Error::unavailable(NAME, "an unknown trade state", true)),
    }
}

pub(super) fn close(cx: &Context, merchant: &Merchant, order: &Order) -> Result<Closing, Error> {
    let request = merchant.close_order(&order.number(), cx.now(), &mut random::host());
    let request = usable(NAME, request)?;
    match exchange(cx, merchant, &request)? {
        Ok(()) => Ok(Closing::Closed),
        Err(AnswerError::Refused(refusal)) if refusal.is_signed => match refusal.code {
            Code::OrderClosed | Code::OrderNotExist => Ok(Closing::Closed),
            Code::OrderPaid => Ok(Closing::NotWaiting),
            _ => Err(refused(AnswerError::Refused(refusal))),
        },
        Err(error) => Err(refused(error)),
    }
}

pub(super) fn refund(
    cx: &Context,
    merchant: &Merchant,
    order: &Order,
    asked: &Refund,
) -> Result<Refunding, Error> {
    let number = order.number();
    let described = RefundOrder {
        out_trade_no: &number,
        out_refund_no: &asked.number,
        refund_fen: asked.fen,
        total_fen: order.amount_fen,
    };
    let request = merchant.refund(&described, cx.now(), &mut random::host());
    let request = usable(NAME, request)?;
    let refusal = match exchange(cx, merchant, &request)? {
        Ok(refund) => return standing(&number, asked, &refund),
        Err(AnswerError::Refused(refusal)) if refusal.is_final() => refusal,
        Err(error) => return Err(refused(error)),
    };
    let reason = match refusal.code {
        Code::NotEnough => return Ok(Refunding::Refused("balance-too-low")),
        Code::UserAccountAbnormal => return Ok(Refunding::Refused("payer-account-abnormal")),
        Code::ResourceNotExists => return Ok(Refunding::Refused("not-paid")),
        // These say nothing of the refund, but of us.
        Code::SignError | Code::NoAuth => return Err(refused(AnswerError::Refused(refusal))),
        Code::InvalidRequest => "invalid-request",
        _ => "other",
    };
    refused_otherwise(cx, NAME, &refusal.to_string());
    // This very refund may be why: it was taken on, and we did not hear of it.
    match ask_refund(cx, merchant, order, asked)? {
        Refunding::NotKnown => Ok(Refunding::Refused(reason)),
        known => Ok(known),
    }
}

pub(super) fn ask_refund(
    cx: &Context,
    merchant: &Merchant,
    order: &Order,
    asked: &Refund,
) -> Result<Refunding, Error> {
    let request = merchant.query_refund(&asked.number, cx.now(), &mut random::host());
    let request = usable(NAME, request)?;
    match exchange(cx, merchant, &request)? {
        Ok(refund) => standing(&order.number(), asked, &refund),
        Err(AnswerError::Refused(refusal))
            if refusal.is_signed && refusal.code == Code::ResourceNotExists =>
        {
            Ok(Refunding::NotKnown)
        }
        Err(error) => Err(refused(error)),
    }
}

/// WeChat's signature does not bind an answer to a request: it may be that of another refund.
fn standing(
    order_number: &str,
    asked: &Refund,
    told: &crate::wechat::Refund,
) -> Result<Refunding, Error> {
    let is_asked = told.out_refund_no == asked.number
        && told.out_trade_no == order_number
        && told.amount.refund == asked.fen;
    if !is_asked {
        return Err(Error::unavailable(
            NAME,
            "an answer about another refund",
            true,
        ));
    }
    Ok(match told.status {
        RefundStatus::Success => Refunding::Done,
        RefundStatus::Processing | RefundStatus::Unknown => Refunding::UnderWay,
        RefundStatus::Abnormal => Refunding::Abnormal,
        RefundStatus::Closed => Refunding::Refused("closed"),
    })
}

impl From<crate::wechat::Payment> for Payment {
    /// The only currency that merchants on the mainland may use is the yuan; another is no amount of ours.
    fn from(payment: crate::wechat::Payment) -> Self {
        let is_yuan = payment.amount.currency == "CNY";
        Self {
            number: payment.transaction_id,
            fen: Some(if is_yuan { payment.amount.total } else { 0 }),
        }
    }
}

fn exchange<T: DeserializeOwned>(
    cx: &Context,
    merchant: &Merchant,
    request: &Request<Vec<u8>>,
) -> Result<Result<T, AnswerError>, Error> {
    let answer: Response<Vec<u8>> = send(WECHAT_PAY, request)?;
    Ok(merchant.answer(&answer, cx.now()))
}

fn refused(error: AnswerError) -> Error {
    match error {
        AnswerError::Unproven(Unproven::Misconfigured(unusable)) => not_configured(NAME, &unusable),
        AnswerError::Unproven(_) => Error::unavailable(NAME, "answer not signed by WeChat", true),
        AnswerError::Malformed => Error::unavailable(NAME, "unreadable answer", false),
        AnswerError::Refused(refusal) => {
            Error::unavailable(NAME, &refusal.to_string(), !refusal.passes())
        }
    }
}
