//! What the rules need to know of the person who asks.

use shared::crypto::{KeyedHash, PersonKey};
use shared::http::{Context, Problem};
use shared::random;
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::claim::Summary;
use crate::error::Error;
use crate::id_number::IdNumber;

statements! {
    /// The person, and who has this identity number: the person already, or somebody else.
    FIND = "SELECT a.person_key_id, \
              (SELECT COUNT(*) FROM verification_claims c \
                WHERE c.account_id = a.id AND c.kind = 'real-name' AND c.status = 'passed') AS passed, \
              (SELECT COUNT(*) FROM verification_claims c WHERE c.verified_hash = $1) AS held \
            FROM accounts a WHERE a.id = $2";
}

/// The person who asks.
pub struct Person {
    person_key_id: Uuid,
}

impl Person {
    /// Anybody, for whom no number has to be free.
    ///
    /// # Errors
    /// The database failed.
    pub fn find(cx: &Context, account_id: Uuid) -> Result<Self, Error> {
        Ok(Self::look(cx, account_id, &[])?.0)
    }

    /// Somebody who is not verified yet, under a number that verifies nobody else.
    ///
    /// # Errors
    /// [`Error::AlreadyVerified`], [`Error::NumberInUse`], or the database failed.
    pub fn unverified(cx: &Context, account_id: Uuid, hash: &KeyedHash) -> Result<Self, Error> {
        let (person, passed, held) = Self::look(cx, account_id, hash)?;
        if passed {
            return Err(Error::AlreadyVerified);
        }
        if held {
            return Err(Error::NumberInUse);
        }
        Ok(person)
    }

    fn look(cx: &Context, account_id: Uuid, hash: &[u8]) -> Result<(Self, bool, bool), Error> {
        let row = cx
            .sql()?
            .first(&FIND, &[Parameter::blob(hash), Parameter::id(account_id)])?
            .ok_or_else(Problem::unauthenticated)?;
        let person = Self {
            person_key_id: row.get("person_key_id")?,
        };
        let (passed, held): (i64, i64) = (row.get("passed")?, row.get("held")?);
        Ok((person, passed > 0, held > 0))
    }

    /// What is kept of an identity, sealed under the person's own key.
    ///
    /// # Errors
    /// The key store failed.
    pub fn seal(&self, cx: &Context, id: Uuid, summary: &Summary) -> Result<Vec<u8>, Problem> {
        let key = PersonKey::load(cx, self.person_key_id)?;
        Ok(summary.seal(&key, id, &mut random::host()))
    }
}

/// What is kept of a name and a number: the number masked.
pub fn real_name_summary(name: &str, number: &IdNumber) -> Summary {
    Summary {
        name: name.to_owned(),
        number: number.masked(),
    }
}
