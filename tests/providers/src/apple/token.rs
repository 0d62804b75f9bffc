//! The token with which the App Store is asked: a JSON Web Token by ES256
//! (<https://developer.apple.com/documentation/appstoreserverapi/generating-json-web-tokens-for-api-requests>).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use serde_json::{Value, json};

use super::{BUNDLE_ID, ISSUER_ID, KEY_ID};
use crate::keys;

/// An hour.
const LONGEST_SECONDS: i64 = 60 * 60;

/// # Errors
/// What is wrong with it.
pub fn check(token: &str, now_ms: i64) -> Result<(), &'static str> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err("token-form");
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "token-base64");
    let json = |part: &str| -> Result<Value, &'static str> {
        serde_json::from_slice(&decode(part)?).map_err(|_| "token-json")
    };
    if json(header)? != json!({ "alg": "ES256", "kid": KEY_ID, "typ": "JWT" }) {
        return Err("token-header");
    }
    let text = format!("{header}.{claims}");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key())
        .verify(text.as_bytes(), &decode(signature)?)
        .map_err(|_| "token-signature")?;
    let claims = json(claims)?;
    let number = |name: &str| claims[name].as_i64().ok_or("token-times");
    let (issued, expires) = (number("iat")?, number("exp")?);
    let now = now_ms / 1000;
    if issued > now + 60 || expires <= now || expires - issued > LONGEST_SECONDS {
        return Err("token-times");
    }
    let is_ours = claims["iss"] == ISSUER_ID
        && claims["aud"] == "appstoreconnect-v1"
        && claims["bid"] == BUNDLE_ID;
    is_ours.then_some(()).ok_or("token-claims")
}

fn public_key() -> Vec<u8> {
    let der = STANDARD
        .decode(keys::bare(keys::APPLE_API_PRIVATE))
        .expect("PEM");
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random);
    key.expect("a key on P-256").public_key().as_ref().to_vec()
}
