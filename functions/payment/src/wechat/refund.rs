//! Refunds: ordering and asking.

use http::Request;
use rand_core::CryptoRng;
use serde_json::json;
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::Merchant;
use super::request::encoded;

/// Money to be given back.
#[derive(Clone, Copy, Debug)]
pub struct RefundOrder<'a> {
    /// The order that was paid.
    pub out_trade_no: &'a str,
    /// Our number of the refund: at most 64 characters of `0-9A-Za-z_-|*@`. Asking again under the same
    /// number does not refund again.
    pub out_refund_no: &'a str,
    /// What is given back, in fen.
    pub refund_fen: i64,
    /// The order's price, in fen.
    pub total_fen: i64,
}

impl Merchant {
    /// Gives money back; the answer is [`super::Refund`], which says that the refund was taken on and no
    /// more. How it ends, a notification or [`Merchant::query_refund`] tells.
    ///
    /// The fields are those of `wechatpay-go`'s `services/refunddomestic`.
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn refund(
        &self,
        refund: &RefundOrder<'_>,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let body = json!({
            "out_trade_no": refund.out_trade_no,
            "out_refund_no": refund.out_refund_no,
            "notify_url": self.refund_notify_url,
            "amount": {
                "refund": refund.refund_fen,
                "total": refund.total_fen,
                "currency": "CNY",
            },
        });
        self.post("/v3/refund/domestic/refunds", &body, now, rng)
    }

    /// Asks what became of a refund; the answer is [`super::Refund`].
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn query_refund(
        &self,
        out_refund_no: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let path = format!("/v3/refund/domestic/refunds/{}", encoded(out_refund_no));
        self.get(&path, now, rng)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use shared::random;

    use super::super::request::tests::checked;
    use super::super::tests::{NOW, merchant};
    use super::*;

    #[test]
    fn a_refund_is_ordered_and_asked_for() {
        let refund = RefundOrder {
            out_trade_no: "123456",
            out_refund_no: "r1",
            refund_fen: 100,
            total_fen: 600,
        };
        let (line, content) = checked(merchant().refund(&refund, NOW, &mut random::host()));
        assert_eq!(line, "POST /v3/refund/domestic/refunds");
        let expected = json!({
            "out_trade_no": "123456",
            "out_refund_no": "r1",
            "notify_url": "https://api.example.cn/wechat/refund",
            "amount": { "refund": 100, "total": 600, "currency": "CNY" },
        });
        assert_eq!(content, expected);
        let (line, content) = checked(merchant().query_refund("r1", NOW, &mut random::host()));
        let expected = "GET /v3/refund/domestic/refunds/r1";
        assert_eq!((line.as_str(), content), (expected, Value::Null));
    }
}
