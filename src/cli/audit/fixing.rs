//! `--fix` and `--diff`: what becomes of the file.

use anyhow::Context;

use crate::analysis::audit::fix::{self, Outcome, Wanted};
use crate::analysis::audit::{self, Options};
use crate::asl::source::{Format, Source};

/// A definition after fixing.
pub(super) struct Mended {
    /// What was done.
    pub outcome: Outcome,
    /// The definition as it was read.
    pub source: Source,
}

/// Fixes what is wanted; nothing is written.
pub(super) fn mend(label: &str, bytes: &[u8], options: &Options<'_>, wanted: Wanted) -> Option<Mended> {
    // What can't be read was said by the audit.
    let source = Source::read(bytes, Format::of_name(label)).ok()?;
    let outcome = fix::fix(&source, audit::machine_type(&source, options), options, wanted);
    Some(Mended { outcome, source })
}

impl Mended {
    /// The definition's own text, fixed or not.
    pub(super) fn definition(&self) -> &str {
        self.outcome.text.as_deref().unwrap_or_else(|| self.source.text())
    }

    /// The whole file with the fixed definition in it; `None` where nothing changes.
    pub(super) fn file(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let definition = self.outcome.text.as_deref()?;
        let embedded = self.source.description().and_then(|description| description.embedded.as_ref());
        let text = match embedded {
            // JSON writes a text as YAML may, too.
            Some(embedded) => {
                let (before, after) = (&embedded.document[..embedded.span.start], &embedded.document[embedded.span.end..]);
                format!("{before}{}{after}", serde_json::Value::from(definition))
            }
            None => definition.to_owned(),
        };
        let mark: &[u8] = if bytes.starts_with("\u{feff}".as_bytes()) { "\u{feff}".as_bytes() } else { b"" };
        Some([mark, text.as_bytes()].concat())
    }

    /// Writes the file, if something changes; returns what it holds now.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(file) = self.file(bytes) else { return Ok(None) };
        // What is about to be written is what was checked: the definition in it, read again.
        let read = Source::read(&file, Format::of_name(name)).map(|read| read.text() == self.definition());
        anyhow::ensure!(read == Ok(true), "{name} stays as it is: the fixed definition could not be read back from it");
        std::fs::write(name, &file).with_context(|| format!("{name} cannot be written"))?;
        Ok(Some(file))
    }

    /// The changes as a unified diff; empty where there are none.
    pub(super) fn diff(&self, label: &str) -> String {
        fix::unified(label, self.source.text(), &self.outcome.edits)
    }
}
