//! Alipay's app payment: what our app hands to Alipay's, what we ask Alipay of a trade, and what Alipay
//! tells us of it. Pure: sending is the caller's.
//!
//! A trade comes to be at Alipay only once the payer has acted in Alipay's app. Before that, Alipay knows
//! nothing of it: asking and closing both find nothing, and the order string can still be paid until its
//! `time_expire`. Facts are taken from the official Java SDK (`alipay/alipay-sdk-java-all`), whose classes
//! repeat the documentation of each field, and from the pages that are named where they are used.

pub mod close;
mod failure;
mod notice;
mod order;
mod parameters;
pub mod query;
pub mod refund;
pub mod refund_query;
mod status;
pub mod yuan;

pub use failure::Failure;
pub use notice::{Means, NoticeError, Refunded, TradeNotice};
pub use order::{Order, order_string};
pub use status::Status;

#[cfg(test)]
mod tests;
