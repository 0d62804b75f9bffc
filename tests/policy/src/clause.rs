//! What the policy says, and how far it is kept: the table `clauses.tsv`.

/// What a clause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something that the policy says people can do.
    Feature,
    /// Something that the policy says is done, or is not.
    Promise,
    /// A third party that the policy lists.
    ThirdParty,
}

/// How far a clause is kept, as the table declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Tests show all that must be shown.
    Proven,
    /// Tests show a part of it.
    Partly,
    /// There is no such feature yet.
    Open,
}

impl Status {
    /// Every status.
    pub(crate) const ALL: [Self; 3] = [Self::Proven, Self::Partly, Self::Open];

    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Partly => "partly",
            Self::Open => "open",
        }
    }
}

/// A clause.
#[derive(Clone, Debug)]
pub(crate) struct Clause<'a> {
    /// What the tests call it.
    pub(crate) id: &'a str,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    /// Of a clause that is partly proven, what is still to be shown.
    pub(crate) still_open: Option<&'a str>,
    /// What the policy says.
    pub(crate) text: &'a str,
    /// What must be shown.
    pub(crate) shown: &'a str,
}

/// Reads the table: a line of names, then a clause a line. `-` stands for nothing.
///
/// # Errors
/// The first line that cannot be read.
pub(crate) fn read(table: &str) -> Result<Vec<Clause<'_>>, String> {
    let lines = (1..).zip(table.lines()).skip(1);
    lines
        .map(|(number, line)| clause(line).map_err(|what| format!("clauses.tsv:{number}: {what}")))
        .collect()
}

fn clause(line: &str) -> Result<Clause<'_>, &'static str> {
    let columns: Vec<_> = line.split('\t').collect();
    let [id, kind, status, still_open, text, shown] = columns[..] else {
        return Err("not six columns");
    };
    let kind = match kind {
        "F" => Kind::Feature,
        "P" => Kind::Promise,
        "V" => Kind::ThirdParty,
        _ => return Err("a kind is F, P or V"),
    };
    let status = Status::ALL
        .into_iter()
        .find(|known| known.name() == status)
        .ok_or("a status is proven, partly or open")?;
    let still_open = (still_open != "-").then_some(still_open);
    if still_open.is_some() != (status == Status::Partly) {
        return Err("what is still open is named where the status is partly, and only there");
    }
    Ok(Clause {
        id,
        kind,
        status,
        still_open,
        text,
        shown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &str = "id\tkind\tstatus\tstill open\tclause\tmust be shown";

    fn refused(line: &str) -> String {
        read(&format!("{NAMES}\n{line}\n")).unwrap_err()
    }

    #[test]
    fn a_clause_is_a_line() {
        let table = format!("{NAMES}\nR1\tF\tpartly\tthe rest\tsee one's data\teverything\n");
        let clauses = read(&table).unwrap();
        let [clause] = &clauses[..] else {
            panic!("{clauses:?}")
        };
        assert_eq!((clause.id, clause.kind), ("R1", Kind::Feature));
        assert_eq!(
            (clause.status, clause.still_open),
            (Status::Partly, Some("the rest"))
        );
        assert_eq!(
            (clause.text, clause.shown),
            ("see one's data", "everything")
        );
    }

    #[test]
    fn a_line_that_is_no_clause_is_named() {
        let number = "clauses.tsv:2: ";
        assert_eq!(refused("R1\tF\topen"), format!("{number}not six columns"));
        assert_eq!(
            refused("R1\tX\topen\t-\ta\tb"),
            format!("{number}a kind is F, P or V")
        );
        assert_eq!(
            refused("R1\tF\tdone\t-\ta\tb"),
            format!("{number}a status is proven, partly or open")
        );
    }

    #[test]
    fn only_what_is_partly_proven_says_what_is_still_open() {
        for line in [
            "R1\tF\tpartly\t-\ta\tb",
            "R1\tF\tproven\tthe rest\ta\tb",
            "R1\tF\topen\tall of it\ta\tb",
        ] {
            assert!(refused(line).ends_with("and only there"), "{line}");
        }
    }
}
