//! The App Store: signed transactions and notifications, and the App Store Server API for single transactions.
//!
//! - What is signed and how: <https://developer.apple.com/documentation/appstoreservernotifications> and the
//!   official Node library (`jws_verification.ts`).
//! - `GET /inApps/v1/transactions/{transactionId}` and its token:
//!   <https://developer.apple.com/documentation/appstoreserverapi>.

mod authority;
mod notification;
#[cfg(test)]
mod tests;
mod token;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use serde_json::{Value, json};

use self::authority::Authority;
pub use self::authority::{Form, UntimelyRoot, Which};
pub use self::notification::Notification;
use crate::http::{Request, response};
use crate::keys;
use crate::stand_in::{Provider, Refusal, StandIn, locked};

/// The application's bundle.
pub const BUNDLE_ID: &str = "com.chuangrenmai.app";
/// Its number in the App Store.
pub const APP_APPLE_ID: i64 = 6_447_000_001;
const ISSUER_ID: &str = "57246542-96fe-1a63-e053-0824d011072a";
const KEY_ID: &str = "2X9R4HXF34";

/// A running stand-in of the App Store.
pub type AppStore = StandIn<Store>;

/// The App Store, as one application sees it.
pub struct Store {
    authority: Authority,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    transactions: BTreeMap<String, Value>,
    notifications: u64,
    calls: usize,
    forms: VecDeque<Form>,
}

impl StandIn<Store> {
    /// Starts one, with certificates of its own.
    pub fn start() -> Self {
        Self::with(Authority::new())
    }

    /// Starts one whose root certificate is not valid today.
    pub fn with_untimely_root(form: UntimelyRoot) -> Self {
        Self::with(Authority::with_untimely_root(form))
    }

    fn with(authority: Authority) -> Self {
        Self::serve(Store {
            authority,
            state: Mutex::default(),
        })
    }

    /// The application's variables for this App Store, in production.
    pub fn variables(&self) -> [(&'static str, String); 8] {
        [
            ("apple_bundle_id", BUNDLE_ID.to_owned()),
            ("apple_app_apple_id", APP_APPLE_ID.to_string()),
            ("apple_environment", "Production".to_owned()),
            (
                "apple_root_certificates",
                self.provider().authority.root_pem(),
            ),
            ("apple_issuer_id", ISSUER_ID.to_owned()),
            ("apple_key_id", KEY_ID.to_owned()),
            ("apple_private_key", keys::APPLE_API_PRIVATE.to_owned()),
            ("apple_api_host", self.url().to_owned()),
        ]
    }

    /// Somebody buys a product; the transaction's number.
    pub fn buy(&self, product_id: &str, app_account_token: Option<&str>) -> String {
        let now_ms = self.now_ms();
        let mut state = locked(&self.provider().state);
        let id = format!("2000000{:09}", state.transactions.len() + 1);
        let transaction = json!({
            "transactionId": id,
            "originalTransactionId": id,
            "bundleId": BUNDLE_ID,
            "productId": product_id,
            "purchaseDate": now_ms,
            "originalPurchaseDate": now_ms,
            "quantity": 1,
            "type": "Consumable",
            "inAppOwnershipType": "PURCHASED",
            "appAccountToken": app_account_token,
            "environment": "Production",
            "transactionReason": "PURCHASE",
            "storefront": "CHN",
            "storefrontId": "143465",
            "price": 6000,
            "currency": "CNY",
        });
        state.transactions.insert(id.clone(), transaction);
        id
    }

    /// Apple gives the money back.
    ///
    /// # Panics
    /// If there is no such transaction.
    pub fn refund(&self, id: &str) {
        let now_ms = self.now_ms();
        self.change(id, |transaction| {
            transaction["revocationDate"] = json!(now_ms);
            transaction["revocationReason"] = json!(0);
        });
    }

    /// The refund did not stand.
    ///
    /// # Panics
    /// If there is no such transaction.
    pub fn reverse_refund(&self, id: &str) {
        self.change(id, |transaction| {
            let members = transaction.as_object_mut().expect("an object");
            members.remove("revocationDate");
            members.remove("revocationReason");
        });
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let mut state = locked(&self.provider().state);
        change(state.transactions.get_mut(id).expect("a transaction"));
    }

    /// The transaction as it would be signed now.
    ///
    /// # Panics
    /// If there is no such transaction.
    pub fn transaction(&self, id: &str) -> Value {
        let state = locked(&self.provider().state);
        let mut transaction = state.transactions[id].clone();
        transaction["signedDate"] = json!(self.now_ms());
        transaction
    }

    /// Signs something as the App Store does, or in a form that must be refused.
    pub fn sign(&self, payload: &Value, form: Option<Form>) -> String {
        self.provider().authority.sign(payload, form)
    }

    /// The transaction, signed.
    ///
    /// # Panics
    /// If there is no such transaction.
    pub fn signed_transaction(&self, id: &str) -> String {
        self.sign(&self.transaction(id), None)
    }

    /// A notification about a transaction.
    ///
    /// # Panics
    /// If there is no such transaction.
    pub fn notification(&self, name: &str, id: &str) -> Notification<'_> {
        let transaction = self.transaction(id);
        let number = {
            let mut state = locked(&self.provider().state);
            state.notifications += 1;
            state.notifications
        };
        Notification::new(self, name, number, Some(transaction), self.now_ms())
    }

