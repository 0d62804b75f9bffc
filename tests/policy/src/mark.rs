//! Which test proves which clause: the marks `// clause R5` and `// clauses R5, R8` in the sources.
//!
//! A mark above a function is that function's. One in the midst of a function, as beside one statement of
//! many, is the function's around it. A function that is no test is a helper of tests, and its mark counts for
//! the page alone: a clause needs a test with its name on it.

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The clause that it names, which there may not be.
    pub(crate) clause: String,
    /// The source file, from the project's top.
    pub(crate) file: String,
    /// The function that it belongs to.
    pub(crate) function: String,
    /// Whether that is a test, and not a helper.
    pub(crate) is_test: bool,
}

#[derive(Clone, Copy)]
struct Function<'a> {
    name: &'a str,
    is_test: bool,
    indent: usize,
}

/// Reads a source file, as rustfmt writes it.
///
/// # Errors
/// A mark belongs to no function of test code, or the file has no test.
pub(crate) fn read(file: &str, source: &str) -> Result<Vec<Mark>, String> {
    let mut marks = Vec::new();
    let mut waiting: Vec<&str> = Vec::new();
    let mut around: Vec<Function> = Vec::new();
    let mut engines = None;
    let mut is_test_next = false;
    let mut is_test_code = file.starts_with("tests/") || file.ends_with("/tests.rs");
    let mut has_test = false;
    for (number, line) in (1..).zip(source.lines()) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(clauses) = marked(text) {
            waiting.extend(clauses);
            continue;
        }
        if text.is_empty() || text.starts_with("//") {
            continue;
        }
        if text.starts_with("#[") {
            is_test_next |= ["#[test]", "#[tokio::test]"].contains(&text);
            is_test_code |= text == "#[cfg(test)]";
            continue;
        }
        if text.starts_with('}') {
            around.retain(|function| function.indent < indent);
            engines = engines.filter(|engines| *engines < indent);
        }
        if text == "on_both_engines! {" {
            engines = Some(indent);
        }
        let defined = name(text).map(|name| Function {
            name,
            is_test: is_test_next || engines.is_some_and(|engines| indent == engines + 4),
            indent,
        });
        has_test |= defined.is_some_and(|function| function.is_test);
        let owner = defined.or(around.last().copied());
        for clause in waiting.drain(..) {
            let Some(owner) = owner.filter(|_| is_test_code) else {
                return Err(format!(
                    "{file}:{number}: the mark of clause {clause} stands at no test"
                ));
            };
            let mark = Mark {
                clause: clause.to_owned(),
                file: file.to_owned(),
                function: owner.name.to_owned(),
                is_test: owner.is_test,
            };
            if !marks.contains(&mark) {
                marks.push(mark);
            }
        }
        around.extend(defined.filter(|_| !text.ends_with(['}', ';'])));
        is_test_next = false;
    }
    match (&marks[..], &waiting[..]) {
        (_, [clause, ..]) => Err(format!("{file}: the mark of clause {clause} ends the file")),
        ([mark, ..], _) if !has_test => Err(format!(
            "{file}: it has a mark of clause {} and no test",
            mark.clause
        )),
        _ => Ok(marks),
    }
}

/// The clauses that a line marks.
fn marked(text: &str) -> Option<impl Iterator<Item = &str>> {
    let clauses = ["// clause ", "// clauses "]
        .iter()
        .find_map(|mark| text.strip_prefix(mark))?;
    Some(clauses.split(',').map(str::trim))
}

