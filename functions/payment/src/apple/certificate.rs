//! The certificates with which the App Store signs: a leaf, an intermediate, and one of the configured roots
//! (RFC 5280, as far as such a chain needs it).

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest as _, Sha256, Sha384};
use shared::time::Timestamp;
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// `id-ecPublicKey` (RFC 5480), and the curves.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// `ecdsa-with-SHA256`, `ecdsa-with-SHA384` (RFC 5758).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
/// What Apple marks the certificates with that sign for the App Store (`jws_verification.ts`).
const SIGNS_FOR_THE_STORE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.11.1");
const DEVELOPER_RELATIONS: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.2.1");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");

/// How far a signer's clock may be off: `MAX_SKEW` of `jws_verification.ts`.
const SKEW_MS: i64 = 60_000;

/// Why a chain is not one of the App Store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// One of the three is no certificate in DER.
    Malformed,
    /// No configured root issued the intermediate.
    UnknownRoot,
    /// The intermediate did not issue the leaf: name, purpose or signature do not fit.
    NotIssued,
    /// It may issue or sign, but not for the App Store.
    OtherPurpose,
    /// It demands something that is not known here.
    UnknownCriticalExtension,
}

/// A certificate.
pub struct Certificate(x509_cert::Certificate);

impl Certificate {
    /// `None` for what is no certificate in DER and nothing else.
    pub fn read(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        // The signature is over the bytes as they came: other bytes for the same content are refused.
        (certificate.to_der().ok()? == der).then_some(Self(certificate))
    }

    fn tbs(&self) -> &TbsCertificate {
        self.0.tbs_certificate()
    }

    /// Whether both certificates' names, purposes and the signature say that this one issued the other.
    fn issued(&self, other: &Self) -> bool {
        self.tbs().subject() == other.tbs().issuer()
            && self.may_issue()
            && other.0.signature_algorithm() == other.tbs().signature()
            && self.has_signed(other).is_some()
    }

    fn may_issue(&self) -> bool {
        let constraints = self.tbs().get_extension::<BasicConstraints>();
        let usage = self.tbs().get_extension::<KeyUsage>();
        let is_authority = matches!(constraints, Ok(Some((_, constraints))) if constraints.ca);
        let signs_certificates = match usage {
            Ok(Some((_, usage))) => usage.key_cert_sign(),
            Ok(None) => true,
            Err(_) => false,
        };
        is_authority && signs_certificates
    }

    fn has_signed(&self, other: &Self) -> Option<()> {
        let tbs = other.tbs().to_der().ok()?;
        let algorithm = other.0.signature_algorithm();
        if algorithm.parameters.is_some() {
            return None;
        }
        let hash = match algorithm.oid {
            ECDSA_WITH_SHA256 => Sha256::digest(&tbs).to_vec(),
            ECDSA_WITH_SHA384 => Sha384::digest(&tbs).to_vec(),
            _ => return None,
        };
        let signature = other.0.signature().as_bytes()?;
        let (curve, point) = self.key()?;
        match curve {
            P256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
                let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
                key.verify_prehash(&hash, &signature).ok()
            }
            P384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
                let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
                key.verify_prehash(&hash, &signature).ok()
            }
            _ => None,
        }
    }

    /// The curve, and the point on it as SEC 1 writes it.
    fn key(&self) -> Option<(ObjectIdentifier, Vec<u8>)> {
        let der = self.tbs().subject_public_key_info().to_der().ok()?;
        let info = SubjectPublicKeyInfoRef::from_der(&der).ok()?;
        let (algorithm, curve) = info.algorithm.oids().ok()?;
        let point = info.subject_public_key.as_bytes()?.to_vec();
        (algorithm == EC_PUBLIC_KEY).then_some((curve?, point))
    }

    fn has(&self, extension: ObjectIdentifier) -> bool {
        let extensions = self.tbs().extensions().into_iter().flatten();
        extensions.into_iter().any(|it| it.extn_id == extension)
    }

    fn demands_something_unknown(&self) -> bool {
        let known = [
            BASIC_CONSTRAINTS,
            KEY_USAGE,
            SIGNS_FOR_THE_STORE,
            DEVELOPER_RELATIONS,
        ];
        let extensions = self.tbs().extensions().into_iter().flatten();
        extensions
            .into_iter()
            .any(|it| it.critical && !known.contains(&it.extn_id))
    }

    fn is_valid_at(&self, at: Timestamp) -> bool {
        let validity = self.tbs().validity();
        let ms = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX)
        };
        ms(validity.not_before) <= at.as_millis() + SKEW_MS
            && ms(validity.not_after) >= at.as_millis() - SKEW_MS
    }
}

