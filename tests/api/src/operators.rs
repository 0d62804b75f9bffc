//! Operators of the tests.

use crate::app::Builder;

/// Someone who runs the service.
#[derive(Debug)]
pub struct Operator {
    /// The name, as the audit has it.
    pub name: &'static str,
    role: &'static str,
    /// The bearer token.
    pub token: &'static str,
    /// The SHA-256 of the token.
    hash: &'static str,
}

/// One who decides reviews.
pub const REVIEWER: Operator = Operator {
    name: "wang",
    role: "reviewer",
    token: "token-of-wang",
    hash: "a4e974ccb8bceef04469c359fb9cbb7dead8a0356eb453a3e061227ef4ab1263",
};

/// One who may do everything.
pub const ADMIN: Operator = Operator {
    name: "li",
    role: "admin",
    token: "token-of-li",
    hash: "71a8082c056476066d8ceef4559f79f5613a89c4b0aece0d30e56e99da57a67e",
};

/// One of a role that may not review.
pub const ACCOUNTANT: Operator = Operator {
    name: "zhao",
    role: "accountant",
    token: "token-of-zhao",
    hash: "ab3fed8830d96dea141ace1842768d67abfe8e2afe8829a2b58fd624e292c7f1",
};

/// The one who calls for what is due.
pub const SCHEDULER: Operator = Operator {
    name: "cron",
    role: "scheduler",
    token: "token-of-cron",
    hash: "1f8c18d78ae9ec6742540fdb30c669a9a2adab50a2f7bb8e7cea910b09473de1",
};

impl Builder {
    /// With [`REVIEWER`], [`ADMIN`], [`ACCOUNTANT`] and [`SCHEDULER`].
    #[must_use]
    pub fn with_operators(self) -> Self {
        let entries = [REVIEWER, ADMIN, ACCOUNTANT, SCHEDULER]
            .map(|operator| format!("{}:{}:{}", operator.name, operator.role, operator.hash));
        self.variable("operator_tokens", &entries.join(","))
    }
}
