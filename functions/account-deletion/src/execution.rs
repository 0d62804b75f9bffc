//! Deleting an account to the end (clauses R5, R8, C1).
//!
//! The steps, each of which can be done again, and why in this order:
//! 1. Whoever received data of the person is to be told. It needs the phone number, so it comes before the key goes.
//!    Since the deletion is marked, no record of another sending has come ([`shared::disclosure`]).
//! 2. The person's key is destroyed: from here on every copy of what is sealed is unreadable, backups too. It comes
//!    before the account goes, whose row names the key.
//! 3. What a person can have very much of goes, some at a time; then the account, and with it, by the schema's
//!    references, everything else that is the person's own. The records of sendings are found by the number, which may
//!    be somebody else's as soon as the account is gone, so they are among the first.
//! 4. What the law keeps gets a pseudonym. The schema lets no account be without its consent, so it comes after.
//! 5. The plan is done, and forgets who it was.
//! 6. The uploads' bytes go; the schema has taken them from the person, and the sweep finds them without the plan.
//!
//! Orders and the ledger need nothing: they name a holder, and `wallets`, which led to it, went with the account.

use shared::crypto::{NoKey, PersonKey};
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::one_time_code;
use shared::recipient_notice::{self, Deletion};
use shared::sql::{Parameter, Statement, statements};
use shared::{phone, session, uploads};

use crate::plan::Plan;

/// How many rows one statement deletes: milliseconds, far below any `statement_timeout`.
const AT_ONCE: i64 = 500;

macro_rules! some {
    ($table:literal by $key:literal where $rows:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $rows,
            " LIMIT $2) RETURNING CAST(1 AS BIGINT) AS gone"
        )
    };
}

statements! {
    /// The account's sealed number.
    FIND_PHONE = "SELECT phone FROM accounts WHERE id = $1";
    /// What was sent to others: notices have taken its place.
    DISCLOSURES = (some!("disclosures" by "id"
        where "phone_hash = (SELECT a.phone_hash FROM accounts a WHERE a.id = $1)"));
    /// Gifts that were given.
    GIFTS_GIVEN = (some!("gifts" by "id"
        where "sender = (SELECT w.holder FROM wallets w WHERE w.account_id = $1)"));
    /// Gifts that were received.
    GIFTS_RECEIVED = (some!("gifts" by "id"
        where "recipient = (SELECT w.holder FROM wallets w WHERE w.account_id = $1)"));
    /// The inbox.
    NOTICES = (some!("notices" by "account_id, announcement_id" where "account_id = $1"));
    /// Whom the person blocked.
    BLOCKS = (some!("blocks" by "account_id, blocked_id" where "account_id = $1"));
    /// Who blocked the person.
    BLOCKED = (some!("blocks" by "account_id, blocked_id" where "blocked_id = $1"));
    /// The parts of copies.
    PARTS = (some!("export_parts" by "export_id, ordinal"
        where "export_id IN (SELECT e.id FROM exports e WHERE e.account_id = $1)"));
    /// The account and everything that refers to it.
    DELETE_ACCOUNT = "DELETE FROM accounts WHERE id = $1";
    /// Consents to the policy.
    RENAME_POLICY_CONSENTS = "UPDATE policy_consents SET account_id = $1 WHERE account_id = $2";
    /// Proofs of other consents.
    RENAME_CONSENT_EVENTS = "UPDATE consent_events SET account_id = $1 WHERE account_id = $2";
    /// What operators did to the account.
    RENAME_AUDIT = "UPDATE operator_audit SET subject = $1 WHERE subject = $2";
    /// Codes of before. The number may be somebody's again by now: what came after the deletion began is not touched.
    DELETE_CODES = "DELETE FROM sms_codes WHERE phone_hash = $1 AND expires_at <= $2";
}

/// What a person can have very many rows of.
const MANY: [&Statement; 7] = [
    &DISCLOSURES,
    &GIFTS_GIVEN,
    &GIFTS_RECEIVED,
    &NOTICES,
    &BLOCKS,
    &BLOCKED,
    &PARTS,
];

/// Carries a plan out, from wherever it was stopped.
///
/// # Errors
/// A store failed; the plan stays, and is carried out again.
pub fn carry_out(cx: &Context, plan: &Plan) -> Result<(), Problem> {
    notify_recipients(cx, plan)?;
    PersonKey::destroy(cx, plan.person_key_id)?;
    delete_account(cx, plan)?;
    make_anonymous(cx, plan)?;
    plan.finish(cx)?;
    cx.log(Level::Info, "account-deleted", &[]);
    uploads::sweep(cx);
    Ok(())
}

/// Once the account is gone, the notices stand.
fn notify_recipients(cx: &Context, plan: &Plan) -> Result<(), Problem> {
    let row = cx
        .sql()?
        .first(&FIND_PHONE, &[Parameter::id(plan.account_id)])?;
    let Some(row) = row else { return Ok(()) };
    let phone = phone(cx, plan, &row.get::<Vec<u8>>("phone")?)?;
    let deletion = Deletion {
        cause: plan.id,
        phone_hash: &plan.phone_hash,
        phone: phone.as_deref(),
        account_id: None,
    };
    let queued = recipient_notice::queue(cx, &deletion, |_, _| true)?;
    cx.log(
        Level::Info,
        "recipients-to-notify",
        &[("notices", queued.into())],
    );
    Ok(())
}

/// The number in the clear; `None` where it can no longer be read, which must keep nobody from leaving.
fn phone(cx: &Context, plan: &Plan, sealed: &[u8]) -> Result<Option<String>, Problem> {
    let key = match PersonKey::find(cx, plan.person_key_id)? {
        Ok(key) => key,
        Err(NoKey::Destroyed) => return Ok(None),
        Err(NoKey::Missing) => {
            cx.log(Level::Warning, "person-key-missing", &[]);
            return Ok(None);
        }
    };
    let plain = key
        .open(&phone::sealed_context(plan.account_id), sealed)
        .ok();
    Ok(plain.and_then(|plain| String::from_utf8(plain).ok()))
}

fn delete_account(cx: &Context, plan: &Plan) -> Result<(), Problem> {
    // Sessions leave the cache, too.
    session::end_all(cx, plan.account_id, None)?;
    let some = [Parameter::id(plan.account_id), Parameter::Integer(AT_ONCE)];
    for statement in MANY {
        while cx.sql()?.first(statement, &some)?.is_some() {}
    }
    let account = [Parameter::id(plan.account_id)];
    Ok(cx.sql()?.execute(&DELETE_ACCOUNT, &account)?)
}

fn make_anonymous(cx: &Context, plan: &Plan) -> Result<(), Problem> {
    let renamed = [
        Parameter::id(plan.pseudonym),
        Parameter::id(plan.account_id),
    ];
    for statement in [
        &RENAME_POLICY_CONSENTS,
        &RENAME_CONSENT_EVENTS,
        &RENAME_AUDIT,
    ] {
        cx.sql()?.execute(statement, &renamed)?;
    }
    let until = plan.began_at.plus(one_time_code::LIFETIME);
    let parameters = [Parameter::blob(plan.phone_hash), Parameter::time(until)];
    Ok(cx.sql()?.execute(&DELETE_CODES, &parameters)?)
}
