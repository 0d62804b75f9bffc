//! Sending a code, or a notice, through the provider that the variable `sms_provider` names.

mod aliyun;

use shared::crypto::KeyedHash;
use shared::http::Context;
use shared::log::Level;
use shared::one_time_code::Code;
use shared::variables::{self, Misconfigured};
use uuid::Uuid;

use crate::error::Error;
use crate::phone::Phone;

/// Why a code was not, or perhaps not, sent.
pub enum NotSent {
    /// The provider has clearly not sent it.
    Refused(Error),
    /// Nor will it ever send to this number.
    NumberRefused(Error),
    /// It may have been sent.
    Unknown(Error),
}

impl<E: Into<Error>> From<E> for NotSent {
    /// What fails on our side fails before anything is sent.
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

const VARIABLE: &str = "sms_provider";

/// Sends `code` to `phone`. With the provider `log` the code goes to the component's log: for a machine
/// without an account anywhere.
///
/// # Errors
/// See [`NotSent`].
pub fn send(
    cx: &Context,
    phone: &Phone,
    phone_hash: &KeyedHash,
    code: &Code,
) -> Result<(), NotSent> {
    match variables::text(VARIABLE)?.as_str() {
        "log" => {
            let fields = [
                ("code", code.digits().into()),
                ("phone", phone.to_string().into()),
            ];
            cx.log(Level::Info, "sms-code", &fields);
            Ok(())
        }
        "aliyun" => aliyun::send(cx, phone, phone_hash, code),
        _ => Err(Misconfigured { variable: VARIABLE }.into()),
    }
}

/// Tells `phone`, the number of an account, that a notice waits in the app: the message has no content of its own, and `reference` is what the
/// provider can be asked about it by. With the provider `log` it is an event without the number.
///
/// # Errors
/// See [`NotSent`].
pub fn send_notice(
    cx: &Context,
    phone: &Phone,
    account_id: Uuid,
    reference: &str,
) -> Result<(), NotSent> {
    match variables::text(VARIABLE)?.as_str() {
        "log" => {
            let fields = [("reference", reference.into())];
            cx.log(Level::Info, "notice-sms", &fields);
            Ok(())
        }
        "aliyun" => aliyun::send_notice(cx, phone, account_id, reference),
        _ => Err(Misconfigured { variable: VARIABLE }.into()),
    }
}
