//! Signing.

use rand_core::CryptoRng;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use sha2::Sha256;

use super::{InvalidKey, MODULUS_BITS, encoding};

/// A private key that signs.
///
/// On side channels: RUSTSEC-2023-0071 (the Marvin attack) was found in the crate `rsa` before 0.10, whose
/// arithmetic took a time that depended on the key. 0.10 replaced it by arithmetic that does not; a scanner
/// whose advisory names no mended version may report it still. That is acceptable here: only signatures are
/// made, so that there is no padding to ask about; what is signed is our own text; base, exponent and moduli
/// are blinded by the generator that is passed in; and an observer sees one signature among a whole request's
/// work and its network.
pub struct PrivateKey(rsa::PrivateKey);

impl PrivateKey {
    /// Reads PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`), not encrypted, as PEM or
    /// bare base64. The modulus has 2048 to 4096 bits.
    ///
    /// # Errors
    /// See [`InvalidKey`].
    pub fn from_text(text: &str) -> Result<Self, InvalidKey> {
        let der = encoding::der(text)?;
        let key = rsa::PrivateKey::from_pkcs8_der(&der)
            .or_else(|_| rsa::PrivateKey::from_pkcs1_der(&der))
            .map_err(|_| InvalidKey)?;
        if !MODULUS_BITS.contains(&key.n().bit_width()) {
            return Err(InvalidKey);
        }
        Ok(Self(key))
    }

    /// The signature of `message`: the same each time. `rng` blinds the computation.
    pub fn sign(&self, message: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        self.0
            .pkcs1v15_sign_with_rng::<Sha256, _>(rng, message)
            .expect("a checked key of 2048 bits or more signs any hash of 256")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    const PKCS8: &str = include_str!("../../../testdata/rsa/key-pkcs8.pem");
    const PKCS1: &str = include_str!("../../../testdata/rsa/key-pkcs1.pem");
    const MESSAGE: &[u8] = include_bytes!("../../../testdata/rsa/message.txt");
    const SIGNATURE: &[u8] = include_bytes!("../../../testdata/rsa/message.sig");

    fn bare(pem: &str) -> String {
        let lines = pem.lines().filter(|line| !line.starts_with('-'));
        lines.collect::<Vec<_>>().join(" \r\n")
    }

    #[test]
    fn signs_what_openssl_signs_under_each_form_of_the_key() {
        for text in [PKCS8, PKCS1, &bare(PKCS8), &bare(PKCS1)] {
            let key = PrivateKey::from_text(text).unwrap();
            assert_eq!(key.sign(MESSAGE, &mut random::host()), SIGNATURE);
        }
    }

    #[test]
    fn small_keys_and_keys_of_other_kinds_are_refused() {
        for text in [
            include_str!("../../../testdata/rsa/key-1024.pem"),
            include_str!("../../../testdata/rsa/public-spki.pem"),
            include_str!("../../../testdata/rsa/public-pkcs1.pem"),
            "",
        ] {
            assert_eq!(
                PrivateKey::from_text(text).err(),
                Some(InvalidKey),
                "{text}"
            );
        }
    }
}
