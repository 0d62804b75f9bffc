//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::data_map::{Basis, Category};
use shared::http::Problem;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// What is held under this name is needed on this basis.
    Needed(Category, Basis),
    /// The export was downloaded already.
    Downloaded,
    /// The export's time is over.
    Expired,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Needed(category, basis) => Self::new(
                StatusCode::CONFLICT,
                "category-needed",
                "此类信息依法或因履行合同须继续保存,注销账号后按隐私政策处理",
            )
            .with("category", category.name())
            .with("basis", serde_json::to_value(basis).unwrap_or_default()),
            Error::Downloaded => Self::new(
                StatusCode::GONE,
                "export-downloaded",
                "该副本已被下载,链接已失效",
            ),
            Error::Expired => Self::new(
                StatusCode::GONE,
                "export-expired",
                "该副本的下载链接已过期,请重新申请",
            ),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
