//! Planned faults: a trap, an error or a delay at the n-th host call of a capability, and the list of the
//! calls that were made. For tests; without a plan's holder nothing is counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The text of an injected error.
pub const INJECTED: &str = "injected fault";

/// What a host call reaches.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// SQLite databases.
    Sqlite,
    /// PostgreSQL servers.
    Postgres,
    /// Key-value stores.
    KeyValue,
    /// Variables.
    Variables,
    /// Outgoing HTTP requests.
    Http,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Target {
    Any,
    #[serde(untagged)]
    One(Capability),
}

/// Whether the call has had its effect when the fault comes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum When {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Trap,
    Error,
    Delay,
}

/// One planned fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    capability: Target,
    /// Counted from 1, over the calls that `capability` and `component` match.
    nth: u64,
    when: When,
    kind: Kind,
    #[serde(default)]
    delay_ms: u64,
    component: Option<String>,
}

/// One host call that was made.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    component: Arc<str>,
    capability: Capability,
    operation: &'static str,
}

/// The plan and what has been seen of it.
#[derive(Default)]
pub struct Faults(Mutex<State>);

#[derive(Default)]
struct State {
    planned: Vec<Planned>,
    calls: Vec<Call>,
}

struct Planned {
    fault: Fault,
    seen: u64,
}

/// How a call goes on where a fault struck.
enum Blow {
    Nothing,
    Error,
    Trap,
}

impl Faults {
    /// Starts over with a plan.
    pub fn plan(&self, faults: Vec<Fault>) {
        let planned = faults
            .into_iter()
            .map(|fault| Planned { fault, seen: 0 })
            .collect();
        *self.state() = State {
            planned,
            calls: Vec::new(),
        };
    }

    /// The calls since the last plan, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Counts a call; the fault that strikes it, if one does.
    fn count(&self, call: Call) -> Option<Fault> {
        let mut state = self.state();
        let mut struck = None;
        for planned in &mut state.planned {
            if planned.fault.concerns(&call) {
                planned.seen += 1;
                if planned.seen == planned.fault.nth {
                    struck = Some(planned.fault.clone());
                }
            }
        }
        state.calls.push(call);
        struck
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn concerns(&self, call: &Call) -> bool {
        let capability = match self.capability {
            // Reading a variable has no effect that could be lost.
            Target::Any => call.capability != Capability::Variables,
            Target::One(capability) => capability == call.capability,
        };
        capability
            && self
                .component
                .as_deref()
                .is_none_or(|component| component == &*call.component)
    }

    async fn strike(&self) -> Blow {
        match self.kind {
            Kind::Trap => Blow::Trap,
            Kind::Error => Blow::Error,
            Kind::Delay => {
                tokio::time::sleep(Duration::from_millis(self.delay_ms)).await;
                Blow::Nothing
            }
        }
    }
}

/// Stands between a component's host call and its effect.
pub struct Guard {
    fault: Option<Fault>,
}

/// The component dies here.
#[derive(Debug)]
pub struct InjectedTrap;

impl std::fmt::Display for InjectedTrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("injected trap")
    }
}

impl std::error::Error for InjectedTrap {}

impl Guard {
    /// Counts the call where somebody plans faults.
    pub fn new(
        faults: Option<&Arc<Faults>>,
        component: &Arc<str>,
        capability: Capability,
        operation: &'static str,
    ) -> Self {
        let fault = faults.and_then(|faults| {
            faults.count(Call {
                component: component.clone(),
                capability,
                operation,
            })
        });
        Self { fault }
    }

    /// Runs the effect, or not, as planned. `error` makes the interface's own error of a text.
    ///
    /// # Errors
    /// The outer error is the planned trap.
    pub async fn run<T, E>(
        self,
        error: fn(String) -> E,
        effect: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, InjectedTrap> {
        let Some(fault) = self.fault else {
            return Ok(effect.await);
        };
        if fault.when == When::Before {
            match fault.strike().await {
                Blow::Nothing => {}
                Blow::Error => return Ok(Err(error(INJECTED.to_owned()))),
                Blow::Trap => return Err(InjectedTrap),
            }
            return Ok(effect.await);
        }
        let outcome = effect.await;
        match fault.strike().await {
            Blow::Nothing => Ok(outcome),
            Blow::Error => Ok(Err(error(INJECTED.to_owned()))),
            Blow::Trap => Err(InjectedTrap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plan: serde_json::Value) -> Arc<Faults> {
        let faults = Arc::new(Faults::default());
        faults.plan(serde_json::from_value(plan).unwrap());
        faults
    }

    async fn call(faults: &Arc<Faults>, capability: Capability, component: &str) -> &'static str {
        let guard = Guard::new(Some(faults), &component.into(), capability, "get");
        match guard.run(|text| text, async { Ok(()) }).await {
            Ok(Ok(())) => "ok",
            Ok(Err(_)) => "error",
            Err(InjectedTrap) => "trap",
        }
    }

    #[tokio::test]
    async fn the_nth_call_of_the_capability_is_struck_once() {
        let faults = faults(serde_json::json!([
            { "capability": "sqlite", "nth": 2, "when": "before", "kind": "error" }
        ]));
        let mut outcomes = Vec::new();
        for capability in [
            Capability::Sqlite,
            Capability::Http,
            Capability::Sqlite,
            Capability::Sqlite,
        ] {
            outcomes.push(call(&faults, capability, "a").await);
        }
        assert_eq!(outcomes, ["ok", "ok", "error", "ok"]);
        assert_eq!(faults.calls().len(), 4);
    }

    #[tokio::test]
    async fn any_leaves_variables_out_and_a_component_can_be_named() {
        let faults = faults(serde_json::json!([
            { "capability": "any", "nth": 1, "when": "after", "kind": "trap", "component": "b" }
        ]));
        assert_eq!(call(&faults, Capability::KeyValue, "a").await, "ok");
        assert_eq!(call(&faults, Capability::Variables, "b").await, "ok");
        assert_eq!(call(&faults, Capability::KeyValue, "b").await, "trap");
    }
}
