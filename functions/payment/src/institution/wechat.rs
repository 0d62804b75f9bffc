//! WeChat Pay, asked.

use http::{Request, Response};
use serde::de::DeserializeOwned;
use shared::http::Context;
use shared::random;
use shared::recipient::WECHAT_PAY;

use super::{Closing, Pay, Refunding, Standing, not_configured, send};
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
    let request = merchant
        .prepay(&prepay, cx.now(), rng)
        .map_err(|unset| not_configured(NAME, &unset))?;
    let Prepaid { prepay_id } = exchange(cx, merchant, &request)?.map_err(refused)?;
    Ok(match payer {
        Payer::App => Pay::WechatApp(merchant.app_parameters(&prepay_id, cx.now(), rng)?),
        Payer::Jsapi { .. } => {
            Pay::WechatJsapi(merchant.jsapi_parameters(&prepay_id, cx.now(), rng)?)
        }
    })
}

/// An order that WeChat does not know was never announced: nobody can pay it.
pub(super) fn ask(cx: &Context, merchant: &Merchant, order: &Order) -> Result<Standing, Error> {
    let number = order.number();
    let request = merchant.query_order(&number, cx.now(), &mut random::host())?;
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
        (TradeState::Success | TradeState::Refund, Some(payment)) => {
            Ok(Standing::Paid(payment.into()))
        }
        (TradeState::NotPay | TradeState::UserPaying, _) => Ok(Standing::Unpaid),
        (TradeState::Closed | TradeState::Revoked | TradeState::PayError, _) => {
            Ok(Standing::Closed)
        }
        _ => Err(Error::unavailable(NAME, "an unknown trade state", true)),
    }
}

pub(super) fn close(cx: &Context, merchant: &Merchant, order: &Order) -> Result<Closing, Error> {
    let request = merchant.close_order(&order.number(), cx.now(), &mut random::host())?;
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
    let request = merchant.refund(&described, cx.now(), &mut random::host())?;
    let refund: crate::wechat::Refund = match exchange(cx, merchant, &request)? {
        Ok(refund) => refund,
        Err(AnswerError::Refused(refusal)) if refusal.is_signed => {
            return match refusal.code {
                Code::NotEnough => Ok(Refunding::Refused("balance-too-low")),
                Code::UserAccountAbnormal => Ok(Refunding::Refused("payer-account-abnormal")),
                Code::ResourceNotExists => Ok(Refunding::Refused("not-paid")),
                _ => Err(refused(AnswerError::Refused(refusal))),
            };
        }
        Err(error) => return Err(refused(error)),
    };
    if refund.out_refund_no != asked.number || refund.out_trade_no != number {
        return Err(Error::unavailable(
            NAME,
            "an answer about another refund",
            true,
        ));
    }
    Ok(match refund.status {
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
        AnswerError::Unproven(Unproven::Misconfigured(misconfigured)) => misconfigured.into(),
        AnswerError::Unproven(_) => Error::unavailable(NAME, "answer not signed by WeChat", true),
        AnswerError::Malformed => Error::unavailable(NAME, "unreadable answer", false),
        AnswerError::Refused(refusal) => {
            let passes = refusal.status >= 500
                || matches!(refusal.code, Code::SystemError | Code::FrequencyLimited);
            let cause = format!("{} {:?}", refusal.status, refusal.code);
            Error::unavailable(NAME, &cause, !passes)
        }
    }
}
