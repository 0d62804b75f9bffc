//! Notifications: `{"signedPayload": …}`, with the transaction signed again inside.

use serde_json::{Value, json};

use super::{APP_APPLE_ID, AppStore, BUNDLE_ID, Form};

/// A notification to be sent; anything about it can be changed first.
#[must_use]
pub struct Notification<'a> {
    store: &'a AppStore,
    payload: Value,
    transaction: Option<Value>,
    form: Option<Form>,
    inner_form: Option<Form>,
}

impl<'a> Notification<'a> {
    pub(super) fn new(
        store: &'a AppStore,
        name: &str,
        number: u64,
        transaction: Option<Value>,
        now_ms: i64,
    ) -> Self {
        let payload = json!({
            "notificationType": name,
            "notificationUUID": format!("9ad56bd2-0bc6-42e0-af24-{number:012x}"),
            "version": "2.0",
            "signedDate": now_ms,
            "data": {
                "appAppleId": APP_APPLE_ID,
                "bundleId": BUNDLE_ID,
                "bundleVersion": "1",
                "environment": "Production",
            },
        });
        Self {
            store,
            payload,
            transaction,
            form: None,
            inner_form: None,
        }
    }

    /// Sets a member before it is signed; `pointer` is one of RFC 6901.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        *self.payload.pointer_mut(pointer).expect("a member") = value;
        self
    }

    /// Leaves a member out before it is signed; `pointer` is that of the object that has it.
    ///
    /// # Panics
    /// If there is no such object.
    pub fn without(mut self, pointer: &str, name: &str) -> Self {
        let object = self.payload.pointer_mut(pointer);
        let members = object.and_then(Value::as_object_mut);
        members.expect("an object").remove(name);
        self
    }

    /// Sets a member of the transaction before it is signed.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn with_transaction(mut self, name: &str, value: Value) -> Self {
        self.transaction.as_mut().expect("a transaction")[name] = value;
        self
    }

    /// Leaves the transaction out.
    pub fn without_transaction(mut self) -> Self {
        self.transaction = None;
        self
    }

    /// Signs it so.
    pub fn signed(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// Signs the transaction in it so.
    pub fn with_transaction_signed(mut self, form: Form) -> Self {
        self.inner_form = Some(form);
        self
    }

    /// The body of the POST.
    pub fn body(&self) -> String {
        let mut payload = self.payload.clone();
        if let Some(transaction) = &self.transaction {
            let signed = self.store.sign(transaction, self.inner_form);
            payload["data"]["signedTransactionInfo"] = json!(signed);
        }
        json!({ "signedPayload": self.store.sign(&payload, self.form) }).to_string()
    }
}
