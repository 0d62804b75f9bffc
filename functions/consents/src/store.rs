//! The consents that stand. Giving and withdrawing them is [`shared::consent`]'s.

use shared::consent::Purpose;
use shared::http::{Context, Problem};
use shared::sql::{Parameter, Row, statements};
use shared::time::Timestamp;
use uuid::Uuid;

statements! {
    /// Every consent of an account. The policy's own is the basic one; an account has always one row.
    LIST = "SELECT p.version AS policy_version, p.given_at AS policy_given_at, \
              c.purpose, c.version, c.given_at \
            FROM accounts a \
            JOIN policy_consents p ON p.account_id = a.id AND p.version = a.policy_version \
            LEFT JOIN consents c ON c.account_id = a.id \
            WHERE a.id = $1";
}

/// A consent that stands.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its purpose's name.
    pub purpose: String,
    /// The version that was agreed to.
    pub version: String,
    /// When.
    pub given_at: Timestamp,
}

/// Every consent that stands, the policy's own first.
///
/// # Errors
/// The database failed, or the account is gone.
pub fn list(cx: &Context, account_id: Uuid) -> Result<Vec<Given>, Problem> {
    let rows = cx.sql()?.query(&LIST, &[Parameter::id(account_id)])?;
    let first = rows.first().ok_or_else(Problem::unauthenticated)?;
    let mut given = vec![Given {
        purpose: Purpose::Account.terms().name.to_owned(),
        version: first.get("policy_version")?,
        given_at: first.get("policy_given_at")?,
    }];
    for row in &rows {
        given.extend(of_purpose(row)?);
    }
    Ok(given)
}

fn of_purpose(row: &Row) -> Result<Option<Given>, Problem> {
    let Some(purpose) = row.get::<Option<String>>("purpose")? else {
        return Ok(None);
    };
    Ok(Some(Given {
        purpose,
        version: row.get("version")?,
        given_at: row.get("given_at")?,
    }))
}
