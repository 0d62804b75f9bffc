//! A person's own data key: under it lies what is sensitive about that person, in every table. Destroying
//! it makes every copy unreadable, the SQL backups included, because it is kept apart from them.
//!
//! A destroyed key leaves a tombstone in its place in the key-value store; one that lay in SQL is noted with all else
//! that a restored backup must not bring back ([`crate::erasure`]), for where keys lie in SQL the store is small. By
//! either, the account is deleted again (clause R8).

use rand_core::CryptoRng;
use uuid::Uuid;

use super::{Broken, Key, KeyedHash, Purpose};
use crate::http::{Context, Problem};
use crate::sql::{Parameter, statements};
use crate::{erasure, random, variables};

/// What a tombstone begins with; the moment follows. A wrapped key is longer.
const TOMBSTONE: &[u8] = b"destroyed ";

statements! {
    /// Only with `person_key_store=sql`.
    INSERT_KEY = "INSERT INTO person_keys (id, wrapped_key) VALUES ($1, $2)";
    /// Only with `person_key_store=sql`.
    SELECT_KEY = "SELECT wrapped_key FROM person_keys WHERE id = $1";
    /// Only with `person_key_store=sql`.
    OVERWRITE_KEY = "UPDATE person_keys SET wrapped_key = $1 WHERE id = $2";
    /// Only with `person_key_store=sql`.
    DELETE_KEY = "DELETE FROM person_keys WHERE id = $1";
}

/// A data key and the identifier under which it is stored.
pub struct PersonKey {
    /// What the account's row names.
    pub id: Uuid,
    key: Key,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// It was destroyed, and said so.
    Destroyed,
    /// It is not there, or does not open: no deletion did that.
    Missing,
}

impl From<NoKey> for Problem {
    /// For whoever did not expect it. Where the key was destroyed, the person has just gone, and with it what was asked
    /// about; otherwise a value that should open does not.
    fn from(no_key: NoKey) -> Self {
        match no_key {
            NoKey::Destroyed => Self::not_found(),
            NoKey::Missing => Broken.into(),
        }
    }
}

impl PersonKey {
    /// Makes and stores a new key. It is stored under a new identifier before any row names it and is
    /// never overwritten: the store has no compare-and-set. A key whose row never came is unreachable and
    /// protects nothing.
    ///
    /// # Errors
    /// The store is unavailable, or the variables are unusable.
    pub fn create(cx: &Context, rng: &mut impl CryptoRng) -> Result<Self, Problem> {
        let id = random::id(cx.now(), rng);
        let key = Key::generate(rng);
        let wrapped =
            Key::for_purpose(Purpose::PersonKeyWrap)?.seal(&context(id), key.bytes(), rng);
        match Place::configured()? {
            Place::KeyValue => cx.key_value()?.set(&context(id), &wrapped)?,
            Place::Sql => {
                cx.sql()?
                    .execute(&INSERT_KEY, &[Parameter::id(id), Parameter::blob(&wrapped)])?;
            }
        }
        Ok(Self { id, key })
    }

    /// The stored key `id`.
    ///
    /// # Errors
    /// The store is unavailable, or there is no such key.
    pub fn load(cx: &Context, id: Uuid) -> Result<Self, Problem> {
        Ok(Self::find(cx, id)??)
    }

    /// The stored key `id`, or why there is none.
    ///
    /// # Errors
    /// The store is unavailable, or the variables are unusable.
    pub fn find(cx: &Context, id: Uuid) -> Result<Result<Self, NoKey>, Problem> {
        let wrapped = match Place::configured()? {
            Place::KeyValue => cx.key_value()?.get(&context(id))?,
            Place::Sql => cx
                .sql()?
                .first(&SELECT_KEY, &[Parameter::id(id)])?
                .map(|row| row.get("wrapped_key"))
                .transpose()?,
        };
        let Some(wrapped) = wrapped else {
            return Ok(Err(NoKey::Missing));
        };
        if wrapped.starts_with(TOMBSTONE) {
            return Ok(Err(NoKey::Destroyed));
        }
        let opened = Key::for_purpose(Purpose::PersonKeyWrap)?.open(&context(id), &wrapped);
        let key = opened.and_then(|bytes| Key::from_bytes(&bytes));
        Ok(key
            .map(|key| Self { id, key })
            .map_err(|Broken| NoKey::Missing))
    }

    /// Destroys the key `id`, for good; done again it changes nothing. What lies under it opens never more.
    ///
    /// The wrapped key is overwritten before anything is deleted. The tombstone, or the note, comes first: from then
    /// on, whatever is restored, a deletion that began is finished.
    ///
    /// # Errors
    /// The store is unavailable, or the variables are unusable.
    pub fn destroy(cx: &Context, id: Uuid) -> Result<(), Problem> {
        match Place::configured()? {
            Place::KeyValue => {
                if !Self::is_destroyed(cx, id)? {
                    let moment = cx.now().as_millis().to_string();
                    let tombstone = [TOMBSTONE, moment.as_bytes()].concat();
                    cx.key_value()?.set(&context(id), &tombstone)?;
                }
            }
            Place::Sql => {
                erasure::note_key(cx, id)?;
                let overwritten = [Parameter::blob(TOMBSTONE), Parameter::id(id)];
                cx.sql()?.execute(&OVERWRITE_KEY, &overwritten)?;
                cx.sql()?.execute(&DELETE_KEY, &[Parameter::id(id)])?;
            }
        }
        Ok(())
    }

    /// Whether the key `id` was destroyed, as its tombstone says, even if a backup has brought it back.
    ///
    /// # Errors
    /// The store is unavailable.
    pub fn is_destroyed(cx: &Context, id: Uuid) -> Result<bool, Problem> {
        let value = cx.key_value()?.get(&context(id))?;
        Ok(value.is_some_and(|value| value.starts_with(TOMBSTONE)))
    }

    /// Forgets the tombstone of the key `id`, once no backup can bring its account back.
    ///
    /// # Errors
    /// The store is unavailable.
    pub fn forget(cx: &Context, id: Uuid) -> Result<(), Problem> {
        Ok(cx.key_value()?.delete(&context(id))?)
    }

    /// Seals a value of this person; see [`Key::seal`].
    pub fn seal(&self, context: &str, plain: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        self.key.seal(context, plain, rng)
    }

    /// A hash under a key that is derived from this person's; see [`Key::hash`]. It says nothing any more when the
    /// person's key is destroyed.
    pub fn hash(&self, purpose: Purpose, parts: &[&[u8]]) -> KeyedHash {
        self.key.derived(purpose).hash(parts)
    }

    /// Opens a value of this person; see [`Key::open`].
    ///
    /// # Errors
    /// See [`Broken`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Broken> {
        self.key.open(context, sealed)
    }
}

/// The wrapped key's name in the key-value store, and what it is bound to.
fn context(id: Uuid) -> String {
    format!("person-key:{id}")
}

enum Place {
    KeyValue,
    Sql,
}

impl Place {
    fn configured() -> Result<Self, variables::Misconfigured> {
        const VARIABLE: &str = "person_key_store";
        match variables::text(VARIABLE)?.as_str() {
            "key-value" => Ok(Self::KeyValue),
            "sql" => Ok(Self::Sql),
            _ => Err(variables::Misconfigured { variable: VARIABLE }),
        }
    }
}
