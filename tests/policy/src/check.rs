//! Whether the table and the tests agree.

use std::collections::BTreeSet;

use crate::clause::{Clause, Status};
use crate::mark::Mark;

/// What is wrong, in words; nothing if they agree.
pub(crate) fn faults(clauses: &[Clause], marks: &[Mark]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut known = BTreeSet::new();
    for clause in clauses {
        let Clause { id, status, .. } = clause;
        if !known.insert(*id) {
            faults.push(format!("clauses.tsv has clause {id} twice"));
        }
        let mut of_it = marks.iter().filter(|mark| mark.clause == *id);
        let status_name = status.name();
        match status {
            Status::Proven | Status::Partly if !of_it.any(|mark| mark.is_test) => {
                faults.push(format!(
                    "clause {id} is declared {status_name}, and no test has its mark"
                ));
            }
            Status::Open => faults.extend(of_it.map(|mark| {
                format!(
                    "clause {id} is declared {status_name}, and {}: {} has its mark",
                    mark.file, mark.function
                )
            })),
            Status::Proven | Status::Partly => {}
        }
    }
    let unknown = marks.iter().filter(|mark| !known.contains(&*mark.clause));
    faults.extend(unknown.map(|mark| {
        format!(
            "{}: {}: there is no clause {}",
            mark.file, mark.function, mark.clause
        )
    }));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause;

    /// What is wrong with these clauses (`R1 open`) and these marks (`R1 test`, `R1 helper`).
    fn wrong(clauses: &[&str], marks: &[&str]) -> Vec<String> {
        let line = |given: &&str| {
            let (id, status) = given.split_once(' ').expect("id and status");
            let still_open = if status == "partly" { "the rest" } else { "-" };
            format!("\n{id}\tF\t{status}\t{still_open}\ta\tb")
        };
        let table: String = clauses.iter().map(line).collect();
        let mark = |given: &&str| {
            let (clause, function) = given.split_once(' ').expect("clause and function");
            Mark {
                clause: clause.to_owned(),
                file: "f.rs".to_owned(),
                function: function.to_owned(),
                is_test: function == "test",
            }
        };
        let marks: Vec<_> = marks.iter().map(mark).collect();
        faults(&clause::read(&table).unwrap(), &marks)
    }

    #[test]
    fn what_agrees_has_no_fault() {
        let clauses = ["R1 proven", "R2 partly", "R3 open"];
        let none: [&str; 0] = [];
        assert_eq!(wrong(&clauses, &["R1 test", "R1 helper", "R2 test"]), none);
    }

    #[test]
    fn a_clause_that_is_proven_without_a_test_is_a_fault() {
        for status in ["proven", "partly"] {
            let expected = format!("clause R1 is declared {status}, and no test has its mark");
            let clause = format!("R1 {status}");
            assert_eq!(wrong(&[&clause], &[]), [&*expected]);
            assert_eq!(wrong(&[&clause], &["R1 helper"]), [&*expected]);
        }
    }

    #[test]
    fn an_open_clause_with_a_test_is_a_fault() {
        assert_eq!(
            wrong(&["R1 open"], &["R1 test"]),
            ["clause R1 is declared open, and f.rs: test has its mark"]
        );
    }

    #[test]
    fn a_mark_of_no_clause_is_a_fault() {
        assert_eq!(
            wrong(&["R1 proven"], &["R1 test", "R9 test"]),
            ["f.rs: test: there is no clause R9"]
        );
    }

    #[test]
    fn a_clause_that_comes_twice_is_a_fault() {
        assert_eq!(
            wrong(&["R1 open", "R1 open"], &[]),
            ["clauses.tsv has clause R1 twice"]
        );
    }
}
