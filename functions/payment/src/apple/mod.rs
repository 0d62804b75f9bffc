//! Apple's in-app purchases (clause V19): transactions and notifications that the App Store has signed, and
//! asking the App Store for a transaction.
//!
//! Pure but for [`Store::configured`]: sending is [`shared::outbound`]'s. Facts are those of
//! <https://developer.apple.com/documentation/appstoreservernotifications> and
//! <https://developer.apple.com/documentation/appstoreserverapi>; what these leave open is done as Apple's own
//! library does it (`apple/app-store-server-library-node`, `jws_verification.ts`). Whether a certificate was
//! revoked is not asked for: that is a call to Apple at every notification, and another thing that can be away.

mod api;
mod certificate;
mod jws;
mod notification;
mod transaction;

pub use api::{AnswerError, Api};
pub use jws::JwsError;
pub use notification::{Event, Named, Notification, NotificationError};
pub use transaction::{Share, Transaction, is_transaction_id};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::log;
use shared::variables::{self, Misconfigured};

const BUNDLE_ID: &str = "apple_bundle_id";
const APP_APPLE_ID: &str = "apple_app_apple_id";
const ENVIRONMENT: &str = "apple_environment";
const ROOT_CERTIFICATES: &str = "apple_root_certificates";

/// Apple Root CA - G3, from <https://www.apple.com/certificateauthority/>.
const ROOT: &[u8] = include_bytes!("../../data/AppleRootCA-G3.cer");

/// Our app in the App Store.
pub struct Store {
    bundle_id: String,
    environment: Environment,
    /// In DER.
    roots: Vec<Vec<u8>>,
}

/// Which App Store. In the sandbox nobody pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Environment {
    /// Where purchases are paid; the app's number there.
    Production(i64),
    /// Where testers, and Apple's reviewers, buy for nothing.
    Sandbox,
}

impl Environment {
    fn name(self) -> &'static str {
        match self {
            Self::Production(_) => "Production",
            Self::Sandbox => "Sandbox",
        }
    }
}

/// Something that the App Store has signed.
#[derive(Debug, PartialEq, Eq)]
pub enum Signed<T> {
    /// For our app, in our environment.
    Ours(T),
    /// For another app, or in another environment.
    Foreign(Foreign),
}

/// Whom something is for that is not for us, as far as it looks like names.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The app.
    pub bundle_id: String,
    /// Which App Store.
    pub environment: String,
    /// The app's number there, if it is told.
    pub app_apple_id: Option<i64>,
}

impl Foreign {
    fn new(bundle_id: &str, environment: &str, app_apple_id: Option<i64>) -> Self {
        Self {
            bundle_id: log::code(bundle_id),
            environment: log::code(environment),
            app_apple_id,
        }
    }
}

impl Store {
    /// The app as variables describe it:
    ///
    /// - `apple_bundle_id`;
    /// - `apple_environment`: `Production` or `Sandbox`;
    /// - `apple_app_apple_id`: the app's number in the App Store, needed in production;
    /// - `apple_root_certificates`: PEM, one after the other; Apple Root CA - G3 if empty.
    ///
    /// # Errors
    /// A variable is not declared, or cannot be used.
    pub fn configured() -> Result<Self, Misconfigured> {
        Self::from_variables(variables::text)
    }

