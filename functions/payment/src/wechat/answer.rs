//! Answers to our requests.

use std::fmt;

use http::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::log;
use shared::time::Timestamp;
use shared::variables::Misconfigured;

use super::{Headers, Merchant, Unproven};

/// Why an answer gives nothing to act upon.
#[derive(Debug)]
pub enum AnswerError {
    /// It claims success, and cannot be taken for WeChat's.
    Unproven(Unproven),
    /// WeChat's, but not an answer to this request.
    Malformed,
    /// Somebody said no; see [`Refusal::is_signed`].
    Refused(Refusal),
}

impl From<Unproven> for AnswerError {
    fn from(unproven: Unproven) -> Self {
        Self::Unproven(unproven)
    }
}

impl From<Misconfigured> for AnswerError {
    fn from(misconfigured: Misconfigured) -> Self {
        Self::Unproven(misconfigured.into())
    }
}

/// What went wrong in WeChat's words. The words for people are left out: they may repeat the request.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error code.
    pub code: Code,
    /// Whether WeChat signed it. A refusal that it did not sign proves nothing: no order may be closed
    /// because of one.
    pub is_signed: bool,
}

impl Refusal {
    /// Whether the same request may be answered otherwise by and by.
    pub fn passes(&self) -> bool {
        matches!(self.status, 429 | 500..)
            || matches!(self.code, Code::SystemError | Code::FrequencyLimited)
    }

    /// Whether WeChat has signed that it does not do what was asked for.
    pub fn is_final(&self) -> bool {
        self.is_signed && (400..500).contains(&self.status) && !self.passes()
    }
}

/// Fit for a log.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.status, self.code)
    }
}

/// An error code. WeChat's own pages spell several of them in two ways, with and without underscores
/// (<https://pay.weixin.qq.com/doc/v3/merchant/4012556398> and older ones), so underscores do not count.
#[derive(Debug, PartialEq, Eq)]
pub enum Code {
    /// `ORDER_NOT_EXIST`, `ORDERNOTEXIST`; `ORDER_NOT_EXISTS` in `wechatpay-go`'s README.
    OrderNotExist,
    /// `ORDER_PAID`, `ORDERPAID`: cannot be closed.
    OrderPaid,
    /// `ORDER_CLOSED`, `ORDERCLOSED`.
    OrderClosed,
    /// `OUT_TRADE_NO_USED`: the order was announced before with another content.
    OutTradeNoUsed,
    /// `RESOURCE_NOT_EXISTS`: what refunds say of an order or refund that is not known.
    ResourceNotExists,
    /// `FREQUENCY_LIMITED`, `FREQUENCY_LIMIT_EXCEED`: later.
    FrequencyLimited,
    /// `SYSTEM_ERROR`: the same request again.
    SystemError,
    /// `NOT_ENOUGH`: the merchant's account has too little for a refund.
    NotEnough,
    /// `USER_ACCOUNT_ABNORMAL`: the payer's account takes no refund.
    UserAccountAbnormal,
    /// `NO_AUTH`
    NoAuth,
    /// `SIGN_ERROR`: WeChat does not take our signature.
    SignError,
    /// `INVALID_REQUEST`
    InvalidRequest,
    /// Another, as far as it looks like a code; empty where there is none.
    Other(String),
}

impl Code {
    fn read(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Fields {
            code: String,
        }
        match serde_json::from_slice(body) {
            Ok(Fields { code }) => Self::named(&code),
            Err(_) => Self::Other(String::new()),
        }
    }

    fn named(name: &str) -> Self {
        match name.replace('_', "").as_str() {
            "ORDERNOTEXIST" | "ORDERNOTEXISTS" => Self::OrderNotExist,
            "ORDERPAID" => Self::OrderPaid,
            "ORDERCLOSED" => Self::OrderClosed,
            "OUTTRADENOUSED" => Self::OutTradeNoUsed,
            "RESOURCENOTEXISTS" => Self::ResourceNotExists,
            "FREQUENCYLIMITED" | "FREQUENCYLIMITEXCEED" => Self::FrequencyLimited,
            "SYSTEMERROR" => Self::SystemError,
            "NOTENOUGH" => Self::NotEnough,
            "USERACCOUNTABNORMAL" => Self::UserAccountAbnormal,
            "NOAUTH" => Self::NoAuth,
            "SIGNERROR" => Self::SignError,
            "INVALIDREQUEST" => Self::InvalidRequest,
            _ => Self::Other(log::code(name)),
        }
    }
}

