//! Where the marks may stand: the Rust files of the project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders with Rust code of ours.
const FOLDERS: [&str; 3] = ["functions", "shared", "tests"];

/// Every Rust file below `root`, by its path from there, in order, with its text.
///
/// # Errors
/// A folder or a file cannot be read.
pub(crate) fn read(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut paths)?;
    }
    paths.sort();
    let named = paths.into_iter().map(|path| {
        let inside = path.strip_prefix(root).expect("it lies below");
        let name = inside.to_str().expect("our names are ASCII").to_owned();
        Ok((name, fs::read_to_string(path)?))
    });
    named.collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}
