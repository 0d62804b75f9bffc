//! What we ask the payment institutions: each in its own file, all by the same words.

mod alipay;
pub mod apple;
mod wechat;

use std::time::Duration;

use http::{Request, Response};
use serde::Serialize;
use shared::alipay::App;
use shared::http::Context;
use shared::log::Level;
use shared::outbound::{self, Limits};
use shared::recipient::Recipient;
use shared::variables::Misconfigured;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::order::{Channel, Order};
use crate::package::Package;
use crate::refund::Refund;
use crate::settle::Payment;
use crate::wechat::{AppParameters, JsapiParameters, Merchant};

/// A person waits for the answer.
const LIMITS: Limits = Limits::small(Duration::from_secs(8));

/// What the app hands to the institution's own SDK.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Pay {
    /// `alipay-app`
    Alipay {
        /// For Alipay's SDK, as it stands.
        order_string: String,
    },
    /// `wechat-app`
    WechatApp(AppParameters),
    /// `wechat-jsapi`
    WechatJsapi(JsapiParameters),
    /// `apple`
    Apple {
        /// The product to buy.
        product_id: String,
        /// What the purchase must carry.
        app_account_token: Uuid,
    },
}

/// How an order stands at its institution.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was paid.
    Paid(Payment),
    /// It was paid, and given back at least in part: how much, it does not say.
    Refunded,
    /// Not yet.
    Unpaid,
    /// It was not, and will not be.
    Closed,
}

/// What came of closing an order.
#[derive(Debug, PartialEq, Eq)]
pub enum Closing {
    /// Nobody will pay it, or nobody has begun to.
    Closed,
    /// It does not wait any more: [`ask`] tells why.
    NotWaiting,
}

/// What came of asking for a refund.
#[derive(Debug, PartialEq, Eq)]
pub enum Refunding {
    /// The money went back.
    Done,
    /// It will, or a notification tells otherwise.
    UnderWay,
    /// Nothing went back, and nothing is known of it there: it never arrived, or was refused.
    NotKnown,
    /// A person must act in the institution's console before it can go back.
    Abnormal,
    /// It does not go back; why, for the operator.
    Refused(&'static str),
}

/// Announces an order to its institution. Again for the same order, it answers as good a way to pay.
///
/// # Errors
/// [`Error::Unavailable`]. Nobody can pay then.
pub fn begin(
    cx: &Context,
    order: &Order,
    package: &Package,
    openid: Option<&str>,
) -> Result<Pay, Error> {
    match order.channel {
        Channel::AlipayApp => alipay::begin(cx, &alipay()?, order),
        Channel::WechatApp | Channel::WechatJsapi => wechat::begin(cx, &wechat()?, order, openid),
        Channel::Apple => Ok(Pay::Apple {
            product_id: package.apple_product_id.clone(),
            app_account_token: order.id,
        }),
    }
}

/// Asks how an order stands. Apple knows of transactions only, not of orders.
///
/// # Errors
/// [`Error::Unavailable`]. Nothing is known then.
pub fn ask(cx: &Context, order: &Order) -> Result<Standing, Error> {
    match order.channel {
        Channel::AlipayApp => alipay::ask(cx, &alipay()?, order),
        Channel::WechatApp | Channel::WechatJsapi => wechat::ask(cx, &wechat()?, order),
        Channel::Apple => Ok(Standing::Unpaid),
    }
}

/// Closes an order, so that nobody pays it any more.
///
/// # Errors
/// [`Error::Unavailable`]. It may be closed or not then.
pub fn close(cx: &Context, order: &Order) -> Result<Closing, Error> {
    match order.channel {
        Channel::AlipayApp => alipay::close(cx, &alipay()?, order),
        Channel::WechatApp | Channel::WechatJsapi => wechat::close(cx, &wechat()?, order),
        Channel::Apple => Ok(Closing::Closed),
    }
}

/// Gives money back. The same refund again does not give it back again.
///
/// # Errors
/// [`Error::RefundByApple`]; [`Error::Unavailable`]: the money may have gone back or not then.
pub fn refund(cx: &Context, order: &Order, refund: &Refund) -> Result<Refunding, Error> {
    match order.channel {
        Channel::AlipayApp => alipay::refund(cx, &alipay()?, order, refund),
        Channel::WechatApp | Channel::WechatJsapi => wechat::refund(cx, &wechat()?, order, refund),
        Channel::Apple => Err(Error::RefundByApple),
    }
}

/// How a refund of ours stands; nothing is given back by asking.
///
/// # Errors
/// [`Error::RefundByApple`]; [`Error::Unavailable`]: nothing is known then.
pub fn ask_refund(cx: &Context, order: &Order, refund: &Refund) -> Result<Refunding, Error> {
    match order.channel {
        Channel::AlipayApp => alipay::ask_refund(cx, &alipay()?, order, refund),
        Channel::WechatApp | Channel::WechatJsapi => {
            wechat::ask_refund(cx, &wechat()?, order, refund)
        }
        Channel::Apple => Err(Error::RefundByApple),
    }
}

/// Our application at Alipay.
///
/// # Errors
/// [`Error::Unavailable`]: the variables are not set, so nobody pays through Alipay here.
pub fn alipay() -> Result<App, Error> {
    App::configured().map_err(|unset| not_configured("alipay", &unset))
}

/// We, at WeChat Pay.
///
/// # Errors
/// [`Error::Unavailable`]: the variables are not set, so nobody pays through WeChat here.
pub fn wechat() -> Result<Merchant, Error> {
    Merchant::configured().map_err(|unset| not_configured("wechat-pay", &unset))
}

/// A variable of an institution's is not set, or cannot be used.
pub fn not_configured(institution: &str, unset: &Misconfigured) -> Error {
    Error::unavailable(institution, &format!("variable {}", unset.variable), true)
}

/// What a variable of an institution's is needed for, such as a signature.
fn usable<T>(institution: &str, made: Result<T, Misconfigured>) -> Result<T, Error> {
    made.map_err(|unset| not_configured(institution, &unset))
}

/// A refund was refused for a reason that we have no name for: the operators find it in the log.
fn refused_otherwise(cx: &Context, institution: &str, codes: &str) {
    let fields = [("institution", institution.into()), ("codes", codes.into())];
    cx.log(Level::Warning, "refund-refused", &fields);
}

fn send(institution: &Recipient, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Error> {
    outbound::send(institution, request, &LIMITS).map_err(|failure| {
        Error::unavailable(institution.name, &failure.to_string(), failure.is_lasting())
    })
}
