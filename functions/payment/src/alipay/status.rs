//! Where a trade stands.

/// `trade_status`, in answers and notifications alike (`AlipayTradeQueryResponse` in the official Java SDK).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `WAIT_BUYER_PAY`: created, not paid.
    Waiting,
    /// `TRADE_CLOSED`: never paid, or paid and refunded in full.
    Closed,
    /// `TRADE_SUCCESS`: paid, and can be refunded.
    Success,
    /// `TRADE_FINISHED`: paid, and can no longer be refunded. Where a product has no refunds, it comes instead
    /// of `TRADE_SUCCESS`.
    Finished,
}

impl Status {
    /// `None` for a text that is no status.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "WAIT_BUYER_PAY" => Some(Self::Waiting),
            "TRADE_CLOSED" => Some(Self::Closed),
            "TRADE_SUCCESS" => Some(Self::Success),
            "TRADE_FINISHED" => Some(Self::Finished),
            _ => None,
        }
    }
}

/// Alipay's number of a trade, as far as it looks like one (`String(64)`, in practice 28 digits): it goes
/// into a column.
pub(super) fn is_trade_no(text: &str) -> bool {
    matches!(text.len(), 1..=64) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
