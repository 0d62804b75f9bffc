//! Freezing an account that leaked, and opening it again (clause C3).

use shared::alert::{self, Alert};
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::session;
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::error::Error;

statements! {
    /// Nobody can log in from now on, and the password that may be known is none any more.
    FREEZE = "UPDATE accounts SET frozen_at = $1, password_hash = NULL WHERE id = $2 RETURNING id";
    /// Opens what was frozen at this moment, with a new password: not what somebody else has frozen since.
    OPEN = "UPDATE accounts SET password_hash = $1, frozen_at = NULL WHERE id = $2 AND frozen_at = $3 \
            RETURNING id";
    /// Copies of the data that somebody else may have asked for: the link of one that is mailed opens nothing more.
    FORGET_COPIES = "DELETE FROM exports WHERE account_id = $1";
    /// Whether an account is frozen.
    FIND = "SELECT frozen_at FROM accounts WHERE id = $1";
}

/// Who says that an account leaked.
#[derive(Clone, Copy)]
pub enum Reporter {
    /// The person, in this session.
    Person {
        /// The session.
        session_id: Uuid,
    },
    /// An operator, whom the person has called.
    Operator,
}

/// Freezes a leaked account, ends its sessions, forgets its copies, and tells the operators.
///
/// In this order: frozen, so that no session begins any more; every session ended but the one that reports; the copies
/// forgotten; the operators told; that session ended, too. Stopped anywhere, whoever reports can do it again, and once the session
/// that reports has ended all is done. The operators may hear of it twice.
///
/// # Errors
/// [`Error::AccountChanged`] if there is no such account; or the database failed, or the variables are unusable.
pub fn freeze_leaked(cx: &Context, account_id: Uuid, reporter: Reporter) -> Result<(), Error> {
    freeze(cx, account_id)?;
    let (by, kept) = match reporter {
        Reporter::Person { session_id } => ("person", Some(session_id)),
        Reporter::Operator => ("operator", None),
    };
    session::end_all(cx, account_id, kept)?;
    forget_copies(cx, account_id)?;
    cx.log(Level::Warning, "account-frozen", &[("by", by.into())]);
    let leaked = Alert {
        event: "account-leaked",
        text: "创人脉:有账号报告泄露,已冻结并结束全部登录",
        fields: &[("by", by.into())],
    };
    alert::raise(cx, &leaked)?;
    if kept.is_some() {
        session::end_all(cx, account_id, None)?;
    }
    Ok(())
}

/// Gives an account a new password, with which it opens if it was frozen; every session ends, and copies of the data
/// are forgotten.
///
/// The account is frozen first, whether it was before or not: then no session can begin while the others end, and a
/// stop leaves it closed, never open with a password that somebody else may know.
///
/// # Errors
/// [`Error::AccountChanged`] if it is gone, or was frozen by somebody else meanwhile; or the database failed.
pub fn reopen(cx: &Context, account_id: Uuid, password_hash: &str) -> Result<(), Error> {
    freeze(cx, account_id)?;
    session::end_all(cx, account_id, None)?;
    forget_copies(cx, account_id)?;
    let opened = cx.sql()?.first(
        &OPEN,
        &[
            Parameter::text(password_hash),
            Parameter::id(account_id),
            Parameter::time(cx.now()),
        ],
    )?;
    opened.map(drop).ok_or(Error::AccountChanged)
}

/// Whether there is such an account, and it is frozen.
///
/// # Errors
/// The database failed.
pub fn is_frozen(cx: &Context, account_id: Uuid) -> Result<bool, Problem> {
    let row = cx.sql()?.first(&FIND, &[Parameter::id(account_id)])?;
    let frozen_at: Option<i64> = row.map(|row| row.get("frozen_at")).transpose()?.flatten();
    Ok(frozen_at.is_some())
}

fn forget_copies(cx: &Context, account_id: Uuid) -> Result<(), Error> {
    let parameters = [Parameter::id(account_id)];
    Ok(cx.sql()?.execute(&FORGET_COPIES, &parameters)?)
}

fn freeze(cx: &Context, account_id: Uuid) -> Result<(), Error> {
    let frozen = cx.sql()?.first(
        &FREEZE,
        &[Parameter::time(cx.now()), Parameter::id(account_id)],
    )?;
    frozen.map(drop).ok_or(Error::AccountChanged)
}
