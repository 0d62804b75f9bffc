//! The photos that a review looks at. They are uploads of the person's own; the review refers to them, and
//! its decision discards them.

use std::time::Duration;

use shared::http::{Context, Problem, Violation};
use shared::sql::{Parameter, statements};
use shared::uploads;
use uuid::Uuid;

use crate::error::Error;

/// How long a photo can be used again that a review was refused with.
const UNUSED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

statements! {
    /// Refers to an upload, if it is the person's, complete, of the right kind, and not used elsewhere.
    LINK = "INSERT INTO verification_photos (upload_id, verification_id) \
        SELECT u.id, $1 FROM uploads u \
        WHERE u.id = $2 AND u.account_id = $3 AND u.kind = $4 AND u.completed_at IS NOT NULL \
        ON CONFLICT (upload_id) DO NOTHING";
    /// Keeps the photos of a claim, which are its owner's still.
    KEEP = "UPDATE uploads SET expires_at = NULL \
        WHERE account_id = $1 AND id IN \
          (SELECT p.upload_id FROM verification_photos p WHERE p.verification_id = $2) \
        RETURNING id, kind";
    /// Takes back what refers to the photos of a claim that did not come under review.
    UNLINK = "DELETE FROM verification_photos WHERE verification_id = $1 AND NOT EXISTS \
        (SELECT 1 FROM verification_claims c WHERE c.id = $1 AND c.status = 'in_review')";
    /// A photo that nothing refers to goes after a while, like every such upload.
    LET_GO = "UPDATE uploads SET expires_at = $1 \
        WHERE id = $2 AND account_id = $3 AND kind = $4 AND expires_at IS NULL \
          AND NOT EXISTS (SELECT 1 FROM verification_photos p WHERE p.upload_id = uploads.id)";
    /// Nobody's from now on.
    DISCARD = "UPDATE uploads SET account_id = NULL, purpose = NULL WHERE id IN \
        (SELECT p.upload_id FROM verification_photos p WHERE p.verification_id = $1)";
    /// The photos of a claim that are still there.
    LIST = "SELECT u.id, u.kind, u.content_type FROM verification_photos p \
            JOIN uploads u ON u.id = p.upload_id \
            WHERE p.verification_id = $1 AND u.account_id IS NOT NULL ORDER BY u.id";
}

/// A photo to be looked at: which field of the request names it, its upload, and the kind that it must be.
pub struct Wanted {
    /// The field of the request.
    pub field: String,
    /// The upload.
    pub id: Uuid,
    /// `business-card`, `licence` or `appeal`.
    pub kind: &'static str,
}

/// Attaches all of `wanted` to the claim, and keeps them from being swept. Doing it again changes nothing.
///
/// # Errors
/// [`Error::Invalid`]: one is not there, not complete, not of its kind, another's, or in use; then the claim
/// must not be shown to anybody. Or the database failed.
pub fn attach(
    cx: &Context,
    claim_id: Uuid,
    account_id: Uuid,
    wanted: &[Wanted],
) -> Result<(), Error> {
    for photo in wanted {
        cx.sql()?.execute(
            &LINK,
            &[
                Parameter::id(claim_id),
                Parameter::id(photo.id),
                Parameter::id(account_id),
                Parameter::text(photo.kind),
            ],
        )?;
    }
    // Only what is kept counts: an upload can be swept between the two statements.
    let kept = cx
        .sql()?
        .query(&KEEP, &[Parameter::id(account_id), Parameter::id(claim_id)])?;
    let mut attached = Vec::new();
    for row in kept {
        attached.push((row.get::<Uuid>("id")?, row.get::<String>("kind")?));
    }
    // One upload may be wanted for two things, of which it can be only one.
    let is_attached = |photo: &&Wanted| attached.contains(&(photo.id, photo.kind.to_owned()));
    let missing = wanted.iter().filter(|photo| !is_attached(photo));
    let violations: Vec<_> = missing
        .map(|photo| Violation::new(photo.field.as_str(), "upload"))
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(violations))
    }
}

/// Undoes [`attach`] for a claim that did not come under review: the photos can be used again, for a day.
///
/// # Errors
/// The database failed.
pub fn release(
    cx: &Context,
    claim_id: Uuid,
    account_id: Uuid,
    wanted: &[Wanted],
) -> Result<(), Problem> {
    cx.sql()?.execute(&UNLINK, &[Parameter::id(claim_id)])?;
    for photo in wanted {
        cx.sql()?.execute(
            &LET_GO,
            &[
                Parameter::time(cx.now().plus(UNUSED_FOR)),
                Parameter::id(photo.id),
                Parameter::id(account_id),
                Parameter::text(photo.kind),
            ],
        )?;
    }
    Ok(())
}

/// A photo of an open review.
pub struct Photo {
    /// The upload.
    pub id: Uuid,
    /// Its kind.
    pub kind: String,
    /// Its media type.
    pub content_type: String,
}

/// The photos of a claim.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, claim_id: Uuid) -> Result<Vec<Photo>, Problem> {
    let rows = cx.sql()?.query(&LIST, &[Parameter::id(claim_id)])?;
    rows.iter()
        .map(|row| {
            Ok(Photo {
                id: row.get("id")?,
                kind: row.get("kind")?,
                content_type: row.get("content_type")?,
            })
        })
        .collect()
}

/// Discards and deletes the photos of a claim: they are unreadable from the first statement on, and their
/// bytes and rows follow at once, or with the next sweep where that fails.
///
/// # Errors
/// The database failed.
pub fn destroy(cx: &Context, claim_id: Uuid) -> Result<(), Problem> {
    cx.sql()?.execute(&DISCARD, &[Parameter::id(claim_id)])?;
    uploads::sweep(cx);
    Ok(())
}
