//! `/internal/due`: alerts about requests whose time runs out, and notices to recipients.

use serde::Serialize;
use shared::http::{Answer, Context, Problem};

use crate::{alert, delivery};

/// What was done, and whether to call again at once.
#[derive(Serialize)]
struct Part {
    done: usize,
    more: bool,
}

/// Does a part of what is due: one alert, of at most ten requests, or else at most three notices. So it takes less
/// than the twenty seconds that another component waits for it.
///
/// # Errors
/// The variables are unusable, there is no agreement with who delivers, or the database failed.
pub fn due(cx: &Context) -> Result<Answer, Problem> {
    let alerted = alert::alert(cx)?;
    let (done, more) = if alerted > 0 {
        (alerted, true)
    } else {
        delivery::deliver(cx)?
    };
    Ok(Answer::ok(&Part { done, more }))
}
