//! Alipay's trades (clause V1).
