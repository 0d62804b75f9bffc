//! Notifications: signed JSON with an encrypted resource, as `core/notify` of the official SDK reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use super::APIV3_KEY;
use super::book::china_time;
use super::signing::{Form, Signer};
use crate::encoding::sha256_hex;

/// A notification to be sent; anything about it can be changed first.
#[must_use]
pub struct Notification {
    url: String,
    event_type: String,
    original_type: String,
    content: Value,
    associated_data: Option<String>,
    apiv3_key: String,
    form: Option<Form>,
    now_ms: i64,
    nonce: String,
}

/// A notification as it is posted.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where to; empty if nothing told.
    pub url: String,
    /// The headers that matter, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Notification {
    pub(super) fn new(
        event_type: &str,
        original_type: &str,
        content: &Value,
        now_ms: i64,
        nonce: String,
    ) -> Self {
        Self {
            url: String::new(),
            event_type: event_type.to_owned(),
            original_type: original_type.to_owned(),
            content: content.clone(),
            associated_data: Some(original_type.to_owned()),
            apiv3_key: APIV3_KEY.to_owned(),
            form: None,
            now_ms,
            nonce,
        }
    }

    pub(super) fn to(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    /// Sets a member of the content before it is encrypted; `pointer` is one of RFC 6901.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        let member = self.content.pointer_mut(pointer);
        *member.expect("a member of the content") = value;
        self
    }

    /// Calls it another event than its content is.
    pub fn as_event(mut self, event_type: &str) -> Self {
        event_type.clone_into(&mut self.event_type);
        self
    }

    /// Calls its content another type than it is.
    pub fn as_original_type(mut self, original_type: &str) -> Self {
        original_type.clone_into(&mut self.original_type);
        self
    }

    /// Encrypts with this as associated data; `None` leaves the member out.
    pub fn with_associated_data(mut self, associated_data: Option<&str>) -> Self {
        self.associated_data = associated_data.map(str::to_owned);
        self
    }

    /// Encrypts under another APIv3 key, of 32 bytes.
    pub fn under_key(mut self, apiv3_key: &str) -> Self {
        apiv3_key.clone_into(&mut self.apiv3_key);
        self
    }

    /// Signs it so.
    pub fn signed(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// What is posted.
    ///
    /// # Panics
    /// If the APIv3 key has not 32 bytes.
    pub fn post(&self) -> Post {
        let body = self.body().to_string();
        let mut headers = Signer::new().headers(&body, self.now_ms, &self.nonce, self.form);
        headers.push(("content-type", "application/json".to_owned()));
        Post {
            url: self.url.clone(),
            headers,
            body,
        }
    }

    fn body(&self) -> Value {
        let content = self.content.to_string();
        let id = sha256_hex(format!("{} {content}", self.event_type));
        let nonce: [u8; 12] = *id.as_bytes().first_chunk().expect("64 digits");
        let nonce_text = &id[..nonce.len()];
        let mut resource = json!({
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": self.encrypted(&content, nonce),
            "nonce": nonce_text,
            "original_type": self.original_type,
        });
        if let Some(associated_data) = &self.associated_data {
            resource["associated_data"] = json!(associated_data);
        }
        json!({
            "id": format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..32]),
            "create_time": china_time(self.now_ms),
            "resource_type": "encrypt-resource",
            "event_type": self.event_type,
            "summary": "通知",
            "resource": resource,
        })
    }

    fn encrypted(&self, content: &str, nonce: [u8; 12]) -> String {
        let key = UnboundKey::new(&AES_256_GCM, self.apiv3_key.as_bytes());
        let key = LessSafeKey::new(key.expect("a key of 32 bytes"));
        let associated_data = self.associated_data.as_deref().unwrap_or_default();
        let mut bytes = content.as_bytes().to_vec();
        let sealed = key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated_data),
            &mut bytes,
        );
        sealed.expect("it is short");
        STANDARD.encode(bytes)
    }
}
