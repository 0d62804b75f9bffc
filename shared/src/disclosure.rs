//! The record that personal data went to a third party (clause T3): who got what, why, on which basis
//! and when.

use crate::basis::Sharing;
use crate::consent::Purpose;
use crate::crypto::KeyedHash;
use crate::http::{Context, Problem};
use crate::recipient::{self, Recipient};
use crate::sql::{Parameter, statements};

statements! {
    /// One sending.
    RECORD = "INSERT INTO disclosures (id, phone_hash, recipient, purpose, data, basis, sent_at, reference) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

/// What is sent, and to whom.
pub struct Disclosure {
    /// Who gets it.
    pub recipient: &'static Recipient,
    /// What for.
    pub purpose: &'static str,
    /// Which data, as a list of names joined by commas.
    pub data: &'static str,
    /// Why it may be sent.
    pub basis: Sharing,
}

/// What Alipay gets, to verify a real name.
pub const REAL_NAME_VERIFICATION: Disclosure = Disclosure {
    recipient: recipient::ALIPAY,
    purpose: "real-name verification",
    data: "name,identity number",
    basis: Sharing::SeparateConsent,
};

/// What is sent on this consent: whoever withdraws it has the recipient told.
pub const fn on_consent(purpose: Purpose) -> Option<&'static Disclosure> {
    match purpose {
        Purpose::RealNameVerification => Some(&REAL_NAME_VERIFICATION),
        _ => None,
    }
}

/// Writes the record. It is written before the data is sent: a record of a sending that then failed is
/// harmless, a sending without a record is not.
///
/// `reference` is what the recipient knows it by, such as an order's number: what it will be told when the data
/// is to be deleted.
///
/// # Errors
/// There is no agreement with the recipient (clause T5), or the database failed; nothing may be sent then.
pub fn record(
    cx: &Context,
    phone_hash: &KeyedHash,
    sent: &Disclosure,
    reference: Option<&str>,
) -> Result<(), Problem> {
    recipient::require_agreement(sent.recipient)?;
    let id = cx.new_id();
    cx.sql()?.execute(
        &RECORD,
        &[
            Parameter::id(id),
            Parameter::blob(phone_hash),
            Parameter::text(sent.recipient.name),
            Parameter::text(sent.purpose),
            Parameter::text(sent.data),
            Parameter::text(sent.basis.name()),
            Parameter::time(cx.now()),
            Parameter::optional(reference.map(Parameter::text)),
        ],
    )?;
    Ok(())
}
