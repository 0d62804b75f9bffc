//! What Alipay posts to `notify_url`: `trade_status_sync`. The parameters are those of
//! <https://opendocs.alipay.com/open/204/105301>; those that tell of the payer are not read (clause E27).
//!
//! Payment and refunds come by the same notification: what tells a refund is that `refund_fee` is more than
//! nothing, and `gmt_refund` is there. The documented example of a payment has `refund_fee=0.00` and
//! `gmt_close`, and so have the trades that nobody paid in time. A full refund closes the trade, as does a
//! deadline that nobody met.

use shared::alipay::Notification;
use shared::time::Timestamp;

use super::parameters::Parameters;
use super::status::is_trade_no;
use super::{Status, yuan};

/// What Alipay says of a trade. It may come again, late, and out of order.
#[derive(Debug, PartialEq, Eq)]
pub struct TradeNotice<'a> {
    /// The notification's own name, the same each time it is sent: 1 to 128 visible ASCII characters.
    pub notify_id: &'a str,
    /// When it was sent this time.
    pub notify_time: Timestamp,
    /// To which application: whether that is ours is for the caller to see.
    pub app_id: &'a str,
    /// Who was paid, by Alipay's id: whether that is us is for the caller to see.
    pub seller_id: &'a str,
    /// Alipay's number of the trade: 1 to 64 letters and digits.
    pub trade_no: &'a str,
    /// The order's number: whether that is ours is for the caller to see.
    pub out_trade_no: &'a str,
    /// Where the trade stands: a finished one can no longer be refunded.
    pub status: Status,
    /// The order's amount, whatever was refunded since.
    pub total_fen: i64,
    /// When it was paid, if Alipay says so.
    pub paid_at: Option<Timestamp>,
    /// What it means.
    pub means: Means<'a>,
}

/// What a notification means for the order.
#[derive(Debug, PartialEq, Eq)]
pub enum Means<'a> {
    /// The payer has opened the payment and not paid.
    Waiting,
    /// It was paid.
    Paid,
    /// It was paid, and then money went back.
    Refunded(Refunded<'a>),
    /// It was closed, and never paid.
    TimedOut,
}

/// Money that went back.
#[derive(Debug, PartialEq, Eq)]
pub struct Refunded<'a> {
    /// All that went back of the trade so far, not just this time (`refund_fee`: "the total refunded
    /// amount"), in fen; at most the trade's amount.
    pub refunded_fen: i64,
    /// The `out_request_no` of the refund that caused this, if Alipay says so.
    pub out_request_no: Option<&'a str>,
    /// When it went back.
    pub at: Timestamp,
}

