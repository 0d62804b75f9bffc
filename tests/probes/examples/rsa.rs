//! Signs and verifies as often as it is asked to: `/?sign=1&verify=0`. What a component pays for Alipay's
//! signatures, key and all, is the difference between two such requests.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

use shared::crypto::rsa::{PrivateKey, PublicKey};
use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;

const PRIVATE_KEY: &str = include_str!("../../../shared/testdata/rsa/key-pkcs8.pem");
const PUBLIC_KEY: &str = include_str!("../../../shared/testdata/rsa/public-spki.pem");
const MESSAGE: &[u8] = include_bytes!("../../../shared/testdata/rsa/message.txt");
const SIGNATURE: &[u8] = include_bytes!("../../../shared/testdata/rsa/message.sig");

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    for pair in request.query().split('&') {
        let (operation, times) = pair.split_once('=').unwrap_or((pair, "1"));
        for _ in 0..times.parse().unwrap_or(0) {
            run(operation);
        }
    }
    Response::new(200, "ok")
}

fn run(operation: &str) {
    match operation {
        "sign" => {
            let key = PrivateKey::from_text(PRIVATE_KEY).expect("a key");
            let signature = key.sign(MESSAGE, &mut shared::random::host());
            assert_eq!(signature, SIGNATURE);
        }
        "verify" => {
            let key = PublicKey::from_text(PUBLIC_KEY).expect("a key");
            assert!(key.verify(MESSAGE, SIGNATURE).is_ok());
        }
        other => panic!("no operation {other}"),
    }
}
