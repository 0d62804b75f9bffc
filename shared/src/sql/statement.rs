//! A statement's text, checked when it is compiled.

/// One SQL statement, in one text for both engines or in two that stand side by side.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Statement {
    /// A statement that both engines understand.
    ///
    /// # Panics
    /// In a constant, so at compile time: if the parameters are not `$1, $2, …` in order of first use
    /// (SQLite numbers them by first appearance), or if a `;` begins a second statement (SQLite would
    /// leave it out silently).
    pub const fn new(text: &'static str) -> Self {
        Self::per_engine(text, text)
    }

    /// A statement whose text differs between the engines; both take the same parameters.
    ///
    /// # Panics
    /// As [`Statement::new`].
    pub const fn per_engine(sqlite: &'static str, postgres: &'static str) -> Self {
        assert!(
            is_single(sqlite) && is_single(postgres),
            "one statement only"
        );
        let parameters = count_in_order(sqlite);
        assert!(
            parameters == count_in_order(postgres) && parameters != OUT_OF_ORDER,
            "parameters must be numbered in order of first use, alike in both texts"
        );
        Self { sqlite, postgres }
    }

    /// The text for SQLite.
    pub const fn sqlite(&self) -> &'static str {
        self.sqlite
    }

    /// The text for PostgreSQL.
    pub const fn postgres(&self) -> &'static str {
        self.postgres
    }

    /// How many parameters it takes.
    pub const fn parameters(&self) -> usize {
        count_in_order(self.sqlite)
    }
}

const OUT_OF_ORDER: usize = usize::MAX;

const fn is_single(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b';' {
            return false;
        }
        at += 1;
    }
    true
}

const fn count_in_order(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut highest = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'$' {
            let mut number = 0;
            while at + 1 < bytes.len() && bytes[at + 1].is_ascii_digit() {
                at += 1;
                number = number * 10 + (bytes[at] - b'0') as usize;
            }
            if number == 0 || number > highest + 1 {
                return OUT_OF_ORDER;
            }
            if number > highest {
                highest = number;
            }
        }
        at += 1;
    }
    highest
}

/// Declares statements as constants, and all of them together as `STATEMENTS`, through which the tests
/// look at each one's plan on both engines.
///
/// ```
/// shared::sql::statements! {
///     /// One text for both engines.
///     FIND = "SELECT id FROM accounts WHERE phone_hash = $1";
///     /// Two texts.
///     NOW = { sqlite: "SELECT 1 WHERE 1", postgres: "SELECT 1 WHERE true" };
///     /// A text that a macro makes.
///     MADE = (concat!("SELECT ", 1));
/// }
/// assert_eq!(STATEMENTS.len(), 3);
/// assert_eq!(FIND.parameters(), 1);
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! __statements {
    ($($(#[$doc:meta])* $name:ident = $text:tt;)*) => {
        $(
            $(#[$doc])*
            pub const $name: $crate::sql::Statement = $crate::__statement!($text);
        )*
        /// Every statement of this file, by name.
        pub const STATEMENTS: &[(&str, $crate::sql::Statement)] =
            &[$((stringify!($name), $name)),*];
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __statement {
    ({ sqlite: $sqlite:expr, postgres: $postgres:expr }) => {
        $crate::sql::Statement::per_engine($sqlite, $postgres)
    };
    ($text:literal) => {
        $crate::sql::Statement::new($text)
    };
    (($text:expr)) => {
        $crate::sql::Statement::new($text)
    };
}

pub use crate::__statements as statements;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_by_first_use() {
        assert_eq!(count_in_order("SELECT 1"), 0);
        assert_eq!(count_in_order("SELECT $1, $2, $1, $3"), 3);
        assert_eq!(count_in_order("$1$2$3$4$5$6$7$8$9$10"), 10);
    }

    #[test]
    fn parameters_out_of_order_are_refused() {
        for text in ["$2", "$1 $3", "$0", "$"] {
            assert_eq!(count_in_order(text), OUT_OF_ORDER, "{text}");
        }
    }

    #[test]
    fn a_second_statement_is_refused() {
        assert!(!is_single("SELECT 1; DELETE FROM accounts"));
        assert!(is_single("SELECT 1"));
    }
}
