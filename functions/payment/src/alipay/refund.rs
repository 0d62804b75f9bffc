//! `alipay.trade.refund`: money goes back to the payer. The fields are those of the official Java SDK's
//! `AlipayTradeRefundModel` and `AlipayTradeRefundResponse`; what tells of the payer is not read (clause
//! E27).

use http::Request;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::json;
use shared::alipay::{AnswerError, App};
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::{Failure, yuan};

const METHOD: &str = "alipay.trade.refund";

/// A refund. The same one can be sent again without money moving twice.
pub struct Refund<'a> {
    /// The order's number.
    pub out_trade_no: &'a str,
    /// The refund's own number, used for one amount only: up to 64 letters, digits and underscores.
    pub out_request_no: &'a str,
    /// What goes back, in fen, in [`yuan::RANGE`].
    pub amount_fen: i64,
}

/// What became of sending a refund.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money went back with this call.
    Done {
        /// All that went back of the trade so far, in fen.
        refunded_fen: i64,
    },
    /// Taken, but no money moved with this call: it moved with an earlier one, or not yet.
    /// [`super::refund_query`] tells which, ten seconds later or more.
    Unknown,
    /// Alipay does not do it.
    Refused(Reason),
}

/// Why a refund is refused (<https://opendocs.alipay.com/open/028sm9>, business error codes). None passes by
/// itself, and there are more of them than are told apart. For all but the first three, [`super::refund_query`] tells whether this very refund went through
/// before: it may be what closed the trade, or left nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Our account holds too little: after a deposit, the same refund works.
    BalanceTooLow,
    /// Alipay holds the trade's money for now: people ask Alipay, then the same refund may work.
    Frozen,
    /// There is no such trade.
    NotPaid,
    /// The trade cannot be refunded any more, or never could: the money must go back in another way.
    NotRefundable,
    /// The trade is not paid, or closed.
    Closed,
    /// More than what is left of the trade.
    TooMuch,
    /// Another amount went by this number before.
    OtherAmount,
    /// Another reason: the codes, fit for a log.
    Other(String),
}

