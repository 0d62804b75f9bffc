//! Sealing values as the application does, for rows that are put in behind its back.

use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::app::App;
use crate::database::{Cell, Engine};
use crate::people::Person;

impl App {
    /// `plain` sealed under a person's key and bound to `context`, as the text that a statement takes.
    pub fn sealed(&self, person: &Person, context: &str, plain: &str) -> String {
        let key = self.person_key(person);
        let nonce = [7; 12];
        let payload = Payload {
            msg: plain.as_bytes(),
            aad: context.as_bytes(),
        };
        let sealed = cipher(&key)
            .encrypt(&Nonce::from(nonce), payload)
            .expect("a short text");
        self.bytes(&[&nonce[..], &sealed].concat())
    }

    /// Bytes as the text that a statement takes.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let hex = shared::crypto::hex(bytes);
        match self.database().engine() {
            Engine::Sqlite => format!("X'{hex}'"),
            Engine::Postgres => format!("'\\x{hex}'::BYTEA"),
        }
    }

    /// The person's data key, unwrapped with the application's.
    fn person_key(&self, person: &Person) -> Vec<u8> {
        let row = self.database().rows(&format!(
            "SELECT person_key_id FROM accounts WHERE id = '{}'",
            person.account_id
        ));
        let [Cell::Text(id)] = &row[0][..] else {
            panic!("no key: {row:?}");
        };
        let name = format!("person-key:{id}");
        let entries = self.key_value();
        let wrapped = entries.iter().find(|(key, _)| *key == name);
        let (_, wrapped) = wrapped.expect("the key is in the key-value store");
        let secret = STANDARD.decode(self.variable("application_key"));
        let mut wrapping = [0; 32];
        Hkdf::<Sha256>::new(None, &secret.expect("base64"))
            .expand(b"chuangrenmai/person-key-wrap", &mut wrapping)
            .expect("32 bytes");
        let (nonce, msg) = wrapped.split_first_chunk::<12>().expect("a nonce");
        let payload = Payload {
            msg,
            aad: name.as_bytes(),
        };
        let opened = cipher(&wrapping).decrypt(&Nonce::from(*nonce), payload);
        opened.expect("it was wrapped with this key")
    }
}

fn cipher(key: &[u8]) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key).expect("32 bytes")
}
