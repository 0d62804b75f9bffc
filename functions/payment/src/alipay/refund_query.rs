//! `alipay.trade.fastpay.refund.query`: whether a refund is done. The fields are those of the official Java
//! SDK's `AlipayTradeFastpayRefundQueryModel` and `AlipayTradeFastpayRefundQueryResponse`.

use http::Request;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::json;
use shared::alipay::App;
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::refund::Refund;
use super::{Failure, yuan};

const METHOD: &str = "alipay.trade.fastpay.refund.query";

/// What Alipay knows of a refund.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money went back.
    Done,
    /// Not done: it never arrived, failed, or is still under way. Send the same refund again.
    NotYet,
    /// The number belongs to a refund of another amount, which is done.
    OtherAmount,
}

#[derive(Deserialize)]
struct Answer {
    /// `REFUND_SUCCESS`, or not there.
    refund_status: Option<String>,
    out_trade_no: Option<String>,
    out_request_no: Option<String>,
    /// What this refund asked for.
    refund_amount: Option<String>,
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
    });
    app.request(METHOD, &content, now, rng)
}

/// Reads the answer to [`request`].
///
/// # Errors
/// See [`Failure`]; nothing is known of the refund then.
pub fn answer(app: &App, refund: &Refund, body: &[u8]) -> Result<Outcome, Failure> {
    let answer: Answer = app.answer(METHOD, body)?;
    match answer.refund_status.as_deref() {
        None | Some("") => Ok(Outcome::NotYet),
        Some("REFUND_SUCCESS")
            if answer.out_trade_no.as_deref() == Some(refund.out_trade_no)
                && answer.out_request_no.as_deref() == Some(refund.out_request_no) =>
        {
            match answer.refund_amount.as_deref().and_then(yuan::to_fen) {
                Some(fen) if fen == refund.amount_fen => Ok(Outcome::Done),
                Some(_) => Ok(Outcome::OtherAmount),
                None => Err(Failure::Malformed),
            }
        }
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
            "code": "10000", "msg": "Success", "refund_status": "REFUND_SUCCESS",
            "out_trade_no": "A1", "out_request_no": "R1", "trade_no": "1",
            "refund_amount": "2.50", "total_amount": "6.00",
        })
    }

    #[test]
    fn the_request_names_order_and_refund() {
        let request = request(&app(), &REFUND, NOW, &mut shared::random::host()).unwrap();
        let content = json!({ "out_trade_no": "A1", "out_request_no": "R1" });
        assert_call(&request, METHOD, &content);
    }

    #[test]
    fn a_refund_is_found_only_by_its_status() {
        assert_eq!(read(&done()).unwrap(), Outcome::Done);
        let mut other = done();
        other["refund_amount"] = json!("2.51");
        assert_eq!(read(&other).unwrap(), Outcome::OtherAmount);
        assert_eq!(read(&json!({ "code": "10000" })).unwrap(), Outcome::NotYet);
        let mut without_status = done();
        without_status["refund_status"] = json!("");
        assert_eq!(read(&without_status).unwrap(), Outcome::NotYet);
    }

    #[test]
    fn what_is_found_is_this_refund() {
        for (name, value) in [
            ("out_trade_no", json!("A2")),
            ("out_request_no", json!("R2")),
            ("out_request_no", Value::Null),
            ("refund_amount", Value::Null),
            ("refund_amount", json!("-2.50")),
            ("refund_status", json!("REFUND_PROCESSING")),
        ] {
            let mut content = done();
            content[name] = value;
            assert!(matches!(read(&content), Err(Failure::Malformed)), "{name}");
        }
        let failure = read(&refused("ACQ.TRADE_NOT_EXIST"));
        assert!(matches!(failure, Err(Failure::Lasting(_))));
    }

    #[test]
    fn what_nobody_signed_is_not_believed() {
        let unsigned = format!(
            r#"{{"alipay_trade_fastpay_refund_query_response":{}}}"#,
            done()
        );
        let unsigned = answer(&app(), &REFUND, unsigned.as_bytes());
        assert!(matches!(unsigned, Err(Failure::BadSignature)));
        for body in unsigned_refusal(METHOD, "ACQ.TRADE_NOT_EXIST") {
            let failure = answer(&app(), &REFUND, body.as_bytes());
            assert!(matches!(failure, Err(Failure::Lasting(_))));
        }
    }
}
