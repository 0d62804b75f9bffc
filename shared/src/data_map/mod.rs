//! The data map: what every stored column and key is, why it is held, for how long and on which basis,
//! and what happens to it when a person asks for a copy or leaves. A test compares it with the schema of
//! both engines, so that nothing is stored without a decision.
//!
//! Copies and the sweep are made from it: a table's rows of one person, and its rows whose time is over, are
//! found by statements that stand beside the decision.

mod keys;
mod tables;

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{Context, FromContext, Problem};
use crate::random;
use crate::sql::{Parameter, Statement};
use crate::time::Timestamp;

pub use crate::basis::Collecting as Basis;
pub use keys::KEYS;
pub use tables::{STATEMENTS, TABLES};

/// How much a value says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing.
    Open,
    /// It is about a person, or leads to one.
    Personal,
    /// The law calls it sensitive: stored only as ciphertext or as a keyed hash.
    Sensitive,
}

/// What a person asks for by one name (clauses R1, R3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = DataCategory)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Category {
    Account,
    Devices,
    Profile,
    Consents,
    Uploads,
    Verification,
    Blocks,
    Location,
    Payment,
    Gifts,
    Disclosures,
    Requests,
    Notices,
    /// What keeps the service going and is nothing that a person could ask for.
    Service,
}

impl Category {
    /// Everything that a person can ask for.
    pub const ALL: &[Self] = &[
        Self::Account,
        Self::Devices,
        Self::Profile,
        Self::Consents,
        Self::Uploads,
        Self::Verification,
        Self::Blocks,
        Self::Location,
        Self::Payment,
        Self::Gifts,
        Self::Disclosures,
        Self::Requests,
        Self::Notices,
    ];

    /// Its name, as in paths and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Devices => "devices",
            Self::Profile => "profile",
            Self::Consents => "consents",
            Self::Uploads => "uploads",
            Self::Verification => "verification",
            Self::Blocks => "blocks",
            Self::Location => "location",
            Self::Payment => "payment",
            Self::Gifts => "gifts",
            Self::Disclosures => "disclosures",
            Self::Requests => "requests",
            Self::Notices => "notices",
            Self::Service => "service",
        }
    }

    /// The one of [`Category::ALL`] with this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|category| category.name() == name)
    }

    /// What is held under it: tables first, then kinds of keys.
    pub fn holdings(self) -> impl Iterator<Item = &'static Holding> {
        let all = TABLES.iter().chain(KEYS);
        all.filter(move |holding| holding.category == self)
    }
}

/// The path's `{category}`. What is no name of [`Category::ALL`] answers 404.
impl FromContext for Category {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let named = cx.parameter("category").and_then(Self::named);
        named.ok_or_else(Problem::not_found)
    }
}

/// How long it is held (clause D2). Three years and the rest are the law's minimums: nothing goes earlier, and
/// all of it soon after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = DataRetention)]
pub enum Retention {
    /// Until the account is deleted.
    Account,
    /// As long as the account, and three years more under a pseudonym.
    AfterAccount,
    /// Until the moment in the row's `expires_at` or `ends_at`.
    RowExpiry,
    /// Three years from when what it is about was complete, the law's minimum for service records.
    ThreeYears,
    /// Until what it is about was done.
    UntilDone,
    /// As long as the application exists.
    Always,
}

/// What [`Retention::ThreeYears`] and [`Retention::AfterAccount`] mean, with a leap day to spare.
pub const THREE_YEARS: Duration = Duration::from_secs((3 * 365 + 1) * 24 * 60 * 60);

/// What a copy of a person's data does with it (clause R6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExport {
    /// It is in the copy; ciphertext is opened first.
    Included,
    /// It says nothing to the person, or would only weaken the account: a hash, a secret, a counter.
    Omitted,
}

/// What deleting the account does with it (clause R5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = DataOnDeletion)]
pub enum OnDeletion {
    /// It goes.
    Deleted,
    /// It goes by itself soon, and until then leads to nobody without the application's key.
    Expires,
    /// It stays, and leads to nobody any more.
    Kept,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// How much it says about a person.
    pub class: Class,
    /// What happens to it in a copy.
    pub on_export: OnExport,
}

