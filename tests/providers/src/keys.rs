//! RSA keys of 2048 bits made by openssl for tests, as the texts that variables hold.

/// The application's private key, PKCS#8 as PEM.
pub const APP_PRIVATE_PKCS8: &str = include_str!("../keys/app_private_pkcs8.pem");
/// The same key, PKCS#1 as PEM.
pub const APP_PRIVATE_PKCS1: &str = include_str!("../keys/app_private_pkcs1.pem");
/// Alipay's public key, a SubjectPublicKeyInfo as PEM.
pub const ALIPAY_PUBLIC: &str = include_str!("../keys/alipay_public.pem");
/// Alipay's private key.
pub(crate) const ALIPAY_PRIVATE: &str = include_str!("../keys/alipay_private.pem");
/// The public key that WeChat Pay gives to merchants under a `PUB_KEY_ID_…`.
pub const WECHAT_PUBLIC_KEY: &str = include_str!("../keys/wechat_public_key_public.pem");
/// The private key to it.
pub(crate) const WECHAT_PUBLIC_KEY_PRIVATE: &str =
    include_str!("../keys/wechat_public_key_private.pem");
/// The public key in WeChat Pay's platform certificate, with which it signed before.
pub const WECHAT_CERTIFICATE: &str = include_str!("../keys/wechat_certificate_public.pem");
/// The private key to it.
pub(crate) const WECHAT_CERTIFICATE_PRIVATE: &str =
    include_str!("../keys/wechat_certificate_private.pem");
/// The key with which the application asks the App Store: EC P-256, PKCS#8, as the `.p8` file.
pub const APPLE_API_PRIVATE: &str = include_str!("../keys/apple-api-private.pem");
/// A private key that is nobody's.
pub(crate) const OTHER_PRIVATE: &str = include_str!("../keys/other_private.pem");

/// The bare base64 in a PEM text, which is how Alipay's console hands keys out.
pub fn bare(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}
