//! Writes a fixture into a folder of its own.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::analysis::replay::Fixture;

/// Writes the files. A folder that holds something is left alone.
pub fn write(folder: &Path, fixture: &Fixture) -> anyhow::Result<()> {
    let name = folder.display();
    if let Ok(mut entries) = fs::read_dir(folder)
        && entries.next().is_some()
    {
        bail!("the folder {name} is not empty; --save wants a new or an empty one");
    }
    fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {name}"))?;
    for (file, content) in &fixture.files {
        let path = folder.join(file);
        fs::write(&path, content).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}
