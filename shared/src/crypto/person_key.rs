//! A person's own data key: under it lies what is sensitive about that person, in every table. Destroying
//! it makes every copy unreadable, the SQL backups included, because it is kept apart from them.

use rand_core::CryptoRng;
use uuid::Uuid;

use super::{Broken, Key, Purpose};
use crate::http::{Context, Problem};
use crate::sql::{Parameter, statements};
use crate::{random, variables};

statements! {
    /// Only with `person_key_store=sql`.
    INSERT_KEY = "INSERT INTO person_keys (id, wrapped_key) VALUES ($1, $2)";
    /// Only with `person_key_store=sql`.
    SELECT_KEY = "SELECT wrapped_key FROM person_keys WHERE id = $1";
}

/// A data key and the identifier under which it is stored.
pub struct PersonKey {
    /// What the account's row names.
    pub id: Uuid,
    key: Key,
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
    /// The store is unavailable, or the key was destroyed.
    pub fn load(cx: &Context, id: Uuid) -> Result<Self, Problem> {
        let wrapped = match Place::configured()? {
            Place::KeyValue => cx.key_value()?.get(&context(id))?,
            Place::Sql => cx
                .sql()?
                .first(&SELECT_KEY, &[Parameter::id(id)])?
                .map(|row| row.get("wrapped_key"))
                .transpose()?,
        };
        let opened = Key::for_purpose(Purpose::PersonKeyWrap)?
            .open(&context(id), &wrapped.ok_or(Broken)?)?;
        Ok(Self {
            id,
            key: Key::from_bytes(&opened)?,
        })
    }

    /// Seals a value of this person; see [`Key::seal`].
    pub fn seal(&self, context: &str, plain: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        self.key.seal(context, plain, rng)
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
