//! Functions as handlers: whatever arguments they name are found first, in their order.

use super::{Answer, Context, FromContext, Problem};

/// A function `fn(&Context, A, B, …) -> Result<Answer, E>` whose arguments are each a [`FromContext`]
/// and whose error becomes a [`Problem`].
pub trait Handler<Arguments> {
    /// Finds the arguments and calls the function.
    ///
    /// # Errors
    /// The first argument's problem, or the function's.
    fn call(self, cx: &Context) -> Result<Answer, Problem>;
}

macro_rules! handler {
    ($($argument:ident),*) => {
        impl<F, E, $($argument),*> Handler<(E, $($argument,)*)> for F
        where
            F: FnOnce(&Context, $($argument),*) -> Result<Answer, E>,
            Problem: From<E>,
            $($argument: FromContext,)*
        {
            fn call(self, cx: &Context) -> Result<Answer, Problem> {
                Ok(self(cx, $($argument::from_context(cx)?),*)?)
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
