use super::{AppStore, Form, Which, token};

#[test]
fn a_transaction_has_three_parts_and_three_certificates() {
    let store = AppStore::start();
    let id = store.buy("p", None);
    let signed = store.signed_transaction(&id);
    assert_eq!(signed.split('.').count(), 3);
    assert!(
        store
            .notification("REFUND", &id)
            .body()
            .contains("signedPayload")
    );
}

#[test]
fn a_form_changes_what_is_signed() {
    let store = AppStore::start();
    let id = store.buy("p", None);
    let transaction = store.transaction(&id);
    let header = |form| {
        let signed = store.sign(&transaction, form);
        signed.split('.').next().expect("a header").to_owned()
    };
    let good = header(None);
    assert_eq!(header(None), good);
    for form in [
        Form::OtherRoot,
        Form::Expired(Which::Leaf),
        Form::OtherIntermediate,
        Form::Certificates(2),
        Form::Algorithm("none"),
    ] {
        assert_ne!(header(Some(form)), good, "{form:?}");
    }
}

#[test]
fn other_tokens_are_refused() {
    for (token, code) in [
        ("", "token-form"),
        ("a.b", "token-form"),
        ("?.?.?", "token-base64"),
        ("YQ.YQ.YQ", "token-json"),
        ("e30.e30.e30", "token-header"),
    ] {
        assert_eq!(token::check(token, 0), Err(code), "{token}");
    }
}
