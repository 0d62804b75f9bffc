//! Orders for coins, and what Alipay, WeChat Pay and Apple say of them (clauses E15, E27, V1, V2, V19).

pub mod alipay;
pub mod apple;
pub mod wechat;
