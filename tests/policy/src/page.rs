//! The readable page, `POLICY.md`.

use std::fmt::Write as _;

use crate::clause::{Clause, Kind, Status};
use crate::mark::Mark;

const HEAD: &str = "\
# The policy, clause by clause

<!-- Written by scripts/policy-report from tests/policy and the marks in the tests: change it there. -->

What the [privacy policy](functions/documents/privacy-policy.zh.txt) of 创人脉 says, clause by clause, and the tests
that show that it is kept. A test carries the mark of what it proves, such as `// clause R5`. What is asked for beyond
the policy's words is marked (ours).

- **Proven**: tests show all that must be shown.
- **Partly**: tests show a part of it; what is still open is named.
- **Open**: the feature does not exist yet.

A test of `tests/api` runs twice, as `name::sqlite` and as `name::postgres`. A helper is what several tests call.
";

/// The groups' headings.
const GROUPS: [(Kind, &str); 3] = [
    (Kind::Feature, "Features"),
    (Kind::Promise, "Promises"),
    (Kind::ThirdParty, "Third parties"),
];

/// Writes the page; `limits` ends it.
pub(crate) fn write(clauses: &[Clause], marks: &[Mark], limits: &str) -> String {
    let mut page = HEAD.to_owned();
    summary(&mut page, clauses);
    for (kind, heading) in GROUPS {
        group(&mut page, heading, &of_kind(clauses, kind), marks);
    }
    page + "\n" + limits
}

fn of_kind<'a>(clauses: &'a [Clause<'a>], kind: Kind) -> Vec<&'a Clause<'a>> {
    clauses
        .iter()
        .filter(|clause| clause.kind == kind)
        .collect()
}

fn summary(page: &mut String, clauses: &[Clause]) {
    page.push_str("\n| | proven | partly | open |\n|---|---|---|---|\n");
    let mut row = |heading: &str, clauses: &[&Clause]| {
        let counts = Status::ALL.map(|status| {
            let of_it = clauses.iter().filter(|clause| clause.status == status);
            of_it.count().to_string()
        });
        line(page, &format!("| {heading} | {} |", counts.join(" | ")));
    };
    for (kind, heading) in GROUPS {
        row(heading, &of_kind(clauses, kind));
    }
    row("All", &clauses.iter().collect::<Vec<_>>());
}

fn group(page: &mut String, heading: &str, clauses: &[&Clause], marks: &[Mark]) {
    line(page, &format!("\n## {heading}"));
    let (open, begun): (Vec<_>, Vec<_>) = clauses
        .iter()
        .copied()
        .partition(|clause| clause.status == Status::Open);
    for clause in begun {
        section(page, clause, marks);
    }
    if open.is_empty() {
        return;
    }
    line(page, &format!("\n### {heading} that are open\n"));
    line(page, "| clause | what it says | what must be shown |");
    line(page, "|---|---|---|");
    for Clause {
        id, text, shown, ..
    } in open
    {
        line(page, &format!("| {id} | {text} | {shown} |"));
    }
}

fn section(page: &mut String, clause: &Clause, marks: &[Mark]) {
    let status = match clause.status {
        Status::Proven => "Proven",
        Status::Partly => "Partly",
        Status::Open => "Open",
    };
    line(page, &format!("\n### {}\n", clause.id));
    line(page, &format!("**{status}** · {}\n", clause.text));
    line(page, &format!("Must be shown: {}\n", clause.shown));
    if let Some(still_open) = clause.still_open {
        line(page, &format!("Still open: {still_open}\n"));
    }
    let of_it: Vec<_> = marks
        .iter()
        .filter(|mark| mark.clause == clause.id)
        .collect();
    for of_file in of_it.chunk_by(|one, next| one.file == next.file) {
        let file = &of_file[0].file;
        let names: Vec<_> = of_file.iter().map(|mark| shown(mark)).collect();
        line(page, &format!("- [{file}]({file}): {}", names.join(", ")));
    }
}

fn shown(mark: &Mark) -> String {
    let helper = if mark.is_test { "" } else { " (a helper)" };
    format!("`{}`{helper}", mark.function)
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause;

    fn mark(file: &str, function: &str, is_test: bool) -> Mark {
        Mark {
            clause: "R1".to_owned(),
            file: file.to_owned(),
            function: function.to_owned(),
            is_test,
        }
    }

    #[test]
    fn a_clause_is_shown_with_its_proof_and_an_open_one_by_name() {
        let table = "\nR1\tF\tpartly\tthe rest\tsee one's data\teverything\nR7\tF\topen\t-\ta\tb\n";
        let marks = [
            mark("tests/a.rs", "one", true),
            mark("tests/a.rs", "two", false),
            mark("tests/b.rs", "three", true),
        ];
        let page = write(&clause::read(table).unwrap(), &marks, "## Limits\n");
        let expected = "\
| | proven | partly | open |
|---|---|---|---|
| Features | 0 | 1 | 1 |
| Promises | 0 | 0 | 0 |
| Third parties | 0 | 0 | 0 |
| All | 0 | 1 | 1 |

## Features

### R1

**Partly** · see one's data

Must be shown: everything

Still open: the rest

- [tests/a.rs](tests/a.rs): `one`, `two` (a helper)
- [tests/b.rs](tests/b.rs): `three`

### Features that are open

| clause | what it says | what must be shown |
|---|---|---|
| R7 | a | b |

## Promises

## Third parties

## Limits
";
        assert_eq!(page.strip_prefix(HEAD).unwrap(), format!("\n{expected}"));
    }
}