/// The name of the function that a line begins.
fn name(text: &str) -> Option<&str> {
    let (before, after) = text.split_once("fn ")?;
    let is_qualifier = |word: &str| {
        // `[stand_in]` is of `on_both_engines!`.
        word.starts_with("pub") || word.starts_with('[') || ["async", "const"].contains(&word)
    };
    let (name, _) = after.split_once(['(', '<'])?;
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (before.split_whitespace().all(is_qualifier) && is_plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "tests/api/tests/suite/made.rs";

    fn read_in(file: &str, lines: &[&str]) -> Result<Vec<(String, String, bool)>, String> {
        let marks = read(file, &lines.join("\n"))?;
        let shown = marks.into_iter().map(|mark| {
            assert_eq!(mark.file, file);
            (mark.clause, mark.function, mark.is_test)
        });
        Ok(shown.collect())
    }

    fn mark(clause: &str, function: &str, is_test: bool) -> (String, String, bool) {
        (clause.to_owned(), function.to_owned(), is_test)
    }

    #[test]
    fn a_mark_is_of_the_test_below_it() {
        let lines = [
            "// clause R1",
            "#[test]",
            "fn one() {}",
            "",
            "#[tokio::test]",
            "// clauses R2, R3",
            "// More of why.",
            "async fn two() {",
            "    let x = 1;",
            "}",
        ];
        let expected = [
            mark("R1", "one", true),
            mark("R2", "two", true),
            mark("R3", "two", true),
        ];
        assert_eq!(read_in(FILE, &lines).unwrap(), expected);
    }

    #[test]
    fn what_runs_on_both_engines_is_a_test() {
        let lines = [
            "on_both_engines! {",
            "    // clause R1",
            "    fn plain(app: App) {",
            "        fn inner() {}",
            "        // clause R4",
            "        inner();",
            "    }",
            "",
            "    // clause R2",
            "    [stand_in] fn steered(builder: Builder) {",
            "    }",
            "}",
            "",
            "// clause R3",
            "fn helper() {}",
        ];
        let expected = [
            mark("R1", "plain", true),
            mark("R4", "plain", true),
            mark("R2", "steered", true),
            mark("R3", "helper", false),
        ];
        assert_eq!(read_in(FILE, &lines).unwrap(), expected);
    }

    #[test]
    fn a_property_is_a_test() {
        let lines = [
            "#[cfg(test)]",
            "mod tests {",
            "    proptest! {",
            "        // clause V12",
            "        #[test]",
            "        fn there_and_back(lat in 18.0..53.5f64) {",
            "        }",
            "    }",
            "}",
        ];
        let read = read_in("functions/nearby/src/position.rs", &lines).unwrap();
        assert_eq!(read, [mark("V12", "there_and_back", true)]);
    }

    #[test]
    fn a_mark_in_a_function_is_of_that_function_once() {
        let lines = [
            "pub(crate) fn invariants(",
            "    app: &App,",
            ") {",
            "    for broken in [",
            "        // clause G1",
            "        \"SELECT 1\",",
            "        // clause G1",
            "        \"SELECT 2\",",
            "    ] {",
            "        // clause G2",
            "        count(broken);",
            "    }",
            "}",
            "#[test]",
            "fn test() {}",
        ];
        let expected = [
            mark("G1", "invariants", false),
            mark("G2", "invariants", false),
        ];
        assert_eq!(read_in(FILE, &lines).unwrap(), expected);
    }

    #[test]
    fn a_mark_at_no_test_is_named() {
        let after_a_function = [
            "#[test]",
            "fn a() {",
            "}",
            "// clause R1",
            "const X: u8 = 1;",
        ];
        let at = "the mark of clause R1 stands at no test";
        assert_eq!(
            read_in(FILE, &after_a_function).unwrap_err(),
            format!("{FILE}:5: {at}")
        );
        let last = ["#[test]", "fn a() {}", "// clause R1"];
        assert!(read_in(FILE, &last).unwrap_err().ends_with("ends the file"));
        let no_test = ["// clause R1", "fn helper() {}"];
        assert!(read_in(FILE, &no_test).unwrap_err().ends_with("no test"));
    }

    #[test]
    fn code_that_is_no_test_proves_nothing() {
        let lines = [
            "// clause R1",
            "fn rule() {}",
            "#[cfg(test)]",
            "mod tests {",
            "    #[test]",
            "    fn test() {}",
            "}",
        ];
        assert!(read_in("shared/src/rule.rs", &lines).is_err());
        assert!(read_in("shared/src/rule/tests.rs", &lines).is_ok());
        assert!(read_in("tests/host/src/rule.rs", &lines).is_ok());
    }

    #[test]
    fn what_only_mentions_a_clause_marks_nothing() {
        let lines = [
            "//! Orders (clause E15).",
            "/// See clause R1.",
            "fn a() {}",
        ];
        assert_eq!(read_in(FILE, &lines).unwrap(), []);
    }
}
