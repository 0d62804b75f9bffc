//! Asking the App Store for a transaction: the App Store Server API
//! (<https://developer.apple.com/documentation/appstoreserverapi/get-transaction-info>), with the token of
//! <https://developer.apple.com/documentation/appstoreserverapi/generating-json-web-tokens-for-api-requests>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request, Response, StatusCode, Uri, header};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};

use super::jws::JwsError;
use super::{Signed, Store, Transaction};

const ISSUER_ID: &str = "apple_issuer_id";
const KEY_ID: &str = "apple_key_id";
const PRIVATE_KEY: &str = "apple_private_key";
const API_HOST: &str = "apple_api_host";

/// Apple takes tokens of an hour at most; this one is used once.
const TOKEN_SECONDS: i64 = 5 * 60;
/// `TransactionIdNotFoundError`, `AppTransactionIdNotFound…` and the like begin so: the transaction is not there.
const NOT_FOUND: i64 = 4_040_010;
/// `InvalidTransactionIdError`.
const INVALID_ID: i64 = 4_000_006;

/// Why an answer gives no transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// There is no such transaction.
    NotFound,
    /// Our token is not taken: people must act.
    Unauthorized,
    /// Not now.
    Unavailable,
    /// Not the documented answer.
    Malformed,
    /// It cannot be taken for the App Store's.
    Jws(JwsError),
}

/// Who we are at the App Store Server API.
pub struct Api {
    host: String,
    issuer_id: String,
    key_id: String,
    key: SigningKey,
}

impl Api {
    /// As variables describe it: `apple_issuer_id`, `apple_key_id`, `apple_private_key` (the `.p8` file's text)
    /// and `apple_api_host`.
    ///
    /// # Errors
    /// A variable is not declared, or cannot be used.
    pub fn configured() -> Result<Self, Misconfigured> {
        let key = variables::required(PRIVATE_KEY)?;
        Ok(Self {
            host: variables::required(API_HOST)?,
            issuer_id: variables::required(ISSUER_ID)?,
            key_id: variables::required(KEY_ID)?,
            key: SigningKey::from_pkcs8_pem(&key).map_err(|_| Misconfigured {
                variable: PRIVATE_KEY,
            })?,
        })
    }

    /// `GET /inApps/v1/transactions/{transactionId}`. The number must look like one.
    ///
    /// # Errors
    /// The host cannot be used.
    pub fn request(
        &self,
        store: &Store,
        transaction_id: &str,
        now: Timestamp,
    ) -> Result<Request<Vec<u8>>, Misconfigured> {
        let unusable = || Misconfigured { variable: API_HOST };
        let host = self.host.trim_end_matches('/');
        let path = format!("{host}/inApps/v1/transactions/{transaction_id}");
        let uri = Uri::try_from(path).map_err(|_| unusable())?;
        Request::builder()
            .method(Method::GET)
            .uri(uri)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.token(store, now)),
            )
            .body(Vec::new())
            .map_err(|_| unusable())
    }

    fn token(&self, store: &Store, now: Timestamp) -> String {
        let seconds = now.as_millis() / 1000;
        let header = json!({ "alg": "ES256", "kid": self.key_id, "typ": "JWT" });
        let claims = json!({
            "iss": self.issuer_id,
            "iat": seconds,
            "exp": seconds + TOKEN_SECONDS,
            "aud": "appstoreconnect-v1",
            "bid": store.bundle_id,
        });
        let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature: Signature = self
            .key
            .sign_prehash(&Sha256::digest(&signed))
            .expect("a SHA-256 hash fits the curve");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    signed_transaction_info: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    error_code: i64,
}

impl Store {
    /// Reads the answer to [`Api::request`].
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn answer(&self, answer: &Response<Vec<u8>>) -> Result<Signed<Transaction>, AnswerError> {
        match answer.status() {
            StatusCode::OK => {
                let found: Found =
                    serde_json::from_slice(answer.body()).map_err(|_| AnswerError::Malformed)?;
                self.transaction(&found.signed_transaction_info)
                    .map_err(AnswerError::Jws)
            }
            StatusCode::UNAUTHORIZED => Err(AnswerError::Unauthorized),
            StatusCode::TOO_MANY_REQUESTS => Err(AnswerError::Unavailable),
            status if status.is_server_error() => Err(AnswerError::Unavailable),
            _ => {
                let refusal: Refusal =
                    serde_json::from_slice(answer.body()).map_err(|_| AnswerError::Malformed)?;
                match refusal.error_code {
                    NOT_FOUND | INVALID_ID => Err(AnswerError::NotFound),
                    _ => Err(AnswerError::Malformed),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::hazmat::PrehashVerifier as _;

    use super::super::tests::example;
    use super::*;

    fn api() -> Api {
        Api {
            host: "https://api.storekit.apple.com/".to_owned(),
            issuer_id: "57246542-96fe-1a63-e053-0824d011072a".to_owned(),
            key_id: "2X9R4HXF34".to_owned(),
            key: SigningKey::from_slice(&[7; 32]).unwrap(),
        }
    }

    #[test]
    fn the_token_is_signed_for_our_app() {
        let now = Timestamp(1_700_000_000_500);
        let request = api()
            .request(&example("Sandbox"), "2000000123", now)
            .unwrap();
        assert_eq!(
            request.uri(),
            "https://api.storekit.apple.com/inApps/v1/transactions/2000000123"
        );
        let token = request.headers()[header::AUTHORIZATION].to_str().unwrap();
        let token = token.strip_prefix("Bearer ").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let signature = Signature::from_slice(&signature).unwrap();
        let key = api().key;
        let hash = Sha256::digest(signed);
        key.verifying_key()
            .verify_prehash(&hash, &signature)
            .unwrap();
        let claims = signed.split('.').nth(1).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["bid"], "com.example");
        assert_eq!(claims["aud"], "appstoreconnect-v1");
        assert_eq!(claims["exp"], 1_700_000_300);
    }

    #[test]
    fn refusals_are_told_apart() {
        let store = example("Sandbox");
        let answer = |status: u16, body: &str| {
            let answer = Response::builder().status(status);
            let answer = answer.body(body.as_bytes().to_vec()).unwrap();
            store.answer(&answer).unwrap_err()
        };
        let not_found = r#"{"errorCode":4040010,"errorMessage":"Transaction id not found."}"#;
        assert_eq!(answer(404, not_found), AnswerError::NotFound);
        assert_eq!(answer(404, "<html>"), AnswerError::Malformed);
        assert_eq!(answer(401, ""), AnswerError::Unauthorized);
        assert_eq!(answer(429, "{}"), AnswerError::Unavailable);
        assert_eq!(answer(500, ""), AnswerError::Unavailable);
        assert_eq!(answer(200, "{}"), AnswerError::Malformed);
        assert_eq!(
            answer(200, r#"{"signedTransactionInfo":"x"}"#),
            AnswerError::Jws(JwsError::Malformed)
        );
    }
}
