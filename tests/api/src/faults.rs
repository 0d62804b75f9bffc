//! Faults in the components' calls to their host, and the list of those calls.

use serde_json::{Value, json};

use crate::request::Wire;

/// One call that a component made to its host.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which component, by its name in the manifest.
    pub component: String,
    /// Such as `sqlite` or `key-value`.
    pub capability: String,
    /// Such as `open` or `execute`.
    pub operation: String,
}

/// The stand-in host's plan of faults.
pub struct Faults<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) control: &'a str,
}

impl Faults<'_> {
    /// The component dies at its `nth` call (from 1) that has an effect; `when` is `before` or `after`
    /// that effect. Counting starts now.
    pub fn trap(&self, nth: usize, when: &str) {
        self.plan(&[json!({ "capability": "any", "nth": nth, "when": when, "kind": "trap" })]);
    }

    /// The next `calls` calls of a capability answer an error and have no effect. Counting starts now.
    pub fn errors(&self, capability: &str, calls: usize) {
        let fault = |nth| json!({ "capability": capability, "nth": nth, "when": "before", "kind": "error" });
        let faults: Vec<_> = (1..=calls).map(fault).collect();
        self.plan(&faults);
    }

    /// The `nth` call (from 1) of a capability answers an error and has no effect. Counting starts now.
    pub fn error(&self, capability: &str, nth: usize) {
        self.plan(&[
            json!({ "capability": capability, "nth": nth, "when": "before", "kind": "error" }),
        ]);
    }

    /// The `nth` call (from 1) of a capability waits, before it has its effect, until there is another plan, such
    /// as [`Self::clear`]. Counting starts now.
    pub fn hold(&self, capability: &str, nth: usize) {
        self.plan(&[
            json!({ "capability": capability, "nth": nth, "when": "before", "kind": "hold" }),
        ]);
    }

    /// No more faults, and what is held goes on; counting starts now.
    pub fn clear(&self) {
        self.plan(&[]);
    }

    /// The calls since counting started, without those for variables.
    pub fn calls(&self) -> Vec<Call> {
        let answer = self
            .wire
            .control("GET", &format!("{}/calls", self.control), &Value::Null);
        let calls = answer["calls"].as_array().expect("a list of calls");
        let text =
            |call: &Value, member: &str| call[member].as_str().unwrap_or_default().to_owned();
        calls
            .iter()
            .map(|call| Call {
                component: text(call, "component"),
                capability: text(call, "capability"),
                operation: text(call, "operation"),
            })
            .filter(|call| call.capability != "variables")
            .collect()
    }

    fn plan(&self, faults: &[Value]) {
        let plan = json!({ "faults": faults });
        self.wire
            .control("PUT", &format!("{}/faults", self.control), &plan);
    }
}
