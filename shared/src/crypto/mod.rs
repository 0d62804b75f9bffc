//! Keys, sealed values and keyed hashes.
//!
//! Everything starts at the variable `application_key`: 32 random bytes in base64. Each purpose
//! has a key of its own, which [`Key::for_purpose`] derives (HKDF-SHA-256, RFC 5869).

mod key;
mod person_key;
pub mod rsa;

pub use key::{Broken, Key, KeyedHash, Purpose, hex};
pub use person_key::{NoKey, PersonKey, STATEMENTS};
