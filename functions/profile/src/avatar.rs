//! Avatars that are uploads: the profile refers to them as `upload:<id>`.

use shared::http::{Context, Violation};
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::error::Error;

/// What a reference begins with.
const PREFIX: &str = "upload:";

statements! {
    /// An avatar that the person can refer to.
    FIND = "SELECT id FROM uploads WHERE id = $1 AND account_id = $2 AND kind = 'avatar' \
            AND completed_at IS NOT NULL AND (expires_at IS NULL OR expires_at > $3)";
    /// Keeps the avatar that the profile refers to, and lets go of the others. It says the same however often
    /// and in whatever order it runs; one that is referred to but not kept yet is not swept either.
    KEEP_CURRENT = "UPDATE uploads SET expires_at = CASE \
          WHEN EXISTS (SELECT 1 FROM profiles p WHERE p.account_id = uploads.account_id \
            AND p.avatar = 'upload:' || uploads.id) THEN NULL \
          WHEN expires_at IS NULL THEN CAST($1 AS BIGINT) ELSE expires_at END \
        WHERE account_id = $2 AND kind = 'avatar'";
}

/// The upload that `avatar` refers to; `None` if it is no such reference.
pub fn upload(avatar: &str) -> Option<Uuid> {
    avatar.strip_prefix(PREFIX)?.parse().ok()
}

/// The form in which a reference is stored.
pub fn reference(upload: Uuid) -> String {
    format!("{PREFIX}{upload}")
}

/// Holds a new avatar against the person's uploads.
///
/// # Errors
/// [`Error::Invalid`] if it refers to none of theirs; or the database failed.
pub fn check(cx: &Context, account_id: Uuid, avatar: &str) -> Result<(), Error> {
    let Some(upload) = upload(avatar) else {
        return Ok(());
    };
    let found = cx.sql()?.first(
        &FIND,
        &[
            Parameter::id(upload),
            Parameter::id(account_id),
            Parameter::time(cx.now()),
        ],
    )?;
    match found {
        Some(_) => Ok(()),
        None => Err(Error::Invalid(vec![Violation::new("avatar", "upload")])),
    }
}

/// After a change of the avatar: the new one stays, older ones go with the next sweep.
///
/// # Errors
/// The database failed.
pub fn keep_current(cx: &Context, account_id: Uuid) -> Result<(), Error> {
    let parameters = [Parameter::time(cx.now()), Parameter::id(account_id)];
    Ok(cx.sql()?.execute(&KEEP_CURRENT, &parameters)?)
}
