//! Gifts and tips: coins from one person to another.
//!
//! What a gift says is stored first, under the posting's reference, and only shown beside the posting. So a
//! call that was stopped in between has given nothing, and does both when it comes again.

use shared::http::{Context, Problem, Violation};
use shared::ledger::{self, Account, Kind, Posting, Refused};
use shared::sql::{Constraint, Parameter, SqlError, statements};
use uuid::Uuid;

use crate::error::Error;

/// The longest note, in characters.
const MAX_NOTE: usize = 200;

statements! {
    /// Somebody whom the giver may see.
    FIND_PERSON = (concat!(
        "SELECT p.account_id FROM profiles p WHERE p.account_id = $1 AND ",
        shared::seen_by!("$2")
    ));
    /// What is given.
    STORE = "INSERT INTO gifts (id, sender, recipient, gift, note, target, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
    /// Forgets what was not given after all.
    FORGET = "DELETE FROM gifts WHERE id = $1 \
              AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.reference = gifts.id)";
}

/// What one person gives another.
pub struct Giving<'a> {
    /// The call, by which it is recognised when it comes again.
    pub id: Uuid,
    /// A gift or a tip.
    pub kind: Kind,
    /// The giver's account.
    pub from: Uuid,
    /// The other's.
    pub to: Uuid,
    /// How many coins.
    pub coins: i64,
    /// Which gift.
    pub gift: Option<&'a str>,
    /// What the giver writes.
    pub note: Option<&'a str>,
    /// What a tip is thanks for.
    pub target: Option<Uuid>,
}

/// Gives. The same call again gives nothing more.
///
/// # Errors
/// [`Error::Oneself`], [`Error::NotFound`], [`Error::Insufficient`], or a database or the ledger failed.
pub fn give(cx: &Context, giving: &Giving) -> Result<(), Error> {
    if giving.from == giving.to {
        return Err(Error::Oneself);
    }
    if !is_seen(cx, giving)? {
        // The other may have gone since the call came first.
        return match ledger::has(cx, giving.id, giving.kind)? {
            true => Ok(()),
            false => Err(Error::NotFound),
        };
    }
    let sender = holder(cx, giving.from)?;
    let recipient = holder(cx, giving.to)?;
    store(cx, giving, sender, recipient)?;
    let posted = ledger::post(
        cx,
        &Posting {
            reference: giving.id,
            kind: giving.kind,
            payer: Account::Holder(sender),
            payee: Account::Holder(recipient),
            coins: giving.coins,
        },
    );
    if matches!(posted, Err(Refused::Insufficient)) {
        cx.sql()?.execute(&FORGET, &[Parameter::id(giving.id)])?;
    }
    Ok(posted?)
}

fn is_seen(cx: &Context, giving: &Giving) -> Result<bool, Problem> {
    let parameters = [Parameter::id(giving.to), Parameter::id(giving.from)];
    Ok(cx.sql()?.first(&FIND_PERSON, &parameters)?.is_some())
}

fn holder(cx: &Context, account_id: Uuid) -> Result<Uuid, Error> {
    ledger::holder(cx, account_id)?.ok_or(Error::NotFound)
}

fn store(cx: &Context, giving: &Giving, sender: Uuid, recipient: Uuid) -> Result<(), Error> {
    let parameters = [
        Parameter::id(giving.id),
        Parameter::id(sender),
        Parameter::id(recipient),
        Parameter::optional(giving.gift.map(Parameter::text)),
        Parameter::optional(giving.note.map(Parameter::text)),
        Parameter::optional(giving.target.map(Parameter::id)),
        Parameter::time(cx.now()),
    ];
    match cx.sql()?.execute(&STORE, &parameters) {
        // The other's account was deleted at this moment.
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Error::NotFound),
        stored => Ok(stored?),
    }
}

/// What is left of a note: `None` if nothing is.
///
/// # Errors
/// It is too long, or has control characters.
pub fn note(given: Option<&str>) -> Result<Option<&str>, Error> {
    let note = given.map(str::trim).filter(|note| !note.is_empty());
    let is_sound = |note: &str| {
        note.chars().count() <= MAX_NOTE && !note.chars().any(|c| c.is_control() && c != '\n')
    };
    match note {
        Some(note) if !is_sound(note) => Err(Error::Invalid(Violation::new("note", "invalid"))),
        note => Ok(note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_short_plain_text() {
        assert_eq!(note(None).unwrap(), None);
        assert_eq!(note(Some(" \n ")).unwrap(), None);
        assert_eq!(note(Some(" 加油\n! ")).unwrap(), Some("加油\n!"));
        assert!(note(Some(&"好".repeat(MAX_NOTE))).is_ok());
        assert!(note(Some(&"好".repeat(MAX_NOTE + 1))).is_err());
        assert!(note(Some("a\u{0}b")).is_err());
    }
}
