//! RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2; `SHA256withRSA`), the signature that Chinese payment
//! interfaces ask for.
//!
//! Verifying is code of our own ([`PublicKey`]): nothing in it is secret, and arithmetic made for a 32-bit
//! machine verifies several times faster in Wasm. Signing, where a secret is at stake, is the crate `rsa`
//! ([`PrivateKey`]).
//!
//! Keys are text as the providers' consoles and openssl give them: PEM, or the bare base64 within.

mod encoding;
mod lazy_key;
mod montgomery;
mod private_key;
mod public_key;

pub use lazy_key::LazyKey;
pub use private_key::PrivateKey;
pub use public_key::PublicKey;

/// Text that is not a key of the expected kind, or a key of a size or shape that is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidKey;

/// Bytes that are not this key's signature of this message.
#[derive(Debug, PartialEq, Eq)]
pub struct BadSignature;

/// The moduli that are accepted, in bits.
const MODULUS_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;
