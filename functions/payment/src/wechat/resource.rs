//! The encrypted part of a notification: AES-256-GCM under the APIv3 key, as `utils/aes.go` of
//! `wechatpay-go` decrypts it.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Merchant;

#[derive(Deserialize)]
pub(super) struct Resource {
    /// What it was before, such as `transaction`.
    pub original_type: String,
    algorithm: String,
    nonce: String,
    associated_data: Option<String>,
    /// With the tag at its end, in base64.
    ciphertext: String,
}

impl Merchant {
    /// `None` if it is not encrypted as documented, or not under our key.
    pub(super) fn decrypt(&self, resource: &Resource) -> Option<Vec<u8>> {
        if resource.algorithm != "AEAD_AES_256_GCM" {
            return None;
        }
        let nonce: [u8; 12] = resource.nonce.as_bytes().try_into().ok()?;
        let ciphertext = STANDARD.decode(&resource.ciphertext).ok()?;
        let payload = Payload {
            msg: &ciphertext,
            aad: resource.associated_data.as_deref().unwrap_or("").as_bytes(),
        };
        Aes256Gcm::new(&self.apiv3_key.into())
            .decrypt(&Nonce::from(nonce), payload)
            .ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::{TEST_APIV3_KEY, merchant};
    use super::*;

    pub(in super::super) fn encrypted(
        plain: &[u8],
        nonce: [u8; 12],
        associated_data: &str,
    ) -> String {
        let key: [u8; 32] = TEST_APIV3_KEY.as_bytes().try_into().unwrap();
        let payload = Payload {
            msg: plain,
            aad: associated_data.as_bytes(),
        };
        let sealed = Aes256Gcm::new(&key.into()).encrypt(&Nonce::from(nonce), payload);
        STANDARD.encode(sealed.unwrap())
    }

    /// The example in `wechatpay-java`'s `AeadAesCipherTest`.
    #[test]
    fn the_sdk_s_ciphertext_is_decrypted() {
        let resource = |associated_data: &str, nonce: &str| Resource {
            original_type: String::new(),
            algorithm: "AEAD_AES_256_GCM".to_owned(),
            nonce: nonce.to_owned(),
            associated_data: Some(associated_data.to_owned()),
            ciphertext: "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=".to_owned(),
        };
        let decrypt =
            |associated_data, nonce| merchant().decrypt(&resource(associated_data, nonce));
        let plain = decrypt("associatedData", "uluk4a9R25RW");
        assert_eq!(plain.as_deref(), Some(&b"message"[..]));
        assert_eq!(decrypt("bad-associatedData", "uluk4a9R25RW"), None);
        assert_eq!(decrypt("associatedData", "bad-4a9R25RW"), None);
    }
}
