//! The order in which a copy is built: every table that a copy has, a page at a time; the files that the service keeps
//! itself, one at a time; links to those in the object store; the mail.

use std::fmt;

use shared::data_map::{Holding, TABLES};
use uuid::Uuid;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The rows of this table after the one with this key.
    Rows(&'static str, String),
    /// The first file after this upload.
    Files(Option<Uuid>),
    /// The links to the files after this upload.
    Links(Option<Uuid>),
    /// The token, and then the mail.
    Mail,
}

/// The tables that a copy has, in the order of the data map.
pub fn tables() -> impl Iterator<Item = &'static Holding> {
    TABLES.iter().filter(|table| table.copy.is_some())
}

impl Step {
    /// The first one.
    pub fn first() -> Self {
        let first = tables().next().expect("a copy has tables");
        Self::Rows(first.name, String::new())
    }

    /// What follows a table's last page.
    pub fn after_table(name: &str) -> Self {
        let mut following = tables().skip_while(|table| table.name != name).skip(1);
        match following.next() {
            Some(table) => Self::Rows(table.name, String::new()),
            None => Self::Files(None),
        }
    }

    /// Reads the text form; `None` for any other text, such as that of a table which is gone.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let id = |text: &str| match text {
            "" => Some(None),
            id => id.parse().ok().map(Some),
        };
        match (parts.next()?, parts.next(), parts.next()) {
            ("rows", Some(name), Some(after)) => {
                let table = tables().find(|table| table.name == name)?;
                Some(Self::Rows(table.name, after.to_owned()))
            }
            ("files", Some(after), None) => id(after).map(Self::Files),
            ("links", Some(after), None) => id(after).map(Self::Links),
            ("mail", None, None) => Some(Self::Mail),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |id: &Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        match self {
            Self::Rows(table, after) => write!(f, "rows:{table}:{after}"),
            Self::Files(after) => write!(f, "files:{}", text(after)),
            Self::Links(after) => write!(f, "links:{}", text(after)),
            Self::Mail => f.write_str("mail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // clause R6
    #[test]
    fn every_table_of_a_copy_has_its_turn_once() {
        let mut step = Step::first();
        let mut seen = Vec::new();
        while let Step::Rows(name, _) = step {
            seen.push(name);
            step = Step::after_table(name);
        }
        assert_eq!(step, Step::Files(None));
        assert_eq!(seen, tables().map(|table| table.name).collect::<Vec<_>>());
        assert!(seen.len() > 15);
    }

    #[test]
    fn a_text_of_no_step_is_none() {
        for text in [
            "",
            "rows",
            "rows:nothing:",
            "rows:accounts",
            "files",
            "files:x",
            "mail:",
            "mailing",
        ] {
            assert_eq!(Step::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_step_reads_back(after: String, id: u128, some: bool) {
            let id = some.then(|| Uuid::from_u128(id));
            for step in [Step::Rows("profiles", after), Step::Files(id), Step::Links(id), Step::Mail] {
                prop_assert_eq!(Step::parse(&step.to_string()), Some(step));
            }
        }
    }
}
