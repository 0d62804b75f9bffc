//! Path parameters. They are taken from the path itself: not every header in which the host repeats them
//! is safe from a client's forgery.

use uuid::Uuid;

use super::{Context, FromContext, Problem};

/// The path's `{id}`. What is no identifier names nothing, so it answers 404.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub Uuid);

impl FromContext for Id {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        cx.parameter("id")
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(Problem::not_found)
    }
}
