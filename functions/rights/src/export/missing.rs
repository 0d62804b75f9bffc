//! What a copy lacks, because it could not be read: a list in the archive, `missing.jsonl`, one object a line.

use serde::Serialize;
use uuid::Uuid;

use crate::holdings::Unreadable;

/// The list's name in the archive.
pub const NAME: &str = "missing.jsonl";

/// One thing that is missing.
#[derive(Debug, Serialize)]
pub struct Missing {
    /// The file of the archive that is missing, or in which something is.
    file: String,
    /// The row in that file, and its column, if only a value is missing: it is null there.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'static str>,
}

impl Missing {
    /// A whole file.
    pub fn file(file: String) -> Self {
        Self {
            file,
            id: None,
            column: None,
        }
    }

    /// One value in a file.
    pub fn value(file: &str, value: Unreadable) -> Self {
        Self {
            file: file.to_owned(),
            id: Some(value.id),
            column: Some(value.column),
        }
    }
}

/// The lines of these; `None` if nothing is missing.
pub fn lines(missing: &[Missing]) -> Option<String> {
    let line = |missing| serde_json::to_string(missing).expect("plain data") + "\n";
    (!missing.is_empty()).then(|| missing.iter().map(line).collect())
}