    /// The next transaction that is asked for is signed so, the one after it after the next call of this, then as
    /// usual.
    pub fn plan_form(&self, form: Form) {
        locked(&self.provider().state).forms.push_back(form);
    }

    /// The answer to a question about this transaction, as bytes on the wire.
    ///
    /// # Panics
    /// If there is no such transaction.
    pub fn answer_about(&self, id: &str) -> Vec<u8> {
        found(&self.signed_transaction(id))
    }

    /// How many transactions were asked for.
    pub fn calls(&self) -> usize {
        locked(&self.provider().state).calls
    }
}

impl Provider for Store {
    type Accepted = String;

    fn check(&self, request: &Request, now_ms: i64) -> Result<String, Refusal> {
        let id = request.path.strip_prefix("/inApps/v1/transactions/");
        let id = id.ok_or((404, "path"))?;
        if request.method != "GET" {
            return Err((405, "method"));
        }
        let token = request
            .header("authorization")
            .and_then(|it| it.strip_prefix("Bearer "));
        token::check(token.unwrap_or_default(), now_ms).map_err(|code| (401, code))?;
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then(|| id.to_owned()).ok_or((400, "4000006"))
    }

    fn accept(&self, id: String) -> Vec<u8> {
        let mut state = locked(&self.state);
        state.calls += 1;
        let Some(transaction) = state.transactions.get(&id) else {
            let refusal =
                json!({ "errorCode": 4_040_010, "errorMessage": "Transaction id not found." });
            return json_response(404, &refusal);
        };
        let mut transaction = transaction.clone();
        transaction["signedDate"] = transaction["purchaseDate"].clone();
        let form = state.forms.pop_front();
        let signed = self.authority.sign(&transaction, form);
        found(&signed)
    }

    fn refuse(&self, _: &Request, (status, code): Refusal) -> Vec<u8> {
        let refusal =
            json!({ "errorCode": code.parse::<i64>().unwrap_or(5_000_000), "errorMessage": code });
        json_response(status, &refusal)
    }
}

fn found(signed_transaction: &str) -> Vec<u8> {
    json_response(200, &json!({ "signedTransactionInfo": signed_transaction }))
}

fn json_response(status: u16, body: &Value) -> Vec<u8> {
    let headers = [("content-type", "application/json")];
    response("GET", status, &headers, body.to_string().as_bytes())
}
