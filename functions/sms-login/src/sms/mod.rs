//! Sending a code, through the provider that the variable `sms_provider` names.

mod aliyun;

use shared::crypto::KeyedHash;
use shared::http::Context;
use shared::log::Level;
use shared::one_time_code::Code;
use shared::variables::{self, Misconfigured};

use crate::error::Error;
use crate::phone::Phone;

/// Why a code was not, or perhaps not, sent.
pub enum NotSent {
    /// The provider has clearly not sent it.
    Refused(Error),
    /// It may have been sent.
    Unknown(Error),
}

impl<E: Into<Error>> From<E> for NotSent {
    /// What fails on our side fails before anything is sent.
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

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
    const VARIABLE: &str = "sms_provider";
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
