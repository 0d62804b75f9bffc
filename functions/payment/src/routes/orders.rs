//! `/v1/orders`: ordering coins, and what one has ordered (clauses E15, E27, T3).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::basis::Sharing;
use shared::consent::{self, Purpose};
use shared::disclosure::{self, Disclosure, WECHAT_PAGE_PAYMENT};
use shared::http::{
    Answer, Context, Json, Page, PageRequest, Problem, ProblemBody, RequestKey, Violation,
};
use shared::ledger;
use shared::profile::ProfileComplete;
use shared::rate_limit::{self, Limit};
use shared::recipient::{self, Recipient};
use shared::session::Session;
use shared::variables;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::institution::{self, Pay};
use crate::order::{self, Channel, Order};
use crate::package;

const MAX_OPENID: usize = 128;

/// A package to be bought.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// One of the packages' `id`s.
    #[schema(example = "coins-60")]
    package: String,
    /// Where it is to be paid.
    channel: Channel,
    /// The person's name under our official account, for `wechat-jsapi` only.
    openid: Option<String>,
}

/// An order, and how to pay it.
#[derive(Serialize, ToSchema)]
pub struct Ordered {
    #[serde(flatten)]
    order: Order,
    /// For the institution's SDK; null once the order cannot be paid any more.
    pay: Option<Pay>,
}

/// List my orders
///
/// The newest orders come first.
#[utoipa::path(get, path = "/v1/orders", tag = "payment", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query, description = "the `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Page<Order>)))]
pub fn list(cx: &Context, session: Session, page: PageRequest) -> Result<Answer, Problem> {
    let orders = order::list(cx, session.account_id, page)?;
    Ok(Answer::ok(&page.page(orders, |order: &Order| order.id)))
}

/// Order coins
///
/// Only the order's number and its amount go to the institution. For `wechat-jsapi`, where WeChat wants the `openid`
/// too, the person must have agreed to `wechat-page-payment`; it is not kept. The order can be paid for half an hour.
#[utoipa::path(post, path = "/v1/orders", tag = "payment", security(("session" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255)), request_body = NewOrder,
    responses(
        (status = 201, body = Ordered),
        (status = 400, description = "`idempotency-key-required`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`consent-required`, for `wechat-jsapi`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency-key-in-progress`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `package` can be `unknown-package`; `openid` is \
            needed for `wechat-jsapi`, and only there; `idempotency-key-reused`: with another order",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; see `Retry-After`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`payment-unavailable`: to be tried again, with the same key; \
            `recipient-without-agreement`: not to be paid there for now",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    session: Session,
    _: ProfileComplete,
    RequestKey(request): RequestKey,
    Json(new): Json<NewOrder>,
) -> Result<Answer, Error> {
    let openid = openid(&new)?;
    if openid.is_some() {
        consent::require(cx, session.account_id, Purpose::WechatPagePayment)?;
    }
    let packages = package::packages()?;
    let package = packages
        .iter()
        .find(|package| package.id == new.package)
        .ok_or_else(|| Error::Invalid(Violation::new("package", "unknown-package")))?;
    let allowed = variables::parsed("orders_per_hour")?;
    let limit = Limit::per_hour("orders", session.account_id.as_bytes(), allowed);
    let _spent = rate_limit::take(cx, [limit])?;
    let holder = ledger::holder(cx, session.account_id)?.ok_or_else(Problem::unauthenticated)?;
    let order = order::create(cx, request, holder, package, new.channel)?;
    let pay = if order.is_open(cx.now()) {
        if let Some(sent) = disclosed(new.channel) {
            disclosure::record(cx, session.account_id, sent, Some(&order.number()))?;
        }
        Some(institution::begin(cx, &order, package, openid)?)
    } else {
        None
    };
    Ok(Answer::json(StatusCode::CREATED, &Ordered { order, pay }))
}

fn openid(new: &NewOrder) -> Result<Option<&str>, Error> {
    let refused = |code| Err(Error::Invalid(Violation::new("openid", code)));
    match (new.channel, new.openid.as_deref()) {
        (Channel::WechatJsapi, None) => refused("missing"),
        (Channel::WechatJsapi, Some(openid)) => {
            let is_plain = openid.bytes().all(|byte| byte.is_ascii_graphic());
            match (1..=MAX_OPENID).contains(&openid.len()) && is_plain {
                true => Ok(Some(openid)),
                false => refused("invalid"),
            }
        }
        (_, Some(_)) => refused("unknown"),
        (_, None) => Ok(None),
    }
}

/// What goes to the institution with an order; to Apple we send nothing.
fn disclosed(channel: Channel) -> Option<&'static Disclosure> {
    match channel {
        Channel::AlipayApp => Some(&const { ordered_at(recipient::ALIPAY) }),
        Channel::WechatApp => Some(&const { ordered_at(recipient::WECHAT_PAY) }),
        Channel::WechatJsapi => Some(&WECHAT_PAGE_PAYMENT),
        Channel::Apple => None,
    }
}

const fn ordered_at(recipient: &'static Recipient) -> Disclosure {
    Disclosure {
        recipient,
        purpose: "payment",
        data: "order number,amount",
        basis: Sharing::Consent,
    }
}

/// The path's order, if it is this account's.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn own(cx: &Context, id: Uuid, session: &Session) -> Result<Order, Error> {
    order::find_own(cx, id, session.account_id)?.ok_or(Error::NotFound)
}
