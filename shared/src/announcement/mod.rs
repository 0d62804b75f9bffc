//! Announcements: what somebody is to find in the inbox, made once a cause. The function `notices` brings them there,
//! and answers them.

mod audience;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::{Context, Problem};
use crate::sql::{Parameter, statements};
use crate::time::Timestamp;

pub use audience::Audience;

statements! {
    /// An announcement; a cause has one.
    MAKE = "INSERT INTO announcements (id, cause, kind, content, purpose, is_public, audience, step, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8) ON CONFLICT (cause) DO NOTHING";
    /// The one that a cause has.
    OF_CAUSE = "SELECT id, created_at FROM announcements WHERE cause = $1";
}

/// What is announced, and to whom.
pub struct Announcement<'a, C> {
    /// What brought it about: the same cause makes no second one.
    pub cause: &'a str,
    /// The content's kind.
    pub kind: &'a str,
    /// What it says: in JSON an object with its `kind` and its `content`.
    pub content: &'a C,
    /// The purpose that it asks consent for.
    pub purpose: Option<&'a str>,
    /// Whether everybody can read it, as part of the policy.
    pub is_public: bool,
    /// Whom it is for.
    pub audience: &'a Audience,
}

/// One that was made.
pub struct Made {
    /// The announcement.
    pub id: Uuid,
    /// When it was made first.
    pub created_at: Timestamp,
}

impl<C: Serialize> Announcement<'_, C> {
    /// Makes it, unless its cause has made it before, and answers the one that there is.
    ///
    /// # Errors
    /// The database failed.
    pub fn make(&self, cx: &Context) -> Result<Made, Problem> {
        let content = serde_json::to_string(self.content).expect("contents are plain data");
        cx.sql()?.execute(
            &MAKE,
            &[
                Parameter::id(cx.new_id()),
                Parameter::text(self.cause),
                Parameter::text(self.kind),
                Parameter::text(content),
                Parameter::optional(self.purpose.map(Parameter::text)),
                Parameter::flag(self.is_public),
                Parameter::text(self.audience.to_text()),
                Parameter::time(cx.now()),
            ],
        )?;
        let row = cx.sql()?.first(&OF_CAUSE, &[Parameter::text(self.cause)])?;
        let row = row.ok_or_else(Problem::internal)?;
        Ok(Made {
            id: row.get("id")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestNews {
    /// It was answered.
    Answered,
    /// It was refused.
    Refused,
    /// It costs a fee.
    Charged,
}

/// Something became of a request of the person's (clause R7). What it says stands in the request alone, under the
/// person's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestNotice {
    /// The request.
    pub id: Uuid,
    /// What was asked.
    #[schema(example = "access")]
    pub kind: String,
    /// What became of it.
    pub status: RequestNews,
}
