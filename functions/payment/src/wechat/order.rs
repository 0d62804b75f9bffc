//! Orders: announcing, asking, closing.

use http::Request;
use rand_core::CryptoRng;
use serde_json::json;
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::request::encoded;
use super::{JSAPI_APPID, Merchant};

/// An order to be paid. Only this reaches WeChat (clause E27).
#[derive(Clone, Copy, Debug)]
pub struct Prepay<'a> {
    /// Our number of the order: 6 to 32 characters of `0-9A-Za-z_-|*`.
    pub out_trade_no: &'a str,
    /// What the bill says: at most 127 characters.
    pub description: &'a str,
    /// The price in fen.
    pub amount_fen: i64,
    /// Until when it can be paid, to the second. WeChat makes this one minute from now at least.
    pub time_expire: Timestamp,
    /// Where it is paid.
    pub payer: Payer<'a>,
}

/// Where an order is paid.
#[derive(Clone, Copy, Debug)]
pub enum Payer<'a> {
    /// In our mobile app.
    App,
    /// In a web page within WeChat.
    Jsapi {
        /// The person's name under our official account.
        openid: &'a str,
    },
}

impl Merchant {
    /// Announces an order; the answer is [`super::Prepaid`]. Announcing it again with the same content gives
    /// a new `prepay_id`; with another it is refused. `rng` makes the nonce and blinds the signing.
    ///
    /// <https://pay.weixin.qq.com/docs/merchant/products/in-app-payment/apilist.html>,
    /// <https://pay.weixin.qq.com/doc/v3/merchant/4012525167>
    ///
    /// # Errors
    /// The private key cannot be used, or there is no official account for a [`Payer::Jsapi`].
    pub fn prepay(
        &self,
        order: &Prepay<'_>,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let (path, appid) = match order.payer {
            Payer::App => ("/v3/pay/transactions/app", self.appid.as_str()),
            Payer::Jsapi { .. } => ("/v3/pay/transactions/jsapi", self.jsapi_appid()?),
        };
        let mut body = json!({
            "appid": appid,
            "mchid": self.mchid,
            "description": order.description,
            "out_trade_no": order.out_trade_no,
            "time_expire": china_time(order.time_expire),
            "notify_url": self.payment_notify_url,
            "amount": { "total": order.amount_fen, "currency": "CNY" },
        });
        if let Payer::Jsapi { openid } = order.payer {
            body["payer"] = json!({ "openid": openid });
        }
        self.post(path, &body, now, rng)
    }

    /// Asks what became of an order; the answer is [`super::Transaction`].
    ///
    /// <https://pay.weixin.qq.com/doc/v3/merchant/4013070356>
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn query_order(
        &self,
        out_trade_no: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let path = format!("{}?mchid={}", order_path(out_trade_no), self.mchid);
        self.get(&path, now, rng)
    }

    /// Closes an order, so that it cannot be paid any more; the answer is `()`.
    ///
    /// <https://pay.weixin.qq.com/doc/v3/merchant/4012556398>
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn close_order(
        &self,
        out_trade_no: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let path = format!("{}/close", order_path(out_trade_no));
        self.post(&path, &json!({ "mchid": self.mchid }), now, rng)
    }

    pub(super) fn jsapi_appid(&self) -> Result<&str, Misconfigured> {
        self.jsapi_appid.as_deref().ok_or(Misconfigured {
            variable: JSAPI_APPID,
        })
    }
}

fn order_path(out_trade_no: &str) -> String {
    format!(
        "/v3/pay/transactions/out-trade-no/{}",
        encoded(out_trade_no)
    )
}

/// `yyyy-MM-DDTHH:mm:ss+08:00`: RFC 3339 in China's time, as in the documentation's examples.
fn china_time(time: Timestamp) -> String {
    let moment =
        jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or(jiff::Timestamp::MAX);
    let there = jiff::tz::offset(8).to_datetime(moment);
    there.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use shared::random;

    use super::super::request::tests::checked;
    use super::super::tests::{NOW, configured_with, merchant};
    use super::*;

    const ORDER: Prepay<'_> = Prepay {
        out_trade_no: "1217752501201407033233368018",
        description: "人脉币 \"60\"",
        amount_fen: 600,
        time_expire: Timestamp(1_624_525_046_999),
        payer: Payer::App,
    };

    // clause E27
    #[test]
    fn an_order_in_the_app_tells_number_and_amount_only() {
        let (line, content) = checked(merchant().prepay(&ORDER, NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/pay/transactions/app");
        let expected = json!({
            "appid": "wx8888888888888888",
            "mchid": "1900000001",
            "description": "人脉币 \"60\"",
            "out_trade_no": "1217752501201407033233368018",
            "time_expire": "2021-06-24T16:57:26+08:00",
            "notify_url": "https://api.example.cn/wechat/payment",
            "amount": { "total": 600, "currency": "CNY" },
        });
        assert_eq!(content, expected);
    }

    #[test]
    fn an_order_in_a_page_names_the_payer_under_the_official_account() {
        let order = Prepay {
            payer: Payer::Jsapi { openid: "oUpF8" },
            ..ORDER
        };
        let (line, content) = checked(merchant().prepay(&order, NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/pay/transactions/jsapi");
        assert_eq!(content["appid"], "wxd678efh567hg6787");
        assert_eq!(content["payer"], json!({ "openid": "oUpF8" }));

        let without = configured_with(&[(JSAPI_APPID, "")]).unwrap();
        let error = without
            .prepay(&order, NOW, &mut random::host())
            .unwrap_err();
        assert_eq!(error.variable, JSAPI_APPID);
        assert!(without.prepay(&ORDER, NOW, &mut random::host()).is_ok());
    }

    #[test]
    fn an_order_is_asked_for_and_closed() {
        let (line, content) = checked(merchant().query_order("A1_-|*", NOW, &mut random::host()));
        let expected = "GET /v3/pay/transactions/out-trade-no/A1_-%7C%2A?mchid=1900000001";
        assert_eq!((line.as_str(), content), (expected, Value::Null));
        let (line, content) = checked(merchant().close_order("123456", NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/pay/transactions/out-trade-no/123456/close");
        assert_eq!(content, json!({ "mchid": "1900000001" }));
    }
}
