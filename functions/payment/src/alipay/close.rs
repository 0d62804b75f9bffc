//! `alipay.trade.close`: nobody shall pay this trade any more. The fields are those of the official Java
//! SDK's `AlipayTradeCloseModel` and `AlipayTradeCloseResponse`.

use http::Request;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::json;
use shared::alipay::{AnswerError, App};
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::Failure;

const METHOD: &str = "alipay.trade.close";

/// What became of closing.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is closed, and was never paid.
    Closed,
    /// Alipay has never heard of it: until the order string's `time_expire` it may still be paid.
    NotExist,
    /// It does not wait for its payer: it was paid, or closed before. [`super::query`] tells which.
    NotWaiting,
}

#[derive(Deserialize)]
struct Answer {
    out_trade_no: Option<String>,
}

/// The request. `rng` blinds the signing.
///
/// # Errors
/// The gateway's host or the private key cannot be used.
pub fn request(
    app: &App,
    out_trade_no: &str,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Request<Vec<u8>>, Misconfigured> {
    app.request(METHOD, &json!({ "out_trade_no": out_trade_no }), now, rng)
}

/// Reads the answer to [`request`].
///
/// # Errors
/// See [`Failure`]; it may be closed or not then.
pub fn answer(app: &App, out_trade_no: &str, body: &[u8]) -> Result<Outcome, Failure> {
    match app.answer::<Answer>(METHOD, body) {
        // The documentation does not promise the order's number here.
        Ok(Answer {
            out_trade_no: named,
        }) if named.as_deref().is_none_or(|it| it == out_trade_no) => Ok(Outcome::Closed),
        Ok(_) => Err(Failure::Malformed),
        Err(AnswerError::Refused(refusal)) => match refusal.sub_code.as_deref() {
            Some("ACQ.TRADE_NOT_EXIST") => Ok(Outcome::NotExist),
            Some(
                "ACQ.TRADE_STATUS_ERROR"
                | "ACQ.REASON_TRADE_STATUS_INVALID"
                | "ACQ.REASON_ILLEGAL_STATUS",
            ) => Ok(Outcome::NotWaiting),
            _ => Err(Failure::refused(&refusal)),
        },
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{NOW, app, assert_call, refused, signed_answer, unsigned_refusal};
    use super::*;

    fn read(content: &Value) -> Result<Outcome, Failure> {
        answer(&app(), "A1", &signed_answer(METHOD, content))
    }

    #[test]
    fn the_request_names_the_order() {
        let request = request(&app(), "A1", NOW, &mut shared::random::host()).unwrap();
        assert_call(&request, METHOD, &json!({ "out_trade_no": "A1" }));
    }

    #[test]
    fn what_became_of_it_is_read() {
        let closed = json!({ "code": "10000", "msg": "Success", "out_trade_no": "A1" });
        assert_eq!(read(&closed).unwrap(), Outcome::Closed);
        assert_eq!(read(&json!({ "code": "10000" })).unwrap(), Outcome::Closed);
        for (code, outcome) in [
            ("ACQ.TRADE_NOT_EXIST", Outcome::NotExist),
            ("ACQ.TRADE_STATUS_ERROR", Outcome::NotWaiting),
            ("ACQ.REASON_TRADE_STATUS_INVALID", Outcome::NotWaiting),
            ("ACQ.REASON_ILLEGAL_STATUS", Outcome::NotWaiting),
        ] {
            assert_eq!(read(&refused(code)).unwrap(), outcome, "{code}");
        }
    }

    #[test]
    fn nothing_else_is_believed() {
        let other = json!({ "code": "10000", "out_trade_no": "A2" });
        assert!(matches!(read(&other), Err(Failure::Malformed)));
        let unsigned = format!(r#"{{"alipay_trade_close_response":{other}}}"#);
        let unsigned = answer(&app(), "A2", unsigned.as_bytes());
        assert!(matches!(unsigned, Err(Failure::BadSignature)));
        for body in unsigned_refusal(METHOD, "ACQ.TRADE_NOT_EXIST") {
            let failure = answer(&app(), "A1", body.as_bytes());
            assert!(matches!(failure, Err(Failure::Lasting(_))));
        }
        let failure = read(&refused("ACQ.SYSTEM_ERROR"));
        assert!(matches!(failure, Err(Failure::Passing(_))));
    }
}