    fn from_variables(
        text: impl Fn(&'static str) -> Result<String, Misconfigured>,
    ) -> Result<Self, Misconfigured> {
        let unusable = |variable| move || Misconfigured { variable };
        let bundle_id = Some(text(BUNDLE_ID)?).filter(|id| !id.is_empty());
        let environment = match text(ENVIRONMENT)?.as_str() {
            "Production" => {
                let id = text(APP_APPLE_ID)?.parse().ok();
                Environment::Production(id.ok_or_else(unusable(APP_APPLE_ID))?)
            }
            "Sandbox" => Environment::Sandbox,
            _ => return Err(unusable(ENVIRONMENT)()),
        };
        let roots = roots(&text(ROOT_CERTIFICATES)?);
        Ok(Self {
            bundle_id: bundle_id.ok_or_else(unusable(BUNDLE_ID))?,
            environment,
            roots: roots.ok_or_else(unusable(ROOT_CERTIFICATES))?,
        })
    }

    /// Whether something is about our app, as far as the bundle tells.
    fn owns(&self, bundle_id: &str, environment: &str) -> bool {
        bundle_id == self.bundle_id && environment == self.environment.name()
    }

    /// Whether this is the app's number, which comes with every notification in production, and must
    /// (`verifyNotification` in `jws_verification.ts`).
    fn is_numbered(&self, app_apple_id: Option<i64>) -> bool {
        match self.environment {
            Environment::Production(ours) => app_apple_id == Some(ours),
            Environment::Sandbox => true,
        }
    }
}

fn roots(text: &str) -> Option<Vec<Vec<u8>>> {
    if text.trim().is_empty() {
        return Some(vec![ROOT.to_vec()]);
    }
    let decode = |part: &str| {
        let base64: String = part
            .replace("-----END CERTIFICATE-----", "")
            .split_whitespace()
            .collect();
        let der = STANDARD.decode(base64).ok()?;
        certificate::Certificate::read(&der)
            .is_some()
            .then_some(der)
    };
    let parts = text.split("-----BEGIN CERTIFICATE-----");
    parts
        .filter(|part| !part.trim().is_empty())
        .map(decode)
        .collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};
    use shared::crypto::hex;

    use super::*;

    /// The app of Apple's test vectors.
    pub(super) fn example(environment: &str) -> Store {
        let root = STANDARD.encode(include_bytes!("../../testdata/apple/testCA.der"));
        store(environment, &root).unwrap()
    }

    /// Another app, of the same roots.
    pub(super) fn another() -> Store {
        Store {
            bundle_id: "com.example.other".to_owned(),
            ..example("Sandbox")
        }
    }

    fn store(environment: &str, roots: &str) -> Result<Store, &'static str> {
        let store = Store::from_variables(|variable| {
            Ok(match variable {
                BUNDLE_ID => "com.example",
                APP_APPLE_ID => "1234",
                ENVIRONMENT => environment,
                ROOT_CERTIFICATES => roots,
                _ => "",
            }
            .to_owned())
        });
        store.map_err(|Misconfigured { variable }| variable)
    }

    // The fingerprint that Apple publishes.
    #[test]
    fn the_root_is_apples() {
        assert_eq!(
            hex(&Sha256::digest(ROOT)),
            "63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179"
        );
        assert_eq!(store("Sandbox", "").unwrap().roots, [ROOT]);
    }

    #[test]
    fn roots_are_pem_or_the_base64_within() {
        let base64 = STANDARD.encode(ROOT);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        assert_eq!(store("Sandbox", &base64).unwrap().roots, [ROOT]);
        assert_eq!(
            store("Sandbox", &format!("{pem}{pem}")).unwrap().roots,
            [ROOT, ROOT]
        );
        for broken in ["x", "AAAA", &base64[4..]] {
            assert_eq!(store("Sandbox", broken).err(), Some(ROOT_CERTIFICATES));
        }
    }

    #[test]
    fn only_the_two_stores_are_environments() {
        for environment in ["", "Xcode", "LocalTesting", "production"] {
            assert_eq!(store(environment, "").err(), Some(ENVIRONMENT));
        }
    }

    #[test]
    fn another_bundle_number_or_environment_is_foreign() {
        let production = store("Production", "").unwrap();
        assert!(production.owns("com.example", "Production"));
        assert!(!production.owns("com.example", "Sandbox"));
        assert!(!production.owns("com.exampl", "Production"));
        assert!(production.is_numbered(Some(1234)));
        assert!(!production.is_numbered(Some(1235)));
        assert!(!production.is_numbered(None));
        let sandbox = example("Sandbox");
        assert!(sandbox.owns("com.example", "Sandbox") && sandbox.is_numbered(None));
    }
}