impl Merchant {
    /// Reads an answer once its signature holds; `()` where the documentation promises 204. The signature
    /// does not bind an answer to its request: compare the number in it with the one that was asked for.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn answer<T: DeserializeOwned>(
        &self,
        response: &Response<Vec<u8>>,
        now: Timestamp,
    ) -> Result<T, AnswerError> {
        let body = response.body();
        let proof = self.verify(&Headers::of(response.headers()), body, now);
        let content = match response.status().as_u16() {
            200 => body.as_slice(),
            204 if body.is_empty() => b"null",
            204 => return Err(AnswerError::Malformed),
            // Among them 202, which pages list as an error (`USER_PAYING`).
            status => {
                let is_signed = match proof {
                    Err(Unproven::Misconfigured(misconfigured)) => Err(misconfigured)?,
                    proof => proof.is_ok(),
                };
                let code = Code::read(body);
                return Err(AnswerError::Refused(Refusal {
                    status,
                    code,
                    is_signed,
                }));
            }
        };
        proof?;
        serde_json::from_slice(content).map_err(|_| AnswerError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, PLATFORM_SERIAL, configured_with, merchant, signed_by_wechat};
    use super::super::{PLATFORM_KEYS, Prepaid, Refund, RefundStatus, Transaction};
    use super::*;

    const PREPAID: &str = r#"{"prepay_id":"wx26112221580621e9b071c00d9e093b0000"}"#;

    fn unsigned(status: u16, body: &str) -> Response<Vec<u8>> {
        let mut response = Response::new(body.as_bytes().to_vec());
        *response.status_mut() = status.try_into().unwrap();
        response
    }

    fn signed(status: u16, body: &str) -> Response<Vec<u8>> {
        let mut response = unsigned(status, body);
        let signature = signed_by_wechat(format!("1624523846\nn\n{body}\n").as_bytes());
        let headers = response.headers_mut();
        for (name, value) in [
            ("wechatpay-timestamp", "1624523846"),
            ("wechatpay-nonce", "n"),
            ("wechatpay-serial", PLATFORM_SERIAL),
            ("wechatpay-signature", &signature),
        ] {
            headers.insert(name, value.try_into().unwrap());
        }
        response
    }

    fn prepaid(response: &Response<Vec<u8>>) -> Result<Prepaid, AnswerError> {
        merchant().answer(response, NOW)
    }

    fn refusal(response: &Response<Vec<u8>>) -> Refusal {
        match prepaid(response) {
            Err(AnswerError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn signed_successes_are_read() {
        let prepay_id = prepaid(&signed(200, PREPAID)).unwrap().prepay_id;
        assert_eq!(prepay_id, "wx26112221580621e9b071c00d9e093b0000");
        assert!(merchant().answer::<()>(&signed(204, ""), NOW).is_ok());
        let body = r#"{"mchid":"1","appid":"a","out_trade_no":"b","trade_state":"NOTPAY"}"#;
        assert!(
            merchant()
                .answer::<Transaction>(&signed(200, body), NOW)
                .is_ok()
        );
        let body = r#"{"refund_id":"5","out_refund_no":"r","out_trade_no":"o","transaction_id":"t",
            "channel":"ORIGINAL","user_received_account":"招商银行信用卡0403","status":"PROCESSING",
            "amount":{"total":100,"refund":40,"payer_total":90,"payer_refund":36}}"#;
        let refund: Refund = merchant().answer(&signed(200, body), NOW).unwrap();
        assert_eq!(refund.status, RefundStatus::Processing);
        assert_eq!((refund.amount.total, refund.amount.refund), (100, 40));
    }

    #[test]
    fn a_success_that_nobody_signed_is_no_answer() {
        for response in [unsigned(200, PREPAID), unsigned(204, "")] {
            let result = merchant().answer::<Prepaid>(&response, NOW);
            assert!(matches!(
                result,
                Err(AnswerError::Unproven(Unproven::Unsigned))
            ));
        }
        let mut changed = signed(200, PREPAID);
        *changed.body_mut() = PREPAID.replace("wx", "wy").into_bytes();
        let result = prepaid(&changed);
        assert!(matches!(
            result,
            Err(AnswerError::Unproven(Unproven::BadSignature))
        ));
        let mut doubled = signed(200, PREPAID);
        doubled
            .headers_mut()
            .append("wechatpay-nonce", "n".try_into().unwrap());
        let result = prepaid(&doubled);
        assert!(matches!(
            result,
            Err(AnswerError::Unproven(Unproven::Unsigned))
        ));
    }

    #[test]
    fn what_is_no_answer_to_the_request_is_malformed() {
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "{}",
            "null",
            "<html>",
            &PREPAID[1..],
            r#"{"prepay_id":1}"#,
            &deep,
        ] {
            let result = prepaid(&signed(200, body));
            assert!(matches!(result, Err(AnswerError::Malformed)));
        }
        let twice = r#"{"prepay_id":"a","prepay_id":"b"}"#;
        for response in [signed(204, ""), signed(204, PREPAID), signed(200, twice)] {
            assert!(matches!(prepaid(&response), Err(AnswerError::Malformed)));
        }
        let result = merchant().answer::<()>(&signed(200, PREPAID), NOW);
        assert!(matches!(result, Err(AnswerError::Malformed)));
    }

    #[test]
    fn a_refusal_tells_whether_wechat_signed_it() {
        let body = r#"{"code":"ORDER_NOT_EXIST","message":"订单 42 不存在"}"#;
        let expected = |is_signed| Refusal {
            status: 404,
            code: Code::OrderNotExist,
            is_signed,
        };
        assert_eq!(refusal(&signed(404, body)), expected(true));
        assert_eq!(refusal(&unsigned(404, body)), expected(false));
        let mut changed = signed(404, r#"{"code":"SYSTEM_ERROR"}"#);
        *changed.body_mut() = body.as_bytes().to_vec();
        assert_eq!(refusal(&changed), expected(false));
        assert_eq!(
            refusal(&signed(202, r#"{"code":"USER_PAYING"}"#)).status,
            202
        );
    }

    #[test]
    fn a_refusal_needs_no_code() {
        for body in ["", "<html>", "{}", "[]", r#"{"code":1}"#] {
            let refusal = refusal(&unsigned(502, body));
            assert_eq!(refusal.code, Code::Other(String::new()), "{body}");
        }
    }

    #[test]
    fn codes_are_read_in_each_spelling() {
        for (names, code) in [
            (
                &["ORDER_NOT_EXIST", "ORDERNOTEXIST"][..],
                Code::OrderNotExist,
            ),
            (&["ORDER_PAID", "ORDERPAID"], Code::OrderPaid),
            (&["ORDER_CLOSED", "ORDERCLOSED"], Code::OrderClosed),
            (&["OUT_TRADE_NO_USED"], Code::OutTradeNoUsed),
            (&["RESOURCE_NOT_EXISTS"], Code::ResourceNotExists),
            (
                &["FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED"],
                Code::FrequencyLimited,
            ),
            (&["SYSTEM_ERROR", "SYSTEMERROR"], Code::SystemError),
            (&["NOT_ENOUGH", "NOTENOUGH"], Code::NotEnough),
            (&["USER_ACCOUNT_ABNORMAL"], Code::UserAccountAbnormal),
            (&["NO_AUTH", "NOAUTH"], Code::NoAuth),
            (&["SIGN_ERROR"], Code::SignError),
            (&["INVALID_REQUEST"], Code::InvalidRequest),
            (
                &["MCH_NOT_EXISTS"],
                Code::Other("MCH_NOT_EXISTS".to_owned()),
            ),
            (&["A\n<b>创"], Code::Other("Ab".to_owned())),
        ] {
            for name in names {
                assert_eq!(Code::named(name), code);
            }
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_named_whatever_the_status() {
        let keys = format!(r#"{{"{PLATFORM_SERIAL}":"AQID"}}"#);
        let merchant = configured_with(&[(PLATFORM_KEYS, &keys)]).unwrap();
        for response in [signed(200, PREPAID), signed(404, "{}")] {
            let result = merchant.answer::<Prepaid>(&response, NOW);
            assert!(matches!(
                result,
                Err(AnswerError::Unproven(Unproven::Misconfigured(_)))
            ));
        }
    }
}
