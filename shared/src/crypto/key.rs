//! One key and what can be done with it.

use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rand_core::CryptoRng;
use sha2::Sha256;

use crate::random;
use crate::variables::{self, Misconfigured};

const NONCE_LENGTH: usize = 12;

/// What a derived key is for. A value sealed or hashed for one purpose says nothing to another.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Wrapping the people's data keys.
    PersonKeyWrap,
    /// Finding an account by its phone number.
    PhoneLookup,
    /// Keeping one-time codes.
    OneTimeCode,
    /// Recognising a device again.
    DeviceLookup,
    /// Counting requests by number or address.
    RateLimit,
    /// Remembering answers to be given again.
    IdempotentAnswer,
    /// Finding an identity card's holder by its number.
    IdNumberLookup,
    /// Signing upload forms and the links by which uploads are read.
    Upload,
    /// Going on with a search for people nearby.
    NearbyCursor,
    /// Recognising an effect by the request that asks for it.
    RequestKey,
    /// Sealing the ledger's closed days.
    LedgerSeal,
    /// Notices to recipients, which must outlive the person's key.
    RecipientNotice,
    /// Finding what a person asks just the same again.
    AskedAgain,
}

impl Purpose {
    /// The derivation's label. Never changed once values exist under it.
    fn label(self) -> &'static [u8] {
        match self {
            Self::PersonKeyWrap => b"chuangrenmai/person-key-wrap",
            Self::PhoneLookup => b"chuangrenmai/phone-lookup",
            Self::OneTimeCode => b"chuangrenmai/one-time-code",
            Self::DeviceLookup => b"chuangrenmai/device-lookup",
            Self::RateLimit => b"chuangrenmai/rate-limit",
            Self::IdempotentAnswer => b"chuangrenmai/idempotent-answer",
            Self::IdNumberLookup => b"chuangrenmai/id-number-lookup",
            Self::Upload => b"chuangrenmai/upload",
            Self::NearbyCursor => b"chuangrenmai/nearby-cursor",
            Self::RequestKey => b"chuangrenmai/request-key",
            Self::LedgerSeal => b"chuangrenmai/ledger-seal",
            Self::RecipientNotice => b"chuangrenmai/recipient-notice",
            Self::AskedAgain => b"chuangrenmai/asked-again",
        }
    }
}

/// An HMAC-SHA-256 under a purpose's key: equal inputs are found again, and without the key nothing can
/// be tried against it.
pub type KeyedHash = [u8; 32];

/// A sealed value that does not open: another key, another context, or changed bytes.
#[derive(Debug)]
pub struct Broken;

/// A 256-bit secret key.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// The application's key for `purpose`.
    ///
    /// # Errors
    /// The variable `application_key` is not 32 bytes in base64.
    pub fn for_purpose(purpose: Purpose) -> Result<Self, Misconfigured> {
        const VARIABLE: &str = "application_key";
        let text = variables::required(VARIABLE)?;
        let secret = STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or(Misconfigured { variable: VARIABLE })?;
        Ok(Self(secret).derived(purpose))
    }

    /// A new random key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random::bytes(rng))
    }

    pub(super) fn derived(&self, purpose: Purpose) -> Self {
        let mut derived = [0; 32];
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(purpose.label(), &mut derived)
            .expect("32 bytes are within what HKDF-SHA-256 can give");
        Self(derived)
    }

    /// The keyed hash of `parts`. Each part's length is hashed too, so that no two lists of parts agree.
    pub fn hash(&self, parts: &[&[u8]]) -> KeyedHash {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Seals `plain` with AES-256-GCM under a fresh nonce. It opens only with the same `context`, which
    /// names the place it belongs to (such as `accounts.phone:<id>`), so that a value moved to another
    /// row is refused.
    pub fn seal(&self, context: &str, plain: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        let nonce: [u8; NONCE_LENGTH] = random::bytes(rng);
        let payload = Payload {
            msg: plain,
            aad: context.as_bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(&Nonce::from(nonce), payload)
            .expect("what we seal is far below AES-GCM's limit of 64 GiB");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what [`Key::seal`] made.
    ///
    /// # Errors
    /// See [`Broken`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Broken> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(Broken)?;
        let payload = Payload {
            msg,
            aad: context.as_bytes(),
        };
        self.cipher()
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| Broken)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.0.into())
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Broken> {
        bytes.try_into().map(Self).map_err(|_| Broken)
    }
}

/// `bytes` in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> Key {
        Key([byte; 32])
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let phone = key(1).derived(Purpose::PhoneLookup);
        let code = key(1).derived(Purpose::OneTimeCode);
        assert_ne!(phone.hash(&[b"x"]), code.hash(&[b"x"]));
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        assert_ne!(key(1).hash(&[b"ab", b"c"]), key(1).hash(&[b"a", b"bc"]));
        assert_ne!(key(1).hash(&[b"ab"]), key(1).hash(&[b"ab", b""]));
    }

    #[test]
    fn a_short_or_empty_value_is_broken() {
        assert!(key(1).open("c", b"").is_err());
        assert!(key(1).open("c", &[0; 12]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_context_only(plain: Vec<u8>, flip in 0usize..512) {
            let sealed = key(1).seal("here", &plain, &mut random::host());
            prop_assert_eq!(key(1).open("here", &sealed).unwrap(), plain);
            prop_assert!(key(1).open("there", &sealed).is_err());
            prop_assert!(key(2).open("here", &sealed).is_err());
            let mut changed = sealed.clone();
            let at = flip % changed.len();
            changed[at] ^= 1;
            prop_assert!(key(1).open("here", &changed).is_err());
        }
    }
}