/// One table, or one kind of key in the key-value store.
#[derive(Debug)]
pub struct Holding {
    /// The table's name, or the keys' prefix.
    pub name: &'static str,
    /// By which name a person asks for it.
    pub category: Category,
    /// Why it is held.
    pub purpose: &'static str,
    /// On which basis.
    pub basis: Basis,
    /// For how long.
    pub retention: Retention,
    /// What happens to it when the person leaves.
    pub on_deletion: OnDeletion,
    /// How one person's rows are found, page by page.
    pub copy: Option<Copy>,
    /// What deletes the rows whose time is over, some at a time.
    pub sweep: Option<Sweep>,
    /// Its columns; for a key, the members of its value.
    pub columns: &'static [Column],
}

/// How one person's rows are found.
#[derive(Debug)]
pub struct Copy {
    statement: Statement,
    /// The column by which pages follow each other.
    pub key: &'static str,
    kind: CopyKey,
}

#[derive(Clone, Copy, Debug)]
enum CopyKey {
    Text,
    Number,
}

impl Copy {
    /// The statement; it takes [`Copy::page`].
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The parameters for at most `limit` rows of `account_id` after the one with the key `after`, which is the
    /// value of [`Copy::key`] as text; empty for the first page.
    pub fn page(&self, account_id: uuid::Uuid, after: &str, limit: i64) -> [Parameter; 3] {
        let after = match self.kind {
            CopyKey::Text => Parameter::text(after),
            CopyKey::Number => Parameter::Integer(after.parse().unwrap_or(0)),
        };
        [Parameter::id(account_id), after, Parameter::Integer(limit)]
    }
}

/// A statement that deletes rows whose time is over, at most as many as it is told, and answers a row for each.
#[derive(Debug)]
pub enum Sweep {
    /// By the time itself.
    ByTime(Statement),
    /// By the identifier of the row, or of what it belongs to, and the time.
    ById(Statement),
}

impl Sweep {
    /// The statement; it takes [`Sweep::until`].
    pub const fn statement(&self) -> &Statement {
        match self {
            Self::ByTime(statement) | Self::ById(statement) => statement,
        }
    }

    /// The parameters for at most `limit` rows whose time was over at `moment`.
    pub fn until(&self, moment: Timestamp, limit: i64) -> Vec<Parameter> {
        let (time, limit) = (Parameter::time(moment), Parameter::Integer(limit));
        match self {
            Self::ByTime(_) => vec![time, limit],
            // No identifier of that moment, or of a later one, is below.
            Self::ById(_) => vec![
                Parameter::text(random::first_id(moment).to_string()),
                time,
                limit,
            ],
        }
    }
}

impl Holding {
    /// Since when a row's time must be over for it to go now; `None` if the sweep has nothing to do with it.
    pub fn over_since(&self, now: Timestamp) -> Option<Timestamp> {
        match self.retention {
            Retention::RowExpiry => Some(now),
            Retention::ThreeYears => Some(now.minus(THREE_YEARS)),
            Retention::Account
            | Retention::AfterAccount
            | Retention::UntilDone
            | Retention::Always => None,
        }
    }

    /// The columns that a copy has.
    pub fn copied(&self) -> impl Iterator<Item = &'static Column> {
        let columns = self.columns.iter();
        columns.filter(|column| column.on_export == OnExport::Included)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_named_as_it_is_answered() {
        for category in Category::ALL {
            assert_eq!(serde_json::json!(category), category.name());
        }
    }

    #[test]
    fn what_a_copy_has_can_be_found() {
        for table in TABLES {
            let is_copied = table.copied().next().is_some();
            assert_eq!(is_copied, table.copy.is_some(), "{}", table.name);
            let is_service = table.category == Category::Service;
            assert_eq!(is_copied, !is_service, "{}", table.name);
        }
    }

    /// Uploads have a sweep of their own, sessions leave the cache too, and a copy's parts go with it.
    const SWEPT_OTHERWISE: [&str; 3] = ["uploads", "sessions", "export_parts"];

    #[test]
    fn what_has_a_time_goes_when_it_is_over() {
        for table in TABLES {
            let has_time = table.over_since(Timestamp(0)).is_some();
            let is_swept = table.sweep.is_some() || SWEPT_OTHERWISE.contains(&table.name);
            assert_eq!(has_time, is_swept, "{}", table.name);
        }
    }
}
