//! Inputs of items to a file, so that they can be run again.
//!
//! Nothing is masked in it: a masked input is none. The file appears when it is whole.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::analysis::maps::WrittenInputs;
use crate::analysis::maps::inputs::{Items, of, on_one_line};

/// So many children without an input are named.
const NAMED: usize = 1_000;

/// The files that are wanted.
#[derive(Default)]
pub struct Writers {
    failed: Option<Writer>,
    pending: Option<Writer>,
}

/// A file that is being written.
struct Writer {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    has_lines: bool,
    written: WrittenInputs,
}

impl Writers {
    /// Begins the files that are named.
    pub fn open(failed: Option<&Path>, pending: Option<&Path>) -> anyhow::Result<Self> {
        let open = |path: Option<&Path>, of| path.map(|path| Writer::open(path, of)).transpose();
        Ok(Self { failed: open(failed, "failed")?, pending: open(pending, "pending")? })
    }

    /// Whether there is a file at all.
    pub fn are_wanted(&self) -> bool {
        self.failed.is_some() || self.pending.is_some()
    }

    /// Whether there is a file for a child of this kind.
    pub fn want(&self, failed: bool, pending: bool) -> bool {
        failed && self.failed.is_some() || pending && self.pending.is_some()
    }

    /// Adds the items of a child that did not succeed.
    pub fn add_failed(&mut self, child: &str, input: Option<&str>, batched: Option<bool>) -> anyhow::Result<()> {
        self.failed.as_mut().map_or(Ok(()), |writer| writer.add(child, input, batched))
    }

    /// Adds the items of a child that was never started.
    pub fn add_pending(&mut self, child: &str, input: Option<&str>, batched: Option<bool>) -> anyhow::Result<()> {
        self.pending.as_mut().map_or(Ok(()), |writer| writer.add(child, input, batched))
    }

    /// Puts the files into their places, and tells what is in them.
    pub fn close(self) -> anyhow::Result<Vec<WrittenInputs>> {
        [self.failed, self.pending].into_iter().flatten().map(Writer::close).collect()
    }
}

impl Writer {
    fn open(path: &Path, of: &'static str) -> anyhow::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).with_context(|| format!("failed to write {}", path.display()))?;
        let has_lines = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl"));
        let written = WrittenInputs { file: path.display().to_string(), of, ..WrittenInputs::default() };
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), has_lines, written })
    }

    fn add(&mut self, child: &str, input: Option<&str>, batched: Option<bool>) -> anyhow::Result<()> {
        let items = input.map(|input| of(input, batched));
        let (items, is_unfolded) = match items {
            Some(Items::One(item)) => (vec![item], false),
            Some(Items::Several(items)) => (items, true),
            None => (Vec::new(), false),
        };
        let whole: Option<Vec<String>> = items.iter().map(|item| on_one_line(item)).collect();
        let Some(whole) = whole.filter(|_| input.is_some()) else {
            self.written.without_input_count += 1;
            if self.written.without_input.len() < NAMED {
                self.written.without_input.push(child.to_owned());
            }
            return Ok(());
        };
        self.written.children += 1;
        self.written.unfolded += u64::from(is_unfolded);
        for item in whole {
            self.put(&item).with_context(|| format!("failed to write {}", self.path.display()))?;
        }
        Ok(())
    }

    fn put(&mut self, item: &str) -> std::io::Result<()> {
        let before = match (self.has_lines, self.written.items) {
            (true, _) => "",
            (false, 0) => "[\n",
            (false, _) => ",\n",
        };
        self.file.write_all(before.as_bytes())?;
        self.file.write_all(item.as_bytes())?;
        if self.has_lines {
            self.file.write_all(b"\n")?;
        }
        self.written.items += 1;
        Ok(())
    }

    fn close(mut self) -> anyhow::Result<WrittenInputs> {
        let failed = || format!("failed to write {}", self.path.display());
        if !self.has_lines {
            self.file.write_all(if self.written.items == 0 { b"[]\n" } else { b"\n]\n" }).with_context(failed)?;
        }
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(failed)?;
        file.as_file().sync_all().with_context(failed)?;
        file.persist(&self.path).map_err(|error| error.error).with_context(failed)?;
        Ok(self.written)
    }
}

impl WrittenInputs {
    /// What is in the file, in a sentence.
    pub fn words(&self) -> String {
        let children = |count: u64| if count == 1 { "1 child".to_owned() } else { format!("{count} children") };
        let items = if self.items == 1 { "1 item".to_owned() } else { format!("{} items", self.items) };
        // Writing to a String cannot fail.
        let mut text = format!("{}: {items} of {}", self.file, children(self.children));
        if self.unfolded > 0 {
            let _ = write!(text, ", the batches of {} unfolded", self.unfolded);
        }
        if self.without_input_count > 0 {
            let _ = write!(text, "; the input of {} is not known", children(self.without_input_count));
            if let Some(first) = self.without_input.first() {
                let _ = write!(text, ", such as {first}");
            }
        }
        text
    }
}
