//! The certificates with which the App Store signs, and what it signs with them: a root and an intermediate on
//! P-384, a leaf on P-256, with Apple's two marks.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm,
};
use serde_json::{Value, json};

const LEAF_MARK: &[u64] = &[1, 2, 840, 113_635, 100, 6, 11, 1];
const INTERMEDIATE_MARK: &[u64] = &[1, 2, 840, 113_635, 100, 6, 2, 1];

/// A form in which the App Store signs nothing.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Under a root of somebody else's, of the same names.
    OtherRoot,
    /// The leaf may not sign for the App Store.
    WithoutLeafMark,
    /// The intermediate is not Apple's for developers.
    WithoutIntermediateMark,
    /// This certificate had expired.
    Expired(Which),
    /// This certificate was not valid yet.
    Early(Which),
    /// The intermediate is no authority.
    NoAuthority,
    /// The leaf is signed by another intermediate of the same name.
    OtherIntermediate,
    /// The leaf demands something that nobody knows.
    CriticalExtension,
    /// So many certificates.
    Certificates(usize),
    /// By this algorithm, as the header says.
    Algorithm(&'static str),
    /// With a header that must be understood.
    CriticalHeader,
    /// With another signature.
    OtherKey,
    /// Over another text.
    OtherText,
    /// With a signature in DER.
    DerSignature,
    /// With padding.
    Padded,
    /// Without a signature.
    Unsigned,
    /// Without its last bytes.
    Truncated,
}

/// One of a chain's certificates that come with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that signs.
    Leaf,
    /// The one that issued it.
    Intermediate,
}

/// How a root's dates are wrong.
#[derive(Clone, Copy, Debug)]
pub enum UntimelyRoot {
    /// It had expired.
    Expired,
    /// It was not valid yet.
    Early,
}

/// The years at whose beginnings a certificate begins and ends to be valid.
#[derive(Clone, Copy)]
struct Validity {
    from: i32,
    until: i32,
}

const VALID: Validity = Validity {
    from: 2020,
    until: 2045,
};
const EXPIRED: Validity = Validity {
    from: 2020,
    until: 2021,
};
const EARLY: Validity = Validity {
    from: 2044,
    until: 2045,
};

/// Who signs.
pub struct Authority {
    root: Root,
    good: Chain,
}

/// A root certificate in DER, and who issues with it.
struct Root {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// Certificates in DER, the leaf first, and the leaf's key in PKCS#8.
struct Chain {
    certificates: Vec<Vec<u8>>,
    key: Vec<u8>,
}

/// What differs from Apple's.
#[derive(Default)]
struct Flaws {
    no_leaf_mark: bool,
    no_intermediate_mark: bool,
    leaf: Option<Validity>,
    intermediate: Option<Validity>,
    no_authority: bool,
    critical: bool,
}

impl Authority {
    pub fn new() -> Self {
        Self::under(Root::new(VALID))
    }

    /// One whose root was never valid when anything was signed: it has expired, or is not valid yet.
    pub fn with_untimely_root(form: UntimelyRoot) -> Self {
        Self::under(Root::new(match form {
            UntimelyRoot::Expired => EXPIRED,
            UntimelyRoot::Early => EARLY,
        }))
    }

    fn under(root: Root) -> Self {
        let good = Chain::under(&root, &Flaws::default());
        Self { root, good }
    }

    pub fn root_pem(&self) -> String {
        let base64 = STANDARD.encode(&self.good.certificates[2]);
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }

