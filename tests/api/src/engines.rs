//! One test, two databases.

/// Makes of each `fn name(app: App) { … }` the tests `name::sqlite` and `name::postgres`, each with an
/// application of its own; `fn name(builder: Builder)` takes one that is not started yet. With
/// `[stand_in]` in front, the test is skipped by name on a host without a clock and faults to steer.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* $([$needs:ident])? fn $name:ident($app:ident: $given:ident) $body:block)*) => {
        $($(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "a test need not use all that its file does")]
            use super::*;

            #[allow(unused_mut, reason = "not every test changes its application")]
            fn run(mut $app: $given) $body

            #[test]
            fn sqlite() {
                $($crate::require!($needs, concat!(module_path!(), "::sqlite"));)?
                run($given::prepare($crate::Engine::Sqlite));
            }

            #[test]
            fn postgres() {
                $($crate::require!($needs, concat!(module_path!(), "::postgres"));)?
                run($given::prepare($crate::Engine::Postgres));
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
