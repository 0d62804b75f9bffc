//! The record that personal data went to a third party (clause T3): who got what, why, on which basis
//! and when.

use uuid::Uuid;

use crate::basis::Sharing;
use crate::consent::Purpose;
use crate::crypto::KeyedHash;
use crate::http::{Context, Problem};
use crate::recipient::{self, Recipient};
use crate::sql::{Parameter, statements};

// A record is found by the number, to which it refers by no constraint. Once a deletion has begun none is written any
// more: the deletion tells the recipients that the records name, and deletes the records with the account. So that
// none slips in between, PostgreSQL locks the account that it is written from, also against the mark: `$lock`.
macro_rules! record_of_account {
    ($lock:literal) => {
        concat!(
            "INSERT INTO disclosures (id, phone_hash, recipient, purpose, data, basis, sent_at, reference) \
             SELECT $1, a.phone_hash, $2, $3, $4, $5, CAST($6 AS BIGINT), $7 FROM accounts a \
             WHERE a.id = $8 AND (a.closes_at IS NULL OR a.closes_at > 0)",
            $lock,
            " ON CONFLICT (id) DO UPDATE SET sent_at = disclosures.sent_at RETURNING id"
        )
    };
}

statements! {
    /// One sending of data of somebody who may have no account.
    RECORD = "INSERT INTO disclosures (id, recipient, purpose, data, basis, sent_at, reference, phone_hash) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// One sending of an account's data; nothing where the account is gone, or its deletion has begun. The same one
    /// again changes nothing.
    RECORD_OF_ACCOUNT = { sqlite: record_of_account!(""), postgres: record_of_account!(" FOR SHARE") };
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

/// What WeChat Pay gets, for a payment in a page within WeChat.
pub const WECHAT_PAGE_PAYMENT: Disclosure = Disclosure {
    recipient: recipient::WECHAT_PAY,
    purpose: "payment in a page within WeChat",
    data: "order number,amount,openid",
    basis: Sharing::SeparateConsent,
};

/// What is sent on this consent: whoever withdraws it has the recipient told.
pub const fn on_consent(purpose: Purpose) -> Option<&'static Disclosure> {
    match purpose {
        Purpose::RealNameVerification => Some(&REAL_NAME_VERIFICATION),
        Purpose::WechatPagePayment => Some(&WECHAT_PAGE_PAYMENT),
        _ => None,
    }
}

impl Disclosure {
    fn parameters(
        &self,
        cx: &Context,
        id: Uuid,
        reference: Option<&str>,
        of: Parameter,
    ) -> [Parameter; 8] {
        [
            Parameter::id(id),
            Parameter::text(self.recipient.name),
            Parameter::text(self.purpose),
            Parameter::text(self.data),
            Parameter::text(self.basis.name()),
            Parameter::time(cx.now()),
            Parameter::optional(reference.map(Parameter::text)),
            of,
        ]
    }
}

/// Writes the record that something of an account is sent; whether the account is there. It is written before the
/// data is sent: a record of a sending that then failed is harmless, a sending without a record is not.
///
/// `reference` is what the recipient knows it by, such as an order's number: what it will be told when the data
/// is to be deleted.
///
/// # Errors
/// There is no agreement with the recipient (clause T5), or the database failed; nothing may be sent then.
pub fn try_record(
    cx: &Context,
    account_id: Uuid,
    sent: &Disclosure,
    reference: Option<&str>,
) -> Result<bool, Problem> {
    try_record_as(cx, cx.new_id(), account_id, sent, reference)
}

fn try_record_as(
    cx: &Context,
    id: Uuid,
    account_id: Uuid,
    sent: &Disclosure,
    reference: Option<&str>,
) -> Result<bool, Problem> {
    recipient::require_agreement(sent.recipient)?;
    let parameters = sent.parameters(cx, id, reference, Parameter::id(account_id));
    Ok(cx.sql()?.first(&RECORD_OF_ACCOUNT, &parameters)?.is_some())
}

/// As [`try_record`], where somebody asks who must have the account.
///
/// # Errors
/// 401 if the account is gone, or its deletion has begun; as [`try_record`]. Nothing may be sent then.
pub fn record(
    cx: &Context,
    account_id: Uuid,
    sent: &Disclosure,
    reference: Option<&str>,
) -> Result<(), Problem> {
    record_as(cx, cx.new_id(), account_id, sent, reference)
}

/// As [`record`], for a sending that is tried again and again: with the same `id`, which is to sort by when it began,
/// there is one record of it.
///
/// # Errors
/// As [`record`].
pub fn record_as(
    cx: &Context,
    id: Uuid,
    account_id: Uuid,
    sent: &Disclosure,
    reference: Option<&str>,
) -> Result<(), Problem> {
    match try_record_as(cx, id, account_id, sent, reference)? {
        true => Ok(()),
        false => Err(Problem::unauthenticated()),
    }
}

/// As [`record`], for a number that may have no account yet.
///
/// # Errors
/// As [`try_record`].
pub fn record_of_number(
    cx: &Context,
    phone_hash: &KeyedHash,
    sent: &Disclosure,
) -> Result<(), Problem> {
    recipient::require_agreement(sent.recipient)?;
    let parameters = sent.parameters(cx, cx.new_id(), None, Parameter::blob(phone_hash));
    Ok(cx.sql()?.execute(&RECORD, &parameters)?)
}

/// As [`record`], for somebody whose account is gone. In the number's place stands the `reference`, which leads to
/// nobody.
///
/// # Errors
/// As [`try_record`].
pub fn record_of_nobody(cx: &Context, sent: &Disclosure, reference: Uuid) -> Result<(), Problem> {
    recipient::require_agreement(sent.recipient)?;
    let of = Parameter::blob(reference.as_bytes());
    let parameters = sent.parameters(cx, cx.new_id(), Some(&reference.to_string()), of);
    Ok(cx.sql()?.execute(&RECORD, &parameters)?)
}
