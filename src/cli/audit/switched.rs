//! Files that switch rules off: found beside a definition or above it, or named on the command line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::analysis::audit::Switches;
use crate::cli::exit_code::WrongUsage;

/// What such a file is called.
pub(super) const FILE: &str = ".stepscope-audit.toml";

/// The files that are in force, each read once.
pub(super) struct SwitchFiles {
    /// The one that was named.
    named: Option<PathBuf>,
    /// Whether none is looked for.
    none: bool,
    read: Vec<SwitchFile>,
}

struct SwitchFile {
    path: PathBuf,
    switches: Switches,
    /// Entries that matched something.
    used: BTreeSet<usize>,
    /// Entries that were about one of the definitions.
    asked: BTreeSet<usize>,
}

impl SwitchFiles {
    pub(super) fn new(named: Option<PathBuf>, none: bool) -> Self {
        Self { named, none, read: Vec::new() }
    }

    /// The file that is in force for a definition, and the definition's path as seen from the folder of that file. `None` where there
    /// is no such file.
    pub(super) fn of(&mut self, definition: &str) -> anyhow::Result<Option<(usize, String)>> {
        let is_stream = definition == "-";
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let definition = whole(Path::new(if is_stream { "." } else { definition }));
        let above = if is_stream { Some(definition.as_path()) } else { definition.parent() };
        let found = match &self.named {
            _ if self.none => None,
            Some(named) => Some(named.clone()),
            None => above.into_iter().flat_map(Path::ancestors).map(|folder| folder.join(FILE)).find(|path| path.is_file()),
        };
        let Some(path) = found else { return Ok(None) };
        let number = match self.read.iter().position(|known| known.path == path) {
            Some(number) => number,
            None => {
                self.read.push(SwitchFile { switches: read(&path)?, path: path.clone(), used: BTreeSet::new(), asked: BTreeSet::new() });
                self.read.len() - 1
            }
        };
        let folder = whole(&path).parent().map(Path::to_owned).unwrap_or_default();
        let seen = definition.strip_prefix(&folder).unwrap_or(&definition);
        Ok(Some((number, seen.to_string_lossy().replace('\\', "/"))))
    }

    /// The switches of a file.
    pub(super) fn switches(&self, number: usize) -> &Switches {
        &self.read[number].switches
    }

    /// Takes note of what was switched off in a definition.
    pub(super) fn was_used(&mut self, number: usize, definition: &str, entries: &BTreeSet<usize>) {
        let file = &mut self.read[number];
        file.used.extend(entries);
        file.asked.extend((0..file.switches.off.len()).filter(|entry| file.switches.off[*entry].is_about(definition)));
    }

    /// Entries that were about a definition and switched nothing off: what they were for is gone.
    pub(super) fn unused(&self) -> Vec<String> {
        let words = |file: &SwitchFile, entry: usize| {
            let off = &file.switches.off[entry];
            format!("{}:{}: {} is switched off, and nothing breaks it: take the entry out", file.path.display(), off.line, off.words())
        };
        self.read.iter().flat_map(|file| file.asked.difference(&file.used).map(move |entry| words(file, *entry))).collect()
    }
}

fn read(path: &Path) -> anyhow::Result<Switches> {
    let wrong = |why: String| anyhow::Error::from(WrongUsage(format!("{} {why}", path.display())));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    Switches::parse(&text).map_err(|error| wrong(error.to_string()))
}
