//! The people who run the service: who they are, what they may do, and the trail that they leave.
//!
//! They sign in with tokens whose hashes stand in the variable `operator_tokens`: `name:role:hash`, several
//! separated by commas, where `hash` is the SHA-256 of the token in hexadecimal. A token is random and long,
//! so a plain hash says nothing about it.

use std::marker::PhantomData;

use http::StatusCode;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crypto::hex;
use crate::http::{Context, FromContext, Problem};
use crate::session::bearer_token;
use crate::sql::{Parameter, Statement, statements};
use crate::variables::{self, Misconfigured};

const VARIABLE: &str = "operator_tokens";

// A record refers to an account by no constraint, for it outlives it under a pseudonym. So that none names an account
// that is deleted at this moment, PostgreSQL locks the row that the name is taken from: `$lock`.
macro_rules! record_of_account {
    ($lock:literal) => {
        concat!(
            "INSERT INTO operator_audit (id, operator, action, subject, happened_at) \
             VALUES ($1, $2, $3, COALESCE((SELECT a.id FROM accounts a WHERE a.id = $4",
            $lock,
            "), 'gone'), $5)"
        )
    };
}

statements! {
    /// One look or deed. But for an account's pseudonym nothing ever changes one.
    RECORD = "INSERT INTO operator_audit (id, operator, action, subject, happened_at) \
              VALUES ($1, $2, $3, $4, $5)";
    /// The same, about an account: one that is gone is not named.
    RECORD_OF_ACCOUNT = { sqlite: record_of_account!(""), postgres: record_of_account!(" FOR KEY SHARE") };
}

/// What an operator may do.
pub trait Duty {
    /// The roles that may.
    const ROLES: &[&str];
}

/// Looking into people's requests and deciding on them.
#[derive(Debug)]
pub struct Review;

impl Duty for Review {
    const ROLES: &[&str] = &["reviewer", "admin"];
}

/// What concerns everybody, or ends an account.
#[derive(Debug)]
pub struct Administration;

impl Duty for Administration {
    const ROLES: &[&str] = &["admin"];
}

/// Calling, again and again, for the work that is due.
#[derive(Debug)]
pub struct Schedule;

impl Duty for Schedule {
    const ROLES: &[&str] = &["scheduler", "admin"];
}

/// An operator who may do `D`.
///
/// Answers 401 `unauthenticated`, or 403 `operator-role`.
#[derive(Debug)]
pub struct Operator<D> {
    name: String,
    duty: PhantomData<D>,
}

/// An operator who may decide reviews.
pub type Reviewer = Operator<Review>;
/// An operator who may do what concerns everybody.
pub type Admin = Operator<Administration>;
/// Whoever calls for the work that is due.
pub type Scheduler = Operator<Schedule>;

impl<D: Duty> FromContext for Operator<D> {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let token = bearer_token(cx).ok_or_else(Problem::unauthenticated)?;
        let listed = variables::text(VARIABLE)?;
        let operators = parse(&listed).ok_or(Misconfigured { variable: VARIABLE })?;
        let hash = hex(&Sha256::digest(token));
        let operator = operators
            .iter()
            .find(|operator| operator.hash.eq_ignore_ascii_case(&hash))
            .ok_or_else(Problem::unauthenticated)?;
        if !D::ROLES.contains(&operator.role) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "operator-role",
                "您的角色不能执行此操作",
            ));
        }
        Ok(Self {
            name: operator.name.to_owned(),
            duty: PhantomData,
        })
    }
}

/// How an operator made sure who asks, for what does not come through the app (clause R7). Free text would be new
/// data, and the audit is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityCheck {
    /// A call to the account's number, or a code sent to it.
    PhoneNumber,
    /// Something that only the account's owner knows of it.
    AccountDetails,
    /// An identity document that was shown, and not kept.
    IdentityDocument,
    /// A guardian, who showed to be one.
    Guardian,
}

impl IdentityCheck {
    /// As it is recorded.
    pub fn name(self) -> &'static str {
        match self {
            Self::PhoneNumber => "phone-number",
            Self::AccountDetails => "account-details",
            Self::IdentityDocument => "identity-document",
            Self::Guardian => "guardian",
        }
    }
}

#[derive(Debug, PartialEq)]
struct Listed<'a> {
    name: &'a str,
    role: &'a str,
    hash: &'a str,
}

/// The operators that are listed; `None` if one of them is not `name:role:hash`.
fn parse(listed: &str) -> Option<Vec<Listed<'_>>> {
    let entries = listed.split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let mut parts = entry.split(':');
            let (name, role, hash) = (parts.next()?, parts.next()?, parts.next()?);
            let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_whole = is_hash && !name.is_empty() && parts.next().is_none();
            is_whole.then_some(Listed { name, role, hash })
        })
        .collect()
}

impl<D> Operator<D> {
    /// Records what the operator is about to look at or do. It is called first: a record of something that
    /// then failed is harmless, a look without a record is not.
    ///
    /// # Errors
    /// The database failed; nothing may be shown or done then.
    pub fn audit(&self, cx: &Context, action: &str, subject: &str) -> Result<(), Problem> {
        self.record(cx, &RECORD, action, Parameter::text(subject))
    }

    /// As [`Operator::audit`], about an account. Whatever an operator asks for, no record names an account that is
    /// not there: it would stand beside those that have its pseudonym, and say whose that is.
    ///
    /// # Errors
    /// The database failed; nothing may be shown or done then.
    pub fn audit_account(&self, cx: &Context, action: &str, account: Uuid) -> Result<(), Problem> {
        self.record(cx, &RECORD_OF_ACCOUNT, action, Parameter::id(account))
    }

    fn record(
        &self,
        cx: &Context,
        statement: &Statement,
        action: &str,
        subject: Parameter,
    ) -> Result<(), Problem> {
        let id = cx.new_id();
        cx.sql()?.execute(
            statement,
            &[
                Parameter::id(id),
                Parameter::text(self.name.as_str()),
                Parameter::text(action),
                subject,
                Parameter::time(cx.now()),
            ],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_listed_whole_or_not_at_all() {
        let hash = "a".repeat(64);
        let listed = format!(" wang:reviewer:{hash}, li:admin:{hash},");
        let operators = parse(&listed).unwrap();
        assert_eq!(operators.len(), 2);
        assert_eq!((operators[0].name, operators[0].role), ("wang", "reviewer"));
        assert_eq!(parse(""), Some(Vec::new()));
        for broken in ["wang", "wang:reviewer:", "wang:reviewer:abc", ":reviewer:"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
        assert_eq!(parse(&format!("wang:reviewer:{hash}:x")), None);
        assert_eq!(parse(&format!("wang:reviewer:{}", "g".repeat(64))), None);
    }
}
