//! Mailing a link, through the provider that the variable `mail_provider` names.

mod aliyun;

use shared::http::{Context, Problem};
use shared::log::Level;
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};
use uuid::Uuid;

/// The mail that an export is ready.
pub struct Mail<'a> {
    /// One address.
    pub to: &'a str,
    /// The link to the page from which it is downloaded.
    pub link: &'a str,
    /// The export.
    pub export_id: Uuid,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Whose it is.
    pub account_id: Uuid,
}

/// Why a mail was not, or perhaps not, accepted.
pub enum NotSent {
    /// The address takes none, now or later.
    Address,
    /// It may be tried again; it may even be on its way.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for NotSent {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// Sends a mail. With the provider `log` the link goes to the component's log: for a machine without an account
/// anywhere.
///
/// # Errors
/// See [`NotSent`].
pub fn send(cx: &Context, mail: &Mail) -> Result<(), NotSent> {
    const VARIABLE: &str = "mail_provider";
    match variables::text(VARIABLE)?.as_str() {
        "log" => {
            let fields = [
                ("export", mail.export_id.to_string().into()),
                ("link", mail.link.into()),
            ];
            cx.log(Level::Info, "export-ready", &fields);
            Ok(())
        }
        "aliyun" => aliyun::send(cx, mail),
        _ => Err(Misconfigured { variable: VARIABLE }.into()),
    }
}
