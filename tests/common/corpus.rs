//! Where the material is that is no part of this repository.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder with the material; `None`, after a line on stderr, where there is none.
pub fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("STEPSCOPE_CORPUS").map(PathBuf::from);
    let folder = named.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    if folder.join("root-causes.json").exists() {
        return Some(folder);
    }
    assert!(named.is_none() || std::env::var_os("CI").is_none(), "STEPSCOPE_CORPUS names {}, which holds no corpus", folder.display());
    let _ = writeln!(std::io::stderr(), "skipped: the corpus is not at {}; STEPSCOPE_CORPUS names its folder", folder.display());
    None
}

/// Every file below a folder, in the order of their names.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
