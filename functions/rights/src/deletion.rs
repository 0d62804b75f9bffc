//! Deleting a category of a person's data (clause R3). What it does can be done again: a stop anywhere is finished by
//! the next request.

use shared::consent::{self, Purpose};
use shared::data_map::Category;
use shared::erasure::{self, What};
use shared::http::{Context, Problem};
use shared::session;
use shared::sql::{Parameter, statements};
use shared::uploads;
use uuid::Uuid;

use crate::deletable::{self, Decision};
use crate::error::Error;

statements! {
    /// Where the person was last.
    LOCATION = "DELETE FROM locations WHERE account_id = $1";
    /// Whom the person blocked.
    BLOCKS = "DELETE FROM blocks WHERE account_id = $1";
    /// The person's own words beside gifts.
    NOTES = "UPDATE gifts SET note = NULL \
             WHERE sender = (SELECT w.holder FROM wallets w WHERE w.account_id = $1) AND note IS NOT NULL";
    /// The devices on which nobody is logged in.
    DEVICES = "DELETE FROM devices WHERE account_id = $1 \
               AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.device_id = devices.id)";
    /// The fields that nobody has to fill in.
    PROFILE = "UPDATE profiles SET motto = NULL, about = NULL, offers = NULL, needs = NULL, birthday = NULL, \
                 hometown = NULL, city = NULL, hobbies = NULL, industries = NULL, education = NULL, \
                 version = version + 1 \
               WHERE account_id = $1";
    /// Discards the uploads that nothing refers to.
    UPLOADS = "UPDATE uploads SET account_id = NULL, purpose = NULL \
               WHERE account_id = $1 AND expires_at IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM profiles p \
                   WHERE p.account_id = uploads.account_id AND p.avatar = 'upload:' || uploads.id)";
    /// That verifications were asked for.
    VERIFICATIONS = "DELETE FROM verifications WHERE account_id = $1";
}

/// The purposes that verifications are held for.
const VERIFICATION: [Purpose; 3] = [
    Purpose::RealNameVerification,
    Purpose::DocumentReview,
    Purpose::EnterpriseVerification,
];

/// Deletes what is held of the person under a category's name. Who received it got it on a consent, and is told when
/// that is withdrawn.
///
/// `asking` is the session that stays where devices go, if there is one.
///
/// # Errors
/// [`Error::Needed`], or a store failed.
pub fn delete(
    cx: &Context,
    account_id: Uuid,
    asking: Option<Uuid>,
    category: Category,
) -> Result<(), Error> {
    if let Decision::Needed(basis) = deletable::decision(category) {
        return Err(Error::Needed(category, basis));
    }
    erasure::note(cx, account_id, &What::Category(category.name().to_owned()))?;
    delete_noted(cx, account_id, asking, category)
}

/// The same of what is noted already: whoever does it again after a backup was restored notes it when all is done.
///
/// # Errors
/// A store failed; or nothing of this category can be deleted.
pub fn delete_noted(
    cx: &Context,
    account_id: Uuid,
    asking: Option<Uuid>,
    category: Category,
) -> Result<(), Error> {
    let account = [Parameter::id(account_id)];
    let execute = |statement| cx.sql()?.execute(statement, &account).map_err(Error::from);
    match category {
        Category::Location => execute(&LOCATION)?,
        Category::Blocks => execute(&BLOCKS)?,
        Category::Gifts => execute(&NOTES)?,
        Category::Profile => execute(&PROFILE)?,
        Category::Devices => {
            session::end_all(cx, account_id, asking)?;
            execute(&DEVICES)?;
        }
        Category::Uploads => {
            execute(&UPLOADS)?;
            uploads::sweep(cx);
        }
        Category::Verification => {
            for purpose in VERIFICATION {
                consent::withdraw(cx, account_id, purpose)?;
            }
            execute(&VERIFICATIONS)?;
            uploads::sweep(cx);
        }
        _ => return Err(Problem::internal().into()),
    }
    Ok(())
}