/// A chain that leads from the App Store's key to a root, whenever that was.
pub struct Chain {
    leaf: Certificate,
    intermediate: Certificate,
    root: Certificate,
}

impl Chain {
    /// Checks everything but the dates. `chain` is in DER, the leaf first. The root is one of ours: the one
    /// that came is not looked at, as in `jws_verification.ts`.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub fn check(chain: &[Vec<u8>; 3], roots: &[Vec<u8>]) -> Result<Self, ChainError> {
        let read = |at: usize| Certificate::read(&chain[at]).ok_or(ChainError::Malformed);
        let (leaf, intermediate) = (read(0)?, read(1)?);
        let root = roots
            .iter()
            .filter_map(|root| Certificate::read(root))
            .find(|root| root.issued(&intermediate))
            .ok_or(ChainError::UnknownRoot)?;
        let sent = [&leaf, &intermediate];
        if sent.iter().any(|it| it.demands_something_unknown()) {
            return Err(ChainError::UnknownCriticalExtension);
        }
        if !intermediate.issued(&leaf) {
            return Err(ChainError::NotIssued);
        }
        if leaf.may_issue()
            || !leaf.has(SIGNS_FOR_THE_STORE)
            || !intermediate.has(DEVELOPER_RELATIONS)
        {
            return Err(ChainError::OtherPurpose);
        }
        Ok(Self {
            leaf,
            intermediate,
            root,
        })
    }

    /// Whether all three were valid then.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        [&self.leaf, &self.intermediate, &self.root]
            .iter()
            .all(|certificate| certificate.is_valid_at(at))
    }

    /// The App Store's key; `None` if it is not on P-256.
    pub fn key(&self) -> Option<p256::ecdsa::VerifyingKey> {
        let (curve, point) = self.leaf.key()?;
        let key = (curve == P256).then(|| p256::ecdsa::VerifyingKey::from_sec1_bytes(&point));
        key?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ROOT;
    use super::*;

    // Apple's own: see testdata/apple/README.md.
    const LEAF: &[u8] = include_bytes!("../../testdata/apple/signing.der");
    const INTERMEDIATE: &[u8] = include_bytes!("../../testdata/apple/wwdrg6.der");

    fn check(chain: [&[u8]; 3]) -> Result<Chain, ChainError> {
        Chain::check(&chain.map(<[u8]>::to_vec), &[ROOT.to_vec()])
    }

    #[test]
    fn the_app_stores_real_chain_leads_to_the_built_in_root() {
        let chain = check([LEAF, INTERMEDIATE, ROOT]).unwrap_or_else(|error| panic!("{error:?}"));
        assert!(chain.key().is_some());
        // The leaf is valid from 2025-09-19T19:44:51Z to 2027-10-13T17:47:23Z; a minute's skew is allowed.
        let (from, until) = (1_758_311_091_000, 1_823_449_643_000);
        for (at, is_valid) in [
            (1_761_962_975_000, true),
            (from - SKEW_MS, true),
            (from - SKEW_MS - 1, false),
            (until + SKEW_MS, true),
            (until + SKEW_MS + 1, false),
        ] {
            assert_eq!(chain.is_valid_at(Timestamp(at)), is_valid, "{at}");
        }
    }

    #[test]
    fn a_real_chain_in_another_order_or_changed_is_none() {
        let mut changed = LEAF.to_vec();
        changed[200] ^= 1;
        for (chain, error) in [
            ([INTERMEDIATE, LEAF, ROOT], ChainError::UnknownRoot),
            ([LEAF, ROOT, ROOT], ChainError::NotIssued),
            ([LEAF, LEAF, ROOT], ChainError::UnknownRoot),
            ([ROOT, INTERMEDIATE, ROOT], ChainError::NotIssued),
            ([&LEAF[1..], INTERMEDIATE, ROOT], ChainError::Malformed),
        ] {
            assert_eq!(check(chain).err(), Some(error));
        }
        assert!(check([&changed, INTERMEDIATE, ROOT]).is_err());
    }
}
