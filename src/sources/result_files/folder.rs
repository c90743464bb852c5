//! Result files that were copied to this machine.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Place;

/// Deeper folders are not looked into.
const DEEPEST: usize = 64;

/// A folder of the file system, or one file in it.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// The only file that is meant.
    only: Option<String>,
}

impl Folder {
    /// A folder, or a single file. A manifest stands for the files beside it.
    pub fn new(path: &Path) -> std::io::Result<Self> {
        if fs::metadata(path)?.is_dir() {
            return Ok(Self { root: path.to_owned(), only: None });
        }
        let root = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Self { root: root.to_owned(), only: name })
    }
}

impl Place for Folder {
    fn name(&self, path: &str) -> String {
        let whole = if path.is_empty() { self.root.clone() } else { self.root.join(path) };
        whole.display().to_string()
    }

    fn list(&mut self) -> Result<Vec<(String, u64)>, String> {
        let mut found = Vec::new();
        if let Some(only) = &self.only {
            let size = fs::metadata(self.root.join(only)).map_err(|error| format!("{}: {error}", self.name(only)))?.len();
            return Ok(vec![(only.clone(), size)]);
        }
        walk(&self.root, "", 0, &mut found).map_err(|error| format!("{}: {error}", self.root.display()))?;
        Ok(found)
    }

    fn open(&mut self, path: &str) -> Result<Box<dyn Read + Send + '_>, String> {
        let whole = self.root.join(path);
        let about = fs::metadata(&whole).map_err(|error| format!("{}: {error}", whole.display()))?;
        // Opening a pipe would wait for its writer.
        if !about.is_file() {
            return Err(format!("{} is no file", whole.display()));
        }
        let file = File::open(&whole).map_err(|error| format!("{}: {error}", whole.display()))?;
        Ok(Box::new(file))
    }
}

fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, u64)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no text is none of the service's.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if entry.file_type()?.is_dir() {
            if depth < DEEPEST {
                walk(&entry.path(), &path, depth + 1, found)?;
            }
        } else if let Ok(about) = fs::metadata(entry.path())
            && about.is_file()
        {
            found.push((path, about.len()));
        }
    }
    Ok(())
}
