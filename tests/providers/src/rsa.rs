//! RSASSA-PKCS1-v1_5 with SHA-256, written as base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};

use crate::keys::bare;

/// Both halves of a key.
pub struct Key(RsaKeyPair);

impl Key {
    /// One of the test keys: PKCS#8 as PEM.
    pub fn from_pem(pem: &str) -> Self {
        let der = STANDARD.decode(bare(pem)).expect("base64");
        Self(RsaKeyPair::from_pkcs8(&der).expect("an RSA key"))
    }

    /// The signature of a text.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self.0.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text.as_bytes(),
            &mut signature,
        );
        signed.expect("the buffer is as long as the modulus");
        STANDARD.encode(signature)
    }

    /// Whether this key signed the text.
    pub fn verifies(&self, text: &str, signature: &str) -> bool {
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.0.public_key());
        let signature = STANDARD.decode(signature);
        signature.is_ok_and(|signature| public.verify(text.as_bytes(), &signature).is_ok())
    }
}
