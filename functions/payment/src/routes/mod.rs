//! One file a path, or an institution.

pub mod alipay;
pub mod anomalies;
pub mod apple;
pub mod apple_transaction;
pub mod due;
pub mod order;
pub mod orders;
pub mod packages;
pub mod refund;
pub mod refunds;
pub mod wechat;
