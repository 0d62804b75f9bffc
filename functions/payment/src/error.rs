//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Problem, Violation};
use shared::log::Level;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// A field has this violation.
    Invalid(Violation),
    /// There is no such order, or none that the asker may know of.
    NotFound,
    /// The order is not paid: there is nothing to give back.
    NotPaid,
    /// Another refund of the order is not done yet: its number, unless it was done just now.
    RefundPending(Option<String>),
    /// More than what is left of the price.
    RefundTooMuch,
    /// The institution does not give the money back, for this reason.
    RefundRefused(&'static str),
    /// Only Apple gives back what was bought in the App Store.
    RefundByApple,
    /// The transaction is not for this order.
    TransactionMismatch(&'static str),
    /// The transaction cannot be taken for the App Store's, or for our app's.
    TransactionInvalid,
    /// An institution cannot be asked; people may have to act.
    Unavailable {
        /// What the log says.
        cause: String,
        /// How loudly.
        level: Level,
    },
    /// A notification that does not come from the institution, or cannot be read.
    NotificationRefused {
        /// The problem's name.
        name: &'static str,
        /// What the log says.
        cause: String,
        /// How loudly.
        level: Level,
    },
    /// Anything that is a problem already.
    Problem(Problem),
}

impl Error {
    /// An institution cannot be asked; whether people must act.
    pub fn unavailable(institution: &str, cause: &str, alarm: bool) -> Self {
        Self::Unavailable {
            cause: format!("{institution}: {cause}"),
            level: if alarm { Level::Alarm } else { Level::Error },
        }
    }

    /// The same, where anybody could have brought it about: that alarms nobody.
    pub fn brought_about_by_anybody(self) -> Self {
        match self {
            Self::Unavailable { cause, .. } => Self::Unavailable {
                cause,
                level: Level::Warning,
            },
            other => other,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let conflict = |name, title| Self::new(StatusCode::CONFLICT, name, title);
        match error {
            Error::Invalid(violation) => Self::invalid_fields(&[violation]),
            Error::NotFound => Self::not_found(),
            Error::NotPaid => conflict("order-not-paid", "此订单尚未支付"),
            Error::RefundPending(number) => {
                conflict("refund-pending", "此订单的另一笔退款正在处理").with("number", number)
            }
            Error::RefundTooMuch => conflict("refund-too-much", "退款超过订单的剩余金额"),
            Error::RefundRefused(reason) => {
                conflict("refund-refused", "支付机构拒绝了退款").with("reason", reason)
            }
            Error::RefundByApple => {
                conflict("refund-by-apple", "App Store 的订单只能由 Apple 退款")
            }
            Error::TransactionMismatch(reason) => {
                conflict("transaction-mismatch", "此交易与订单不符").with("reason", reason)
            }
            Error::TransactionInvalid => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "transaction-invalid",
                "无法验证此交易",
            ),
            Error::Unavailable { cause, level } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment-unavailable",
                "支付服务暂时不可用,请稍后再试",
            )
            .retry_after(10)
            .because(level, cause),
            Error::NotificationRefused { name, cause, level } => {
                Self::new(StatusCode::BAD_REQUEST, name, "通知无法接受").because(level, cause)
            }
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
