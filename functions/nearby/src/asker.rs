//! Who asks: all that must hold for it, and where the person is, in one look.

use shared::consent::{self, Purpose};
use shared::http::{Context, FromContext, Problem};
use shared::profile::ProfileComplete;
use shared::session::Session;
use shared::sql::{Parameter, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::location::Location;

statements! {
    /// The required five of an account, the consent that it gave for the purpose $1, and its location.
    FIND = "SELECT p.avatar, p.gender, p.real_name, p.company, p.job_title, c.version, \
              l.cell, l.hidden, l.updated_at, l.expires_at \
            FROM profiles p \
            LEFT JOIN consents c ON c.account_id = p.account_id AND c.purpose = $1 \
            LEFT JOIN locations l ON l.account_id = p.account_id \
            WHERE p.account_id = $2";
}

/// The guards of a session, a complete profile and the consent to use locations, in this order.
#[derive(Debug)]
pub struct Asker {
    /// The account.
    pub account_id: Uuid,
    /// Where the person is, if that was given and has not expired.
    pub location: Option<Location>,
}

impl FromContext for Asker {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let account_id = Session::from_context(cx)?.account_id;
        let row = cx.sql()?.first(
            &FIND,
            &[
                Parameter::text(Purpose::Location.terms().name),
                Parameter::id(account_id),
            ],
        )?;
        ProfileComplete::from_row(row.as_ref())?;
        // An account has its profile from the start.
        let row = row.ok_or_else(Problem::unauthenticated)?;
        let version: Option<String> = row.get("version")?;
        consent::check(Purpose::Location, version.as_deref())?;
        let expires_at: Option<Timestamp> = row.get("expires_at")?;
        let is_live = expires_at.is_some_and(|expires_at| expires_at > cx.now());
        let location = is_live.then(|| Location::from_row(&row)).transpose()?;
        Ok(Self {
            account_id,
            location,
        })
    }
}
