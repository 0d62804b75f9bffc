//! `/internal/due`: alerts about requests whose time runs out, telling people what became of theirs, and notices to
//! recipients.

use serde::Serialize;
use shared::http::{Answer, Context, Problem};

use crate::{alert, delivery, telling};

/// What was done, and whether to call again at once.
#[derive(Serialize)]
struct Part {
    done: usize,
    more: bool,
}

/// Does a part of what is due: one alert, of at most ten requests; or else the announcements about at most ten; or
/// else at most three notices to recipients. So it takes less than the twenty seconds that another component waits for
/// it.
///
/// # Errors
/// The variables are unusable, there is no agreement with who delivers, or the database failed.
pub fn due(cx: &Context) -> Result<Answer, Problem> {
    let mut done = alert::alert(cx)?;
    if done == 0 {
        done = telling::tell(cx)?;
    }
    let (done, more) = if done > 0 {
        (done, true)
    } else {
        delivery::deliver(cx)?
    };
    Ok(Answer::ok(&Part { done, more }))
}
