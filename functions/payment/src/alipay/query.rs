//! `alipay.trade.query`: how a trade stands. The fields are those of the official Java SDK's
//! `AlipayTradeQueryModel` and `AlipayTradeQueryResponse`; what tells of the payer is not read (clause E27).

use http::Request;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::json;
use shared::alipay::{AnswerError, App};
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::status::is_trade_no;
use super::{Failure, Status, yuan};

const METHOD: &str = "alipay.trade.query";

/// What Alipay says of a trade.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It stands so.
    Trade(Trade),
    /// Alipay has never heard of it: until the order string's `time_expire` it may still come to be.
    NotExist,
}

/// A trade as it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Trade {
    /// Alipay's number: 1 to 64 letters and digits.
    pub trade_no: String,
    /// Where it stands. [`Status::Closed`] does not say whether it was paid before: only refunds do.
    pub status: Status,
    /// The order's amount, whatever was refunded since.
    pub total_fen: i64,
}

#[derive(Deserialize)]
struct Answer {
    trade_no: String,
    out_trade_no: String,
    trade_status: String,
    total_amount: String,
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
/// See [`Failure`]; nothing is known of the trade then.
pub fn answer(app: &App, out_trade_no: &str, body: &[u8]) -> Result<Outcome, Failure> {
    let answer: Answer = match app.answer(METHOD, body) {
        Ok(answer) => answer,
        Err(AnswerError::Refused(refusal)) => {
            return match refusal.sub_code.as_deref() {
                Some("ACQ.TRADE_NOT_EXIST") => Ok(Outcome::NotExist),
                _ => Err(Failure::refused(&refusal)),
            };
        }
        Err(error) => return Err(error.into()),
    };
    // Alipay's signature does not bind an answer to a request: it may be that of another trade.
    if answer.out_trade_no != out_trade_no || !is_trade_no(&answer.trade_no) {
        return Err(Failure::Malformed);
    }
    let status = Status::read(&answer.trade_status).ok_or(Failure::Malformed)?;
    let total_fen = yuan::to_fen(&answer.total_amount).ok_or(Failure::Malformed)?;
    Ok(Outcome::Trade(Trade {
        trade_no: answer.trade_no,
        status,
        total_fen,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{NOW, app, assert_call, refused, signed_answer, unsigned_refusal};
    use super::*;

    fn paid() -> Value {
        json!({
            "code": "10000", "msg": "Success",
            "buyer_logon_id": "159****5620", "buyer_user_id": "2088101117955611",
            "out_trade_no": "A1", "trade_no": "2013112011001004330000121536",
            "trade_status": "TRADE_SUCCESS", "total_amount": "6.00",
        })
    }

    fn read(content: &Value) -> Result<Outcome, Failure> {
        answer(&app(), "A1", &signed_answer(METHOD, content))
    }

    #[test]
    fn the_request_names_the_order() {
        let request = request(&app(), "A1", NOW, &mut shared::random::host()).unwrap();
        assert_call(&request, METHOD, &json!({ "out_trade_no": "A1" }));
    }

    #[test]
    fn a_trade_is_read() {
        for (text, status) in [
            ("WAIT_BUYER_PAY", Status::Waiting),
            ("TRADE_CLOSED", Status::Closed),
            ("TRADE_SUCCESS", Status::Success),
            ("TRADE_FINISHED", Status::Finished),
        ] {
            let mut content = paid();
            content["trade_status"] = json!(text);
            let expected = Trade {
                trade_no: "2013112011001004330000121536".to_owned(),
                status,
                total_fen: 600,
            };
            assert_eq!(read(&content).unwrap(), Outcome::Trade(expected));
        }
    }

    #[test]
    fn only_a_signed_refusal_says_that_there_is_none() {
        let content = refused("ACQ.TRADE_NOT_EXIST");
        assert_eq!(read(&content).unwrap(), Outcome::NotExist);
        for body in unsigned_refusal(METHOD, "ACQ.TRADE_NOT_EXIST") {
            let failure = answer(&app(), "A1", body.as_bytes()).unwrap_err();
            assert!(matches!(failure, Failure::Lasting(_)), "{failure:?}");
        }
        let failure = read(&refused("ACQ.SYSTEM_ERROR")).unwrap_err();
        assert!(matches!(failure, Failure::Passing(_)));
    }

    #[test]
    fn another_trade_s_answer_and_what_is_not_documented_are_malformed() {
        for (name, value) in [
            ("out_trade_no", json!("A2")),
            ("trade_no", json!("")),
            ("trade_no", json!("1\n2")),
            ("trade_no", json!("1".repeat(65))),
            ("trade_status", json!("TRADE_PENDING")),
            ("total_amount", json!("6.001")),
            ("total_amount", json!(6.0)),
            ("total_amount", Value::Null),
        ] {
            let mut content = paid();
            content[name] = value.clone();
            let failure = read(&content).unwrap_err();
            assert!(matches!(failure, Failure::Malformed), "{name} {value}");
        }
    }
}
