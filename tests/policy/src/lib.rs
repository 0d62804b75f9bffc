//! The privacy policy as a test: every clause, and the tests that prove it.
//!
//! - `clauses.tsv` is the list of all clauses, one a line: what each says, what must be shown, and the status that
//!   is declared for it: `proven`, `partly` with what is still open, or `open`. To change a clause's status, change
//!   its line and run `scripts/policy-report`.
//! - The proof is a mark above a test, `// clause R5` or `// clauses R5, R8`.
//! - `POLICY.md` is the readable page of both, and ends with `limits.md`.
//!
//! A clause that is declared proven, wholly or partly, needs a test with its mark; an open one has none; a mark names
//! a clause that there is; and the page on disk is the one that would be written.

mod check;
mod clause;
mod mark;
mod page;
mod sources;

use std::path::Path;

use clause::{Clause, Status};
use mark::Mark;

/// The page's file at the project's top.
pub const PAGE: &str = "POLICY.md";

/// Clauses and tests that agree.
#[derive(Debug)]
pub struct Policy {
    clauses: Vec<Clause<'static>>,
    marks: Vec<Mark>,
}

impl Policy {
    /// Reads the table and the marks of the project at `root`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(root: &Path) -> Result<Self, Vec<String>> {
        let clauses = clause::read(include_str!("../clauses.tsv")).map_err(|fault| vec![fault])?;
        let sources = sources::read(root).map_err(|error| vec![error.to_string()])?;
        let (mut marks, mut faults) = (Vec::new(), Vec::new());
        for (file, source) in &sources {
            match mark::read(file, source) {
                Ok(of_file) => marks.extend(of_file),
                Err(fault) => faults.push(fault),
            }
        }
        faults.extend(check::faults(&clauses, &marks));
        if faults.is_empty() {
            Ok(Self { clauses, marks })
        } else {
            Err(faults)
        }
    }

    /// The readable page.
    pub fn page(&self) -> String {
        page::write(&self.clauses, &self.marks, include_str!("../limits.md"))
    }

    /// A line a clause: its name, its status, how many tests prove it, what it says. At the end, how many have each
    /// status.
    pub fn listing(&self) -> String {
        let line = |clause: &Clause| {
            let is_proof = |mark: &&Mark| mark.is_test && mark.clause == clause.id;
            let tests = self.marks.iter().filter(is_proof).count();
            let status = clause.status.name();
            format!("{:<4} {status:<7} {tests:>3}  {}\n", clause.id, clause.text)
        };
        let count = |status: Status| {
            let of_it = self.clauses.iter().filter(|clause| clause.status == status);
            format!("{} {}", of_it.count(), status.name())
        };
        let lines: String = self.clauses.iter().map(line).collect();
        format!("{lines}{}\n", Status::ALL.map(count).join(", "))
    }
}

/// Whether the page on disk is the one that would be written.
///
/// # Errors
/// It is not, and what to do.
pub fn check_page(on_disk: &str, page: &str) -> Result<(), String> {
    if on_disk == page {
        return Ok(());
    }
    Err(format!(
        "{PAGE} is not what clauses and tests say now: run scripts/policy-report"
    ))
}

/// The project's top.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_clause_is_there() {
        let clauses = clause::read(include_str!("../clauses.tsv")).unwrap();
        let there: BTreeSet<_> = clauses.iter().map(|clause| clause.id.to_owned()).collect();
        let numbered = |letter: &'static str, last: u8| {
            (1..=last).map(move |number| format!("{letter}{number}"))
        };
        let mut all: BTreeSet<_> = [
            ("G", 4),
            ("L", 7),
            ("S", 4),
            ("E", 30),
            ("X", 1),
            ("W", 2),
            ("T", 7),
            ("D", 2),
            ("C", 3),
            ("R", 8),
            ("M", 1),
            ("N", 2),
            ("K", 1),
            ("V", 21),
        ]
        .into_iter()
        .flat_map(|(letter, last)| numbered(letter, last))
        .collect();
        // There is none: the numbers are never given again.
        all.remove("E26");
        assert_eq!(there, all);
    }

    #[test]
    fn clauses_tests_and_page_agree() {
        let policy = Policy::read(root()).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
        let on_disk = fs::read_to_string(root().join(PAGE)).unwrap_or_default();
        check_page(&on_disk, &policy.page()).unwrap_or_else(|stale| panic!("{stale}"));
    }

    #[test]
    fn a_stale_page_says_how_it_is_renewed() {
        assert_eq!(check_page("new", "new"), Ok(()));
        let stale = check_page("old", "new").unwrap_err();
        assert!(stale.ends_with("run scripts/policy-report"), "{stale}");
    }
}