impl Reason {
    fn read(sub_code: &str) -> Option<Self> {
        match sub_code {
            "ACQ.SELLER_BALANCE_NOT_ENOUGH" => Some(Self::BalanceTooLow),
            "ACQ.REASON_TRADE_BEEN_FREEZEN" => Some(Self::Frozen),
            "ACQ.TRADE_HAS_FINISHED" | "ACQ.TRADE_NOT_ALLOW_REFUND" => Some(Self::NotRefundable),
            "ACQ.TRADE_NOT_EXIST" => Some(Self::NotPaid),
            "ACQ.TRADE_STATUS_ERROR" | "ACQ.TRADE_HAS_CLOSE" => Some(Self::Closed),
            "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
            | "ACQ.REASON_TRADE_REFUND_FEE_ERR"
            | "ACQ.REFUND_FEE_ERROR" => Some(Self::TooMuch),
            "ACQ.DISCORDANT_REPEAT_REQUEST" => Some(Self::OtherAmount),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    out_trade_no: String,
    fund_change: Option<String>,
    /// "All that was refunded of the trade so far".
    refund_fee: Option<String>,
}

/// The request. `rng` blinds the signing.
///
/// # Errors
/// The gateway's host or the private key cannot be used.
pub fn request(
    app: &App,
    refund: &Refund,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Request<Vec<u8>>, Misconfigured> {
    let content = json!({
        "out_trade_no": refund.out_trade_no,
        "out_request_no": refund.out_request_no,
        "refund_amount": yuan::from_fen(refund.amount_fen),
    });
    app.request(METHOD, &content, now, rng)
}

/// Reads the answer to [`request`].
///
/// # Errors
/// See [`Failure`]; the money may have gone back or not then: send the same refund again.
pub fn answer(app: &App, refund: &Refund, body: &[u8]) -> Result<Outcome, Failure> {
    let answer: Answer = match app.answer(METHOD, body) {
        Ok(answer) => answer,
        Err(AnswerError::Refused(refusal)) => {
            let reason = refusal.sub_code.as_deref().and_then(Reason::read);
            return match (reason, Failure::refused(&refusal)) {
                (Some(reason), _) => Ok(Outcome::Refused(reason)),
                (None, Failure::Lasting(codes)) => Ok(Outcome::Refused(Reason::Other(codes))),
                (None, failure) => Err(failure),
            };
        }
        Err(error) => return Err(error.into()),
    };
    if answer.out_trade_no != refund.out_trade_no {
        return Err(Failure::Malformed);
    }
    match answer.fund_change.as_deref() {
        Some("Y") => {
            let fee = answer.refund_fee.as_deref().and_then(yuan::to_fen);
            let refunded_fen = fee
                .filter(|fen| *fen >= refund.amount_fen)
                .ok_or(Failure::Malformed)?;
            Ok(Outcome::Done { refunded_fen })
        }
        Some("N") | None => Ok(Outcome::Unknown),
        Some(_) => Err(Failure::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{NOW, app, assert_call, refused, signed_answer, unsigned_refusal};
    use super::*;

    const REFUND: Refund = Refund {
        out_trade_no: "A1",
        out_request_no: "R1",
        amount_fen: 250,
    };

    fn read(content: &Value) -> Result<Outcome, Failure> {
        answer(&app(), &REFUND, &signed_answer(METHOD, content))
    }

    fn done() -> Value {
        json!({
            "code": "10000", "msg": "Success", "buyer_logon_id": "159****5620",
            "out_trade_no": "A1", "trade_no": "1", "fund_change": "Y", "refund_fee": "5.00",
        })
    }

    #[test]
    fn the_request_names_order_and_refund() {
        let request = request(&app(), &REFUND, NOW, &mut shared::random::host()).unwrap();
        let content =
            json!({ "out_trade_no": "A1", "out_request_no": "R1", "refund_amount": "2.50" });
        assert_call(&request, METHOD, &content);
    }

    #[test]
    fn only_a_change_of_funds_is_done() {
        let outcome = |fund_change: Value| {
            let mut content = done();
            content["fund_change"] = fund_change;
            read(&content)
        };
        let done = Outcome::Done { refunded_fen: 500 };
        assert_eq!(outcome(json!("Y")).unwrap(), done);
        assert_eq!(outcome(json!("N")).unwrap(), Outcome::Unknown);
        assert_eq!(outcome(Value::Null).unwrap(), Outcome::Unknown);
        for other in [json!(""), json!("y"), json!(true)] {
            assert!(matches!(outcome(other), Err(Failure::Malformed)));
        }
    }

    #[test]
    fn a_change_that_does_not_fit_the_refund_is_malformed() {
        for (name, value) in [
            ("out_trade_no", json!("A2")),
            ("out_trade_no", Value::Null),
            ("refund_fee", json!("2.49")),
            ("refund_fee", json!("")),
            ("refund_fee", Value::Null),
        ] {
            let mut content = done();
            content[name] = value;
            assert!(matches!(read(&content), Err(Failure::Malformed)), "{name}");
        }
    }

    #[test]
    fn a_signed_refusal_has_its_reason() {
        for (code, reason) in [
            ("ACQ.SELLER_BALANCE_NOT_ENOUGH", Reason::BalanceTooLow),
            ("ACQ.REASON_TRADE_BEEN_FREEZEN", Reason::Frozen),
            ("ACQ.TRADE_HAS_FINISHED", Reason::NotRefundable),
            ("ACQ.TRADE_NOT_EXIST", Reason::NotPaid),
            ("ACQ.TRADE_STATUS_ERROR", Reason::Closed),
            ("ACQ.TRADE_HAS_CLOSE", Reason::Closed),
            ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Reason::TooMuch),
            ("ACQ.DISCORDANT_REPEAT_REQUEST", Reason::OtherAmount),
        ] {
            assert_eq!(read(&refused(code)).unwrap(), Outcome::Refused(reason));
            for body in unsigned_refusal(METHOD, code) {
                let failure = answer(&app(), &REFUND, body.as_bytes());
                assert!(matches!(failure, Err(Failure::Lasting(_))), "{code}");
            }
        }
        let failure = read(&refused("ACQ.SYSTEM_ERROR"));
        assert!(matches!(failure, Err(Failure::Passing(_))));
        let other = Reason::Other("40004 ACQ.ACCESS_FORBIDDEN".to_owned());
        let outcome = read(&refused("ACQ.ACCESS_FORBIDDEN")).unwrap();
        assert_eq!(outcome, Outcome::Refused(other));
    }
}
