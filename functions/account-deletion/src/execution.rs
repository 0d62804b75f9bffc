//! Deleting an account to the end (clauses R5, R8, C1).
//!
//! The steps, each of which can be done again, and why in this order:
//! 1. Whoever received data of the person is to be told. It needs the phone number, so it comes before the key goes.
//! 2. The person's key is destroyed: from here on every copy of what is sealed is unreadable, backups too. It comes
//!    before the account goes, whose row names the key.
//! 3. The account goes, and with it, by the schema's references, everything that is the person's own.
//! 4. What the law keeps gets a pseudonym. The schema lets no account be without its consent, so it comes after.
//! 5. The uploads' bytes go; the schema has taken them from the person.
//! 6. The plan is done, and forgets who it was.
//!
//! Orders and the ledger need nothing: they name a holder, and `wallets`, which led to it, went with the account.

use std::time::Duration;

use shared::crypto::{NoKey, PersonKey};
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::one_time_code;
use shared::recipient_notice::{self, Deletion};
use shared::sql::{Parameter, statements};
use shared::{phone, session, uploads};

use crate::plan::Plan;

statements! {
    /// The account's sealed number.
    FIND_PHONE = "SELECT phone FROM accounts WHERE id = $1";
    /// Its sessions.
    FIND_SESSIONS = "SELECT token_hash FROM sessions WHERE account_id = $1";
    /// The account and everything that refers to it.
    DELETE_ACCOUNT = "DELETE FROM accounts WHERE id = $1";
    /// Consents to the policy.
    RENAME_POLICY_CONSENTS = "UPDATE policy_consents SET account_id = $1 WHERE account_id = $2";
    /// Proofs of other consents.
    RENAME_CONSENT_EVENTS = "UPDATE consent_events SET account_id = $1 WHERE account_id = $2";
    /// What operators did to the account.
    RENAME_AUDIT = "UPDATE operator_audit SET subject = $1 WHERE subject = $2";
    /// What was sent to others until the deletion began: notices have taken its place.
    DELETE_DISCLOSURES = "DELETE FROM disclosures WHERE phone_hash = $1 AND sent_at <= $2";
    /// Codes of before.
    DELETE_CODES = "DELETE FROM sms_codes WHERE phone_hash = $1 AND expires_at <= $2";
}

/// Carries a plan out, from wherever it was stopped.
///
/// # Errors
/// A store failed; the plan stays, and is carried out again.
pub fn carry_out(cx: &Context, plan: &Plan) -> Result<(), Problem> {
    notify_recipients(cx, plan)?;
    PersonKey::destroy(cx, plan.person_key_id)?;
    delete_account(cx, plan)?;
    make_anonymous(cx, plan)?;
    uploads::sweep(cx);
    plan.finish(cx)?;
    cx.log(Level::Info, "account-deleted", &[]);
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
        until: plan.began_at,
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

/// The cache forgets the sessions before their rows go, for what is stopped then could not find them again, and once
/// more after.
fn delete_account(cx: &Context, plan: &Plan) -> Result<(), Problem> {
    let account = [Parameter::id(plan.account_id)];
    let mut ended = Vec::new();
    for row in cx.sql()?.query(&FIND_SESSIONS, &account)? {
        ended.extend(<[u8; 32]>::try_from(row.get::<Vec<u8>>("token_hash")?));
    }
    session::forget(cx, &ended)?;
    cx.sql()?.execute(&DELETE_ACCOUNT, &account)?;
    session::forget(cx, &ended)
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
    // The number may be somebody's again by now: what came after the deletion began is not touched.
    for (statement, lifetime) in [
        (&DELETE_DISCLOSURES, Duration::ZERO),
        (&DELETE_CODES, one_time_code::LIFETIME),
    ] {
        let until = plan.began_at.plus(lifetime);
        let parameters = [Parameter::blob(plan.phone_hash), Parameter::time(until)];
        cx.sql()?.execute(statement, &parameters)?;
    }
    Ok(())
}
