//! What the host does not implement it refuses at start, by name.

use crate::host::{component, manifest, refusal};

#[test]
fn an_unknown_key_of_the_manifest() {
    let text = refusal(&manifest("ai_models = [\"llama2-chat\"]"));
    assert!(
        text.contains("component.probe.ai_models: unknown field `ai_models`"),
        "{text}"
    );
}

#[test]
fn a_trigger_of_another_type() {
    let text = refusal(&manifest(
        "[[trigger.redis]]\nchannel = \"x\"\ncomponent = \"probe\"",
    ));
    assert!(
        text.contains("trigger.redis: unknown field `redis`"),
        "{text}"
    );
}

#[test]
fn an_import_that_is_not_implemented() {
    let text = refusal(&manifest(&component("stranger", "stranger")));
    assert!(text.contains("component stranger is refused"), "{text}");
    assert!(text.contains("fermyon:spin/redis@2.0.0"), "{text}");
}

#[test]
fn an_outbound_host_with_a_path() {
    let text = refusal(&manifest(
        "allowed_outbound_hosts = [\"https://example.com/path\"]",
    ));
    assert!(text.contains("https://example.com/path"), "{text}");
    assert!(text.contains("has a path"), "{text}");
}

#[test]
fn a_file_that_is_not_there() {
    let text = refusal(&manifest("[component.lost]\nsource = \"nowhere.wasm\""));
    assert!(text.contains("component lost is refused"), "{text}");
}
