//! What the App Store signs: JSON Web Signatures (RFC 7515) in compact form, by ES256, with the certificates in
//! `x5c`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::Signature;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use shared::time::Timestamp;

use super::certificate::{Chain, ChainError};

/// Why something cannot be taken for the App Store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// It is no signature in compact form, or its header is not as Apple's.
    Malformed,
    /// It is signed in another way than ES256.
    Algorithm,
    /// The certificates are not the App Store's.
    Chain(ChainError),
    /// The certificates were not valid when it was signed.
    Expired,
    /// The signature is not that certificate's over this content.
    Signature,
    /// The App Store's, but the content does not read as documented.
    Content,
}

/// Unknown members are ignored, but for `crit`, which forbids that.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    x5c: Vec<String>,
    crit: Option<serde::de::IgnoredAny>,
}

/// What was signed tells when: the certificates must have been valid then.
pub(super) trait Dated {
    /// When it was signed, in milliseconds since 1970.
    fn signed_date(&self) -> i64;
}

/// The content, once everything about its signature holds.
///
/// # Errors
/// See [`JwsError`].
pub(super) fn read<T: DeserializeOwned + Dated>(
    text: &str,
    roots: &[Vec<u8>],
) -> Result<T, JwsError> {
    let (chain, content) = verified(text, roots)?;
    let content: T = serde_json::from_slice(&content).map_err(|_| JwsError::Content)?;
    if !chain.is_valid_at(Timestamp(content.signed_date())) {
        return Err(JwsError::Expired);
    }
    Ok(content)
}

/// What was signed, and by which certificates: whether they were valid then, only the content tells.
///
/// # Errors
/// See [`JwsError`].
pub(super) fn verified(text: &str, roots: &[Vec<u8>]) -> Result<(Chain, Vec<u8>), JwsError> {
    let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::Malformed)?;
    let (header, content) = signed.split_once('.').ok_or(JwsError::Malformed)?;
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| JwsError::Malformed)
    };
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| JwsError::Malformed)?;
    if header.alg != "ES256" {
        return Err(JwsError::Algorithm);
    }
    if header.crit.is_some() {
        return Err(JwsError::Malformed);
    }
    let signature = Signature::from_slice(&decode(signature)?).map_err(|_| JwsError::Malformed)?;
    let content = decode(content)?;
    let chain = Chain::check(&certificates(&header)?, roots).map_err(JwsError::Chain)?;
    let key = chain
        .key()
        .ok_or(JwsError::Chain(ChainError::OtherPurpose))?;
    key.verify_prehash(&Sha256::digest(signed), &signature)
        .map_err(|_| JwsError::Signature)?;
    Ok((chain, content))
}

/// Exactly three, the leaf first. Unlike the parts, they are in plain base64 (RFC 7515, 4.1.6).
fn certificates(header: &Header) -> Result<[Vec<u8>; 3], JwsError> {
    let decoded: Result<Vec<_>, _> = header
        .x5c
        .iter()
        .map(|text| STANDARD.decode(text))
        .collect();
    let decoded = decoded.map_err(|_| JwsError::Malformed)?;
    decoded.try_into().map_err(|_| JwsError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    // Apple's own vectors: see testdata/apple/README.md.
    const TRANSACTION: &str = include_str!("../../testdata/apple/transactionInfo");
    const RENEWAL: &str = include_str!("../../testdata/apple/renewalInfo");
    const WITHOUT_CHAIN: &str = include_str!("../../testdata/apple/missingX5CHeaderClaim");

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Content {
        environment: String,
        signed_date: i64,
    }

    impl Dated for Content {
        fn signed_date(&self) -> i64 {
            self.signed_date
        }
    }

    fn roots() -> Vec<Vec<u8>> {
        example("Sandbox").roots
    }

    fn outcome(text: &str) -> Result<Content, JwsError> {
        read(text, &roots())
    }

    #[test]
    fn what_apple_signed_for_its_tests_is_read() {
        for text in [TRANSACTION, RENEWAL] {
            assert_eq!(outcome(text.trim()).unwrap().environment, "Sandbox");
        }
    }

    #[test]
    fn a_chain_is_needed_and_must_end_in_a_configured_root() {
        assert_eq!(outcome(WITHOUT_CHAIN.trim()), Err(JwsError::Malformed));
        let apples = vec![super::super::ROOT.to_vec()];
        assert_eq!(
            read::<Content>(TRANSACTION.trim(), &apples),
            Err(JwsError::Chain(ChainError::UnknownRoot))
        );
    }

    fn parts() -> [String; 3] {
        let parts: Vec<_> = TRANSACTION.trim().split('.').map(str::to_owned).collect();
        parts.try_into().unwrap()
    }

    fn header(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let [header, content, signature] = parts();
        let mut json = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        change(&mut json);
        let header = URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{header}.{content}.{signature}")
    }

    #[test]
    fn headers_that_are_not_apples_are_refused() {
        for algorithm in ["none", "HS256", "RS256", "ES384", "es256", ""] {
            let changed = header(|header| header["alg"] = algorithm.into());
            assert_eq!(outcome(&changed), Err(JwsError::Algorithm), "{algorithm}");
        }
        let critical = header(|header| header["crit"] = serde_json::json!(["b64"]));
        assert_eq!(outcome(&critical), Err(JwsError::Malformed));
        for count in [0, 1, 2] {
            let short = header(|header| header["x5c"].as_array_mut().unwrap().truncate(count));
            assert_eq!(outcome(&short), Err(JwsError::Malformed));
        }
        let long = header(|header| {
            let chain = header["x5c"].as_array_mut().unwrap();
            chain.push(chain[2].clone());
        });
        assert_eq!(outcome(&long), Err(JwsError::Malformed));
        let turned = header(|header| header["x5c"].as_array_mut().unwrap().swap(0, 1));
        assert_eq!(
            outcome(&turned),
            Err(JwsError::Chain(ChainError::UnknownRoot))
        );
        // The header itself is signed, too.
        let added = header(|header| header["typ"] = "JWT".into());
        assert_eq!(outcome(&added), Err(JwsError::Signature));
    }

    #[test]
    fn changed_contents_and_signatures_are_refused() {
        let [header, content, signature] = parts();
        let other = URL_SAFE_NO_PAD.encode(
            r#"{"environment":"Sandbox","bundleId":"com.exampld","signedDate":1672956154000}"#,
        );
        assert_eq!(
            outcome(&format!("{header}.{other}.{signature}")),
            Err(JwsError::Signature)
        );
        let mut bytes = URL_SAFE_NO_PAD.decode(&signature).unwrap();
        bytes[40] ^= 1;
        let wrong = URL_SAFE_NO_PAD.encode(&bytes);
        assert_eq!(
            outcome(&format!("{header}.{content}.{wrong}")),
            Err(JwsError::Signature)
        );
        let short = URL_SAFE_NO_PAD.encode(&bytes[..63]);
        for broken in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            format!("{header}.{content}"),
            format!("{header}.{content}."),
            format!("{header}.{content}.{short}"),
            format!("{header}.{content}.{signature}="),
            format!("{header}.{content}.{signature}.x"),
            format!(" {header}.{content}.{signature}"),
        ] {
            assert_eq!(outcome(&broken), Err(JwsError::Malformed), "{broken}");
        }
    }
}
