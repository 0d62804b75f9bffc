//! `alipay.trade.app.pay`: what our app hands to Alipay's.

use rand_core::CryptoRng;
use serde_json::{Value, json};
use shared::alipay::{App, china_time};
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::yuan;

const METHOD: &str = "alipay.trade.app.pay";

/// An order that is to be paid in Alipay's app. Only its number and its amount go there (clause E27).
pub struct Order<'a> {
    /// Our number: up to 64 letters, digits and underscores, used once.
    pub out_trade_no: &'a str,
    /// What the payer reads; says nothing of the payer, and has none of `/`, `=` and `&`.
    pub subject: &'a str,
    /// The amount in fen, in [`yuan::RANGE`].
    pub amount_fen: i64,
    /// When Alipay stops taking the payment; a part of a second is dropped, so that is never later.
    pub expires_at: Timestamp,
    /// Where Alipay sends what becomes of it.
    pub notify_url: &'a str,
}

impl Order<'_> {
    /// The members are those of the official Java SDK's `AlipayTradeAppPayModel`.
    fn content(&self) -> Value {
        json!({
            "out_trade_no": self.out_trade_no,
            "subject": self.subject,
            "total_amount": yuan::from_fen(self.amount_fen),
            "product_code": "QUICK_MSECURITY_PAY",
            "time_expire": china_time::to_text(self.expires_at),
        })
    }
}

/// The order string for Alipay's SDK on the phone. `rng` blinds the signing.
///
/// # Errors
/// The private key cannot be used.
pub fn order_string(
    app: &App,
    order: &Order,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<String, Misconfigured> {
    app.order_string(METHOD, &order.content(), order.notify_url, now, rng)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, app, decoded};
    use super::*;
    use std::time::Duration;

    const ORDER: Order = Order {
        out_trade_no: "01890a5d_ac96",
        subject: "创人脉 金币",
        amount_fen: 600,
        expires_at: Timestamp(NOW.0 + 30 * 60 * 1000 + 999),
        notify_url: "https://x.example/payment/alipay",
    };

    // clause E27
    #[test]
    fn the_order_string_holds_the_order_and_nothing_else() {
        let text = order_string(&app(), &ORDER, NOW, &mut shared::random::host()).unwrap();
        let parameters = decoded(&text);
        assert_eq!(parameters["method"], "alipay.trade.app.pay");
        assert_eq!(parameters["notify_url"], ORDER.notify_url);
        assert_eq!(parameters["timestamp"], "2019-08-15 15:56:25");
        let content: Value = serde_json::from_str(&parameters["biz_content"]).unwrap();
        let expected = json!({
            "out_trade_no": "01890a5d_ac96",
            "subject": "创人脉 金币",
            "total_amount": "6.00",
            "product_code": "QUICK_MSECURITY_PAY",
            "time_expire": "2019-08-15 16:26:25",
        });
        assert_eq!(content, expected);
    }

    #[test]
    fn the_deadline_is_china_s_time() {
        let expires_at = NOW.plus(Duration::from_secs(9 * 60 * 60));
        let content = Order {
            expires_at,
            ..ORDER
        }
        .content();
        assert_eq!(content["time_expire"], "2019-08-16 00:56:25");
    }
}
