//! One test, two databases.

/// Makes of each `fn name(app: App) { … }` the tests `name::sqlite` and `name::postgres`. With
/// `needs steering` in front, the tests are skipped on a host without a clock and faults to steer; a
/// `builder(…)` in front of the functions names the function that prepares each one's [`Builder`].
///
/// [`Builder`]: crate::Builder
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* $([$needs:ident])? fn $name:ident($app:ident: $type:ty) $body:block)*) => {
        $($(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "a test need not use all that its file does")]
            use super::*;

            #[allow(unused_mut, unused_variables, reason = "not every test changes its application")]
            fn run(mut $app: $type) $body

            #[test]
            fn sqlite() {
                $($crate::require!($needs, concat!(module_path!(), "::sqlite"));)?
                run(<$type>::prepare($crate::Engine::Sqlite));
            }

            #[test]
            fn postgres() {
                $($crate::require!($needs, concat!(module_path!(), "::postgres"));)?
                run(<$type>::prepare($crate::Engine::Postgres));
            }
        })*
    };
}

/// Leaves the test where the host is the official Spin, and says so.
#[macro_export]
macro_rules! require {
    (stand_in, $name:expr) => {
        if !$crate::App::host_is_stand_in() {
            println!("skipped: {} needs the stand-in host", $name);
            return;
        }
    };
}
