//! A new verification that an operator decides.

use shared::consent::Purpose;
use shared::crypto::KeyedHash;
use shared::http::Context;
use uuid::Uuid;

use crate::alert;
use crate::claim::{self, Kind, NewClaim, Summary};
use crate::error::Error;
use crate::person::Person;
use crate::photos::{self, Wanted};
use crate::review;
use crate::verification::{self, Verification};

/// What is submitted.
pub struct Submission {
    /// By whom.
    pub account_id: Uuid,
    /// What is to be verified.
    pub kind: Kind,
    /// The consent that it stands on.
    pub purpose: Purpose,
    /// Whom or what it is about.
    pub summary: Summary,
    /// The keyed hash of the identity number, if it has one.
    pub number_hash: Option<KeyedHash>,
    /// The photos to look at.
    pub photos: Vec<Wanted>,
}

impl Submission {
    /// Puts it before the operators, and alerts them.
    ///
    /// Each step can be taken again, and only the last but one makes the review visible to anybody: what was
    /// stopped before it is taken back by the next try. The alert is made up for by the next try, too, even
    /// though that is told that a review is open.
    ///
    /// # Errors
    /// [`Error::ReviewOpen`], [`Error::Invalid`] for photos that cannot be used, 403 `consent-required`, 429
    /// `rate-limited`; or the database failed.
    pub fn submit(self, cx: &Context, person: &Person) -> Result<Verification, Error> {
        let taken = review::take_limit(cx, self.account_id, self.kind)?;
        let id = cx.new_id();
        let claim = NewClaim {
            id,
            account_id: self.account_id,
            kind: self.kind,
            purpose: self.purpose,
            real_name: (self.kind == Kind::RealName).then_some(&self.summary.name),
            summary: person.seal(cx, id, &self.summary)?,
            number_hash: self.number_hash.as_ref(),
        };
        if let Err(error) = claim.insert_in_review(cx) {
            alert::alert(cx, self.account_id, self.kind)?;
            taken.give_back(cx)?;
            return Err(error);
        }
        if let Err(error) = photos::attach(cx, id, self.account_id, &self.photos) {
            claim::remove(cx, id)?;
            photos::release(cx, id, self.account_id, &self.photos)?;
            taken.give_back(cx)?;
            return Err(error);
        }
        verification::publish(cx, id, self.account_id, self.kind)?;
        alert::alert(cx, self.account_id, self.kind)?;
        verification::find(cx, id, self.account_id)
    }
}
