//! `/internal/execute`: what is due of deletions. Nothing runs in the background on Spin, so the sweep calls it.

use shared::chain::Part;
use shared::erasure;
use shared::http::{Answer, Context, Problem};
use shared::log::Level;

use crate::plan::{self, Plan};
use crate::{aftermath, execution};

/// The most accounts that one call deletes.
const MOST: i64 = 5;
/// The most of them that were stopped before: whatever stops them leaves room for others.
const MOST_STOPPED: i64 = 2;
/// The most that it forgets of those who are gone.
const MOST_FORGOTTEN: i64 = 50;

/// Finishes deletions that were stopped, executes those whose time has come, and forgets what is left of old ones.
///
/// # Errors
/// A store failed; what was not done is still due. One account's failure holds up no other's: it is tried again later,
/// and there is room for others meanwhile.
pub fn create(cx: &Context) -> Result<Answer, Problem> {
    let mut executed = 0;
    let stopped = plan::unfinished(cx, MOST_STOPPED)?;
    let due = plan::due(cx, MOST - count(stopped.len()))?;
    let full = count(stopped.len()) == MOST_STOPPED || count(stopped.len() + due.len()) == MOST;
    for plan in &stopped {
        let again = plan.put_off(cx).map(|()| Some(plan));
        executed += carry_out(cx, again.as_ref().map(Option::as_deref));
    }
    for account_id in due {
        let plan = plan::begin(cx, account_id);
        executed += carry_out(cx, plan.as_ref().map(Option::as_ref));
    }
    let tombstones = aftermath::forget_tombstones(cx, MOST_FORGOTTEN)?;
    let proofs = aftermath::forget_proofs(cx, MOST_FORGOTTEN)?;
    let forgotten = count(tombstones.max(proofs));
    erasure::copy_rest(cx);
    erasure::forget(cx, aftermath::backup_days()?)?;
    Ok(Answer::ok(&Part {
        done: executed + tombstones + proofs,
        more: (full && executed > 0) || forgotten == MOST_FORGOTTEN,
    }))
}

/// 1 if it was carried out.
fn carry_out(cx: &Context, plan: Result<Option<&Plan>, &Problem>) -> usize {
    let failed = match plan {
        Ok(None) => return 0,
        Ok(Some(plan)) => execution::carry_out(cx, plan).is_err(),
        Err(_) => true,
    };
    if failed {
        cx.log(Level::Error, "deletion-stopped", &[]);
    }
    usize::from(!failed)
}

fn count(some: usize) -> i64 {
    i64::try_from(some).unwrap_or(i64::MAX)
}
