//! `/internal/due`: alerts about requests whose time runs out, telling people what became of theirs, and notices to
//! recipients.

use shared::chain::Part;
use shared::http::{Answer, Context, Problem};

use crate::{alert, delivery, telling};

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
    let part = match done {
        0 => delivery::deliver(cx)?,
        _ => Part { done, more: true },
    };
    Ok(Answer::ok(&part))
}
