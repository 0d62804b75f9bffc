//! The record that personal data went to a third party (clause T3): who got what, why, on which basis
//! and when.

use crate::crypto::KeyedHash;
use crate::http::{Context, Problem};
use crate::sql::{Parameter, statements};

statements! {
    /// One sending.
    RECORD = "INSERT INTO disclosures (id, phone_hash, recipient, purpose, data, basis, sent_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
}

/// What is sent, and to whom.
pub struct Disclosure {
    /// The recipient's name in the list of recipients.
    pub recipient: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// Which data, as a list of names joined by commas.
    pub data: &'static str,
    /// The basis in law or consent.
    pub basis: &'static str,
}

/// Writes the record. It is written before the data is sent: a record of a sending that then failed is
/// harmless, a sending without a record is not.
///
/// # Errors
/// The database failed; nothing may be sent then.
pub fn record(cx: &Context, phone_hash: &KeyedHash, sent: &Disclosure) -> Result<(), Problem> {
    let id = cx.new_id();
    cx.sql()?.execute(
        &RECORD,
        &[
            Parameter::id(id),
            Parameter::blob(phone_hash),
            Parameter::text(sent.recipient),
            Parameter::text(sent.purpose),
            Parameter::text(sent.data),
            Parameter::text(sent.basis),
            Parameter::time(cx.now()),
        ],
    )?;
    Ok(())
}