    /// Signs a payload; `form` tells how that differs from what the App Store does.
    pub fn sign(&self, payload: &Value, form: Option<Form>) -> String {
        let flawed = |flaws: Flaws| Chain::under(&self.root, &flaws);
        let made = match form {
            Some(Form::OtherRoot) => Some(Chain::under(&Root::new(VALID), &Flaws::default())),
            Some(Form::WithoutLeafMark) => Some(flawed(Flaws {
                no_leaf_mark: true,
                ..Flaws::default()
            })),
            Some(Form::WithoutIntermediateMark) => Some(flawed(Flaws {
                no_intermediate_mark: true,
                ..Flaws::default()
            })),
            Some(Form::Expired(which)) => Some(flawed(Flaws::untimely(which, EXPIRED))),
            Some(Form::Early(which)) => Some(flawed(Flaws::untimely(which, EARLY))),
            Some(Form::NoAuthority) => Some(flawed(Flaws {
                no_authority: true,
                ..Flaws::default()
            })),
            Some(Form::CriticalExtension) => Some(flawed(Flaws {
                critical: true,
                ..Flaws::default()
            })),
            _ => None,
        };
        let chain = made.as_ref().unwrap_or(&self.good);
        let mut certificates = chain.certificates.clone();
        match form {
            Some(Form::Certificates(count)) => {
                certificates.truncate(count);
                while certificates.len() < count {
                    certificates.push(chain.certificates[2].clone());
                }
            }
            Some(Form::OtherIntermediate) => {
                certificates[1] =
                    Chain::under(&self.root, &Flaws::default()).certificates[1].clone();
            }
            _ => {}
        }
        let x5c: Vec<_> = certificates
            .iter()
            .map(|der| STANDARD.encode(der))
            .collect();
        let mut header = json!({ "alg": "ES256", "x5c": x5c });
        match form {
            Some(Form::Algorithm(algorithm)) => header["alg"] = json!(algorithm),
            Some(Form::CriticalHeader) => header["crit"] = json!(["exp"]),
            _ => {}
        }
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(&header), encode(payload));
        let (key, text) = match form {
            Some(Form::OtherKey) => (
                Chain::under(&self.root, &Flaws::default()).key,
                signed.clone(),
            ),
            Some(Form::OtherText) => (chain.key.clone(), format!("{signed}x")),
            _ => (chain.key.clone(), signed.clone()),
        };
        let algorithm = match form {
            Some(Form::DerSignature) => &ECDSA_P256_SHA256_ASN1_SIGNING,
            _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
        };
        let signature = signature(algorithm, &key, &text);
        match form {
            Some(Form::Unsigned) => format!("{signed}."),
            Some(Form::Padded) => format!("{signed}.{}", URL_SAFE.encode(signature)),
            Some(Form::Truncated) => {
                format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature[..60]))
            }
            _ => format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)),
        }
    }
}

fn signature(algorithm: &'static EcdsaSigningAlgorithm, key: &[u8], text: &str) -> Vec<u8> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(algorithm, key, &random).expect("a key on P-256");
    let signature = key.sign(&random, text.as_bytes()).expect("it signs");
    signature.as_ref().to_vec()
}

impl Flaws {
    fn untimely(which: Which, validity: Validity) -> Self {
        let mut flaws = Self::default();
        match which {
            Which::Leaf => flaws.leaf = Some(validity),
            Which::Intermediate => flaws.intermediate = Some(validity),
        }
        flaws
    }
}

impl Root {
    fn new(validity: Validity) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key");
        let params = authority("Apple Root CA - G3", validity);
        let root = params.self_signed(&key).expect("a certificate");
        Self {
            der: root.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }
}

impl Chain {
    fn under(root: &Root, flaws: &Flaws) -> Self {
        let mut params = authority(
            "Apple Worldwide Developer Relations Certification Authority",
            flaws.intermediate.unwrap_or(VALID),
        );
        if flaws.no_authority {
            params.is_ca = IsCa::ExplicitNoCa;
        }
        if !flaws.no_intermediate_mark {
            params.custom_extensions = vec![mark(INTERMEDIATE_MARK)];
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key");
        let intermediate = params.signed_by(&key, &root.issuer).expect("a certificate");
        let issuer = Issuer::new(params, key);
        let mut params = named(
            "Prod ECC Mac App Store and iTunes Store Receipt Signing",
            flaws.leaf.unwrap_or(VALID),
        );
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if !flaws.no_leaf_mark {
            params.custom_extensions = vec![mark(LEAF_MARK)];
        }
        if flaws.critical {
            let mut demand = mark(&[1, 3, 6, 1, 4, 1, 99_999, 1]);
            demand.set_criticality(true);
            params.custom_extensions.push(demand);
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let leaf = params.signed_by(&key, &issuer).expect("a certificate");
        Self {
            certificates: vec![
                leaf.der().to_vec(),
                intermediate.der().to_vec(),
                root.der.clone(),
            ],
            key: key.serialize_der(),
        }
    }
}

fn named(name: &str, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(validity.from, 1, 1);
    params.not_after = date_time_ymd(validity.until, 1, 1);
    params
}

fn authority(name: &str, validity: Validity) -> CertificateParams {
    let mut params = named(name, validity);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// An extension whose content is NULL, as Apple's marks are.
fn mark(oid: &[u64]) -> CustomExtension {
    CustomExtension::from_oid_content(oid, vec![5, 0])
}
