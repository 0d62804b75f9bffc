//! Randomness: the host's generator, and what is made from a generator that is passed in.

use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};
use uuid::Uuid;

use crate::time::Timestamp;

/// The host's generator. A host that has no randomness left stops the request: nothing here can go on
/// without it.
pub fn host() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// `N` random bytes.
pub fn bytes<const N: usize>(rng: &mut (impl CryptoRng + ?Sized)) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// The least identifier of this moment: all that [`id`] made before are below it, and none of this moment or later.
pub fn first_id(moment: Timestamp) -> Uuid {
    let millis = u64::try_from(moment.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// The identifier of something that is known by a hash, which sorts by the time it was made.
pub fn hashed_id(made_at: Timestamp, hash: &[u8; 32]) -> Uuid {
    let millis = u64::try_from(made_at.as_millis()).unwrap_or(0);
    let bytes = hash.first_chunk().expect("32 bytes hold 10");
    uuid::Builder::from_unix_timestamp_millis(millis, bytes).into_uuid()
}

/// A new identifier that sorts by the time it was made: UUIDv7 (RFC 9562, 5.7).
pub fn id(now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes(rng)).into_uuid()
}