/// Why a signed notification gives nothing to act upon.
#[derive(Debug, PartialEq, Eq)]
pub enum NoticeError {
    /// It is not about a trade.
    OtherType,
    /// This parameter is not there, or empty.
    Missing(&'static str),
    /// This parameter is not as documented.
    Invalid(&'static str),
    /// Its parameters exclude each other: refunded and not paid, or paid and timed out.
    Contradictory,
}

impl<'a> TradeNotice<'a> {
    /// Reads a notification whose signature was checked.
    ///
    /// # Errors
    /// See [`NoticeError`].
    pub fn read(notification: &'a Notification) -> Result<Self, NoticeError> {
        let parameters = Parameters::new(notification);
        if parameters.required("notify_type")? != "trade_status_sync" {
            return Err(NoticeError::OtherType);
        }
        let status = Status::read(parameters.required("trade_status")?);
        let status = status.ok_or(NoticeError::Invalid("trade_status"))?;
        let total_fen = parameters
            .required("total_amount")
            .and_then(|yuan| yuan::to_fen(yuan).ok_or(NoticeError::Invalid("total_amount")))?;
        let paid_at = parameters.time("gmt_payment")?;
        let refunded = Refunded::read(&parameters, total_fen)?;
        let means = match (status, refunded) {
            (Status::Success | Status::Finished, None) => Means::Paid,
            (Status::Success | Status::Finished | Status::Closed, Some(refunded)) => {
                Means::Refunded(refunded)
            }
            (Status::Closed, None) if paid_at.is_none() => Means::TimedOut,
            (Status::Waiting, None) if paid_at.is_none() => Means::Waiting,
            _ => return Err(NoticeError::Contradictory),
        };
        Ok(Self {
            notify_id: parameters.visible("notify_id", 128)?,
            notify_time: parameters
                .time("notify_time")?
                .ok_or(NoticeError::Missing("notify_time"))?,
            app_id: parameters.visible("app_id", 32)?,
            seller_id: parameters.visible("seller_id", 28)?,
            trade_no: Some(parameters.required("trade_no")?)
                .filter(|number| is_trade_no(number))
                .ok_or(NoticeError::Invalid("trade_no"))?,
            out_trade_no: parameters.visible("out_trade_no", 64)?,
            status,
            total_fen,
            paid_at,
            means,
        })
    }
}

impl<'a> Refunded<'a> {
    /// `None` if no money went back.
    fn read(parameters: &Parameters<'a>, total_fen: i64) -> Result<Option<Self>, NoticeError> {
        let (fee, at) = match (
            parameters.optional("refund_fee"),
            parameters.time("gmt_refund")?,
        ) {
            (None, None) => return Ok(None),
            (Some(fee), None) if yuan::is_nothing(fee) => return Ok(None),
            (Some(fee), Some(at)) => (fee, at),
            (Some(_), None) => return Err(NoticeError::Missing("gmt_refund")),
            (None, Some(_)) => return Err(NoticeError::Missing("refund_fee")),
        };
        let out_request_no = parameters.optional_visible("out_biz_no", 64)?;
        let refunded_fen = yuan::to_fen(fee)
            .filter(|fen| *fen <= total_fen)
            .ok_or(NoticeError::Invalid("refund_fee"))?;
        Ok(Some(Self {
            refunded_fen,
            out_request_no,
            at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use shared::alipay::App;

    use super::super::tests::{NOW, app, form, signed_form};
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

    /// Published by Alipay: `test/alipay.test.ts` of `alipay/alipay-sdk-nodejs-all`, where `checkNotifySign`
    /// takes it.
    const PUBLISHED: &[(&str, &str)] = &[
        ("app_id", "2019073166072302"),
        ("auth_app_id", "2019073166072302"),
        ("buyer_id", "2088102534368455"),
        ("buyer_logon_id", "xud***@126.com"),
        ("buyer_pay_amount", "0.10"),
        ("charset", "utf-8"),
        (
            "fund_bill_list",
            r#"[{"amount":"0.10","fundChannel":"ALIPAYACCOUNT"}]"#,
        ),
        ("gmt_create", "2019-08-15 15:56:22"),
        ("gmt_payment", "2019-08-15 15:56:24"),
        ("invoice_amount", "0.10"),
        ("notify_id", "2019081500222155624068450559358070"),
        ("notify_time", "2019-08-15 15:56:25"),
        ("notify_type", "trade_status_sync"),
        ("out_trade_no", "20190815155618536-564-57"),
        ("point_amount", "0.00"),
        ("receipt_amount", "0.10"),
        ("seller_email", "z97-yuquerevenue@service.aliyun.com"),
        ("seller_id", "2088531891668739"),
        ("subject", "语雀空间 500人规模"),
        ("total_amount", "0.10"),
        ("trade_no", "2019081522001468450512505578"),
        ("trade_status", "TRADE_SUCCESS"),
        ("version", "1.0"),
    ];
    const PUBLISHED_SIGN: &str = "QfTb8tqE1BMhS5qAnXtvsF3/jBkEvu9q9en0pdbBUDDjvKycZhQb7h8GDs4FKfi049PynaNuatxSgLb/nLWZpXyyh0LEWdK2S6Ri7nPwrVgOs08zugLO20vOQz44y3ti2Ncm8/wZts1Fr2gZ7pShnVX3d1B50hbsXnObT1r/U8ONNQjWXd0HIul4TG+Q3fm3svmSvFEy0WnzuhcyHPX5Gm4ELNctL6Qd5YniGJFNcc7kopHYtI/XD9YCKCH6Ct02rzUs9i11C9CsadtZn+WhxF26Dqt9sGEFajkJ8cxUTLi8+VCpLHsgPE8P0y095uQcDdK0YjCh4x7wVSov+lrmOQ==";
    const PUBLISHED_KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqObrdC7hrgAVM98tK0nv3hSQRGGKT4lBsQjHiGjeYZjOPIPHR5knm2jnnz/YGIXIofVHkA/tAlBAd5DrY7YpvI4tP5EONLtZKC2ghBMx7McI2wRD0xiqzxOQr1FuhZGJ8/AUokBzJrzY+aGX2xcOrxFYRlFilvVLTXg4LWjR1tdPkO6+i7wQZAIVMClPkwVRZEbaERRHlKqTzv2gGv5rDU8gRoe1LeaN+6BlbTqHWkQcNCUNrA8C6l17XAXGKDsm/9TFWwO8EPHHHCaQdjtV5/FdcWIt+L8SR1ss7EXTjYDFtxcKVv9rEoY1lX8T4mX+GbXfZHraG5NCF1+XioL5JwIDAQAB";

    /// Those of a paid trade, changed; an empty value leaves the parameter out.
    fn notification(changes: &[(&str, &str)]) -> Notification {
        let mut parameters = PUBLISHED.to_vec();
        for change in changes {
            parameters.retain(|(name, _)| *name != change.0);
            if !change.1.is_empty() {
                parameters.push(*change);
            }
        }
        let body = signed_form(&parameters);
        app().notification(Some(FORM), body.as_bytes()).unwrap()
    }

    fn error(changes: &[(&str, &str)]) -> NoticeError {
        TradeNotice::read(&notification(changes)).unwrap_err()
    }

    const REFUND: [(&str, &str); 3] = [
        ("refund_fee", "0.04"),
        ("gmt_refund", "2019-08-15 15:56:24.320"),
        ("out_biz_no", "R_1"),
    ];

    #[test]
    fn the_published_notification_is_read() {
        let app = App::new(
            "https://openapi.alipay.com".to_owned(),
            "2019073166072302".to_owned(),
            String::new(),
            PUBLISHED_KEY.to_owned(),
        );
        let mut parameters = PUBLISHED.to_vec();
        parameters.extend([("sign", PUBLISHED_SIGN), ("sign_type", "RSA2")]);
        let body = form(&parameters);
        let notification = app.notification(Some(FORM), body.as_bytes()).unwrap();
        let expected = TradeNotice {
            notify_id: "2019081500222155624068450559358070",
            notify_time: NOW,
            app_id: "2019073166072302",
            seller_id: "2088531891668739",
            trade_no: "2019081522001468450512505578",
            out_trade_no: "20190815155618536-564-57",
            status: Status::Success,
            total_fen: 10,
            paid_at: Some(Timestamp(NOW.0 - 1000)),
            means: Means::Paid,
        };
        assert_eq!(TradeNotice::read(&notification), Ok(expected));
        let changed = body.replace("total_amount=0.10", "total_amount=9.10");
        assert_ne!(changed, body);
        assert!(app.notification(Some(FORM), changed.as_bytes()).is_err());
    }

    /// The example of <https://opendocs.alipay.com/open/204/105301> ("异步返回结果的验签"), as it stands but for
    /// its signature: the key is not published, and `sign_type` was RSA once.
    #[test]
    fn the_documented_example_means_paid() {
        let body = signed_form(&[
            ("total_amount", "2.00"),
            ("buyer_id", "2088102116773037"),
            ("body", "大乐透2.1"),
            ("trade_no", "2016071921001003030200089909"),
            ("refund_fee", "0.00"),
            ("notify_time", "2016-07-19 14:10:49"),
            ("subject", "大乐透2.1"),
            ("charset", "utf-8"),
            ("notify_type", "trade_status_sync"),
            ("out_trade_no", "0719141034-6418"),
            ("gmt_close", "2016-07-19 14:10:46"),
            ("gmt_payment", "2016-07-19 14:10:47"),
            ("trade_status", "TRADE_SUCCESS"),
            ("version", "1.0"),
            ("gmt_create", "2016-07-19 14:10:44"),
            ("app_id", "2015102700040153"),
            ("seller_id", "2088102119685838"),
            ("notify_id", "4a91b7a78a503640467525113fb7d8bg8e"),
        ]);
        let app = App::new(
            String::new(),
            "2015102700040153".to_owned(),
            String::new(),
            include_str!("../../../../shared/testdata/rsa/other-public-spki.pem").to_owned(),
        );
        let notification = app.notification(Some(FORM), body.as_bytes()).unwrap();
        let notice = TradeNotice::read(&notification).unwrap();
        assert_eq!((notice.total_fen, notice.means), (200, Means::Paid));
        assert_eq!(notice.out_trade_no, "0719141034-6418");
    }

    #[test]
    fn a_refund_of_nothing_is_none() {
        let closed = ("gmt_close", "2019-08-15 15:56:24");
        for fee in ["0", "0.0", "0.00"] {
            for status in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
                let notification =
                    notification(&[("trade_status", status), ("refund_fee", fee), closed]);
                let notice = TradeNotice::read(&notification).unwrap();
                assert_eq!(notice.means, Means::Paid, "{status} {fee}");
            }
            let notification = notification(&[
                ("trade_status", "TRADE_CLOSED"),
                ("gmt_payment", ""),
                ("refund_fee", fee),
                closed,
            ]);
            let notice = TradeNotice::read(&notification).unwrap();
            assert_eq!(notice.means, Means::TimedOut, "{fee}");
        }
        for fee in ["0.01", "0.001", "-0.00", "00", "x"] {
            assert_eq!(
                error(&[("refund_fee", fee)]),
                NoticeError::Missing("gmt_refund"),
                "{fee}"
            );
        }
    }

    #[test]
    fn whichever_of_the_two_comes_first_means_paid() {
        for (text, status) in [
            ("TRADE_SUCCESS", Status::Success),
            ("TRADE_FINISHED", Status::Finished),
        ] {
            let notification = notification(&[("trade_status", text)]);
            let notice = TradeNotice::read(&notification).unwrap();
            assert_eq!((notice.status, notice.means), (status, Means::Paid));
        }
    }

    #[test]
    fn refund_fields_mean_refunded_whatever_the_status() {
        for status in ["TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"] {
            let [fee, at, number] = REFUND;
            let notification = notification(&[("trade_status", status), fee, at, number]);
            let expected = Means::Refunded(Refunded {
                refunded_fen: 4,
                out_request_no: Some("R_1"),
                at: Timestamp(NOW.0 - 680),
            });
            assert_eq!(TradeNotice::read(&notification).unwrap().means, expected);
        }
        let [fee, at, _] = REFUND;
        let notification = notification(&[fee, at]);
        let means = TradeNotice::read(&notification).unwrap().means;
        assert!(matches!(means, Means::Refunded(it) if it.out_request_no.is_none()));
    }

    #[test]
    fn closed_without_a_refund_means_timed_out() {
        for (status, means) in [
            ("TRADE_CLOSED", Means::TimedOut),
            ("WAIT_BUYER_PAY", Means::Waiting),
        ] {
            let unpaid = [("trade_status", status), ("gmt_payment", "")];
            let notification = notification(&unpaid);
            let notice = TradeNotice::read(&notification).unwrap();
            assert_eq!((notice.means, notice.paid_at), (means, None));
        }
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        assert_eq!(
            error(&[("trade_status", "TRADE_CLOSED")]),
            NoticeError::Contradictory
        );
        assert_eq!(
            error(&[("trade_status", "WAIT_BUYER_PAY")]),
            NoticeError::Contradictory
        );
        let [fee, at, number] = REFUND;
        let waiting = [("trade_status", "WAIT_BUYER_PAY"), fee, at, number];
        assert_eq!(error(&waiting), NoticeError::Contradictory);
        assert_eq!(error(&[fee]), NoticeError::Missing("gmt_refund"));
        assert_eq!(error(&[at]), NoticeError::Missing("refund_fee"));
    }

    #[test]
    fn another_type_is_told_apart() {
        let other = error(&[("notify_type", "batch_refund_notify")]);
        assert_eq!(other, NoticeError::OtherType);
    }

    #[test]
    fn what_is_missing_or_not_as_documented_is_named() {
        for name in [
            "notify_type",
            "notify_id",
            "notify_time",
            "seller_id",
            "trade_no",
            "out_trade_no",
            "trade_status",
            "total_amount",
        ] {
            assert_eq!(error(&[(name, "")]), NoticeError::Missing(name));
        }
        let long = "1".repeat(129);
        for (name, value) in [
            ("notify_id", long.as_str()),
            ("notify_id", "a\nb"),
            ("notify_time", "2019-08-15T15:56:25"),
            ("gmt_payment", "yesterday"),
            ("seller_id", "卖家"),
            ("trade_no", "1;drop"),
            ("trade_no", &long),
            ("out_trade_no", "a b"),
            ("out_trade_no", &long),
            ("trade_status", "TRADE_PENDING"),
            ("total_amount", "0.1e1"),
            ("total_amount", "99999999999999999999"),
        ] {
            assert_eq!(
                error(&[(name, value)]),
                NoticeError::Invalid(name),
                "{value}"
            );
        }
        let [fee, at, number] = REFUND;
        let more_than_all = error(&[("refund_fee", "0.11"), at, number]);
        assert_eq!(more_than_all, NoticeError::Invalid("refund_fee"));
        let nothing = error(&[("refund_fee", "0.00"), at, number]);
        assert_eq!(nothing, NoticeError::Invalid("refund_fee"));
        let untimely = error(&[fee, ("gmt_refund", "0"), number]);
        assert_eq!(untimely, NoticeError::Invalid("gmt_refund"));
        let unnumbered = error(&[fee, at, ("out_biz_no", "退款")]);
        assert_eq!(unnumbered, NoticeError::Invalid("out_biz_no"));
    }
}
