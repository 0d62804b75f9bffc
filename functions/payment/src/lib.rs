//! Orders for coins, and what Alipay, WeChat Pay and Apple say of them (clauses E15, E27, V1, V2, V19).

use shared::http::{Route, routes};
use shared::sql::Statement;

pub mod alipay;
pub mod apple;
mod document;
pub mod wechat;

pub use document::document;

/// The component's routes.
pub const ROUTES: &[Route] = routes! {};

/// Every statement of this function.
pub const STATEMENTS: &[&[(&str, Statement)]] = &[];
