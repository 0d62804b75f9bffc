//! Planned faults: a trap, an error or a hold at the n-th host call of a capability, and the list of the
//! calls that were made. For tests; without a plan's holder nothing is counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

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
    /// The call waits until there is another plan.
    Hold,
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
pub struct Faults {
    state: Mutex<State>,
    /// How many plans there were.
    plans: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    planned: Vec<Planned>,
    calls: Vec<Call>,
}

struct Planned {
    fault: Fault,
    seen: u64,
}

/// A fault that came.
struct Struck {
    when: When,
    kind: Kind,
    next_plan: watch::Receiver<u64>,
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
        let mut state = self.state();
        *state = State {
            planned,
            calls: Vec::new(),
        };
        self.plans.send_modify(|plans| *plans += 1);
    }

    /// The calls since the last plan, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Counts a call; what strikes it, if something does.
    fn count(&self, call: Call) -> Option<Struck> {
        let mut state = self.state();
        let mut struck = None;
        for planned in &mut state.planned {
            if planned.fault.concerns(&call) {
                planned.seen += 1;
                if planned.seen == planned.fault.nth {
                    struck = Some(Struck {
                        when: planned.fault.when,
                        kind: planned.fault.kind,
                        next_plan: self.plans.subscribe(),
                    });
                }
            }
        }
        state.calls.push(call);
        struck
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
}

impl Struck {
    async fn strike(&mut self) -> Blow {
        match self.kind {
            Kind::Trap => Blow::Trap,
            Kind::Error => Blow::Error,
            Kind::Hold => {
                // It fails only where nobody can plan any more.
                let _ = self.next_plan.changed().await;
                Blow::Nothing
            }
        }
    }
}

/// Stands between a component's host call and its effect.
pub struct Guard {
    struck: Option<Struck>,
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
        let struck = faults.and_then(|faults| {
            faults.count(Call {
                component: component.clone(),
                capability,
                operation,
            })
        });
        Self { struck }
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
        let Some(mut struck) = self.struck else {
            return Ok(effect.await);
        };
        if struck.when == When::Before {
            match struck.strike().await {
                Blow::Nothing => {}
                Blow::Error => return Ok(Err(error(INJECTED.to_owned()))),
                Blow::Trap => return Err(InjectedTrap),
            }
            return Ok(effect.await);
        }
        let outcome = effect.await;
        match struck.strike().await {
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
    async fn a_held_call_goes_on_at_the_next_plan() {
        let faults = faults(serde_json::json!([
            { "capability": "sqlite", "nth": 1, "when": "before", "kind": "hold" }
        ]));
        let mut held = Box::pin(call(&faults, Capability::Sqlite, "a"));
        let waker = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(held.as_mut().poll(waker).is_pending());
        assert_eq!(call(&faults, Capability::Sqlite, "a").await, "ok");
        assert!(held.as_mut().poll(waker).is_pending());
        faults.plan(Vec::new());
        assert_eq!(held.await, "ok");
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
